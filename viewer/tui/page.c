/* SPDX-License-Identifier: MIT */
/*
 * page.c - a page's life, and the pieces that rows are made of.
 */
#include "page.h"

#include "../../analyzer/report/escape.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct tui_page *tui_page_new(const struct tui_data *data, const struct tui_ops *ops, void *state,
			      size_t rows, const char *title)
{
	struct tui_page *page = calloc(1, sizeof(*page));
	FILE *out;

	if (!page)
		return NULL;
	page->ops = ops;
	page->data = data;
	page->state = state;
	page->rows = rows;
	out = fmemopen(page->title, sizeof(page->title), "w");
	if (out) {
		escape_terminal(out, title);
		fclose(out);
	}
	page->title[sizeof(page->title) - 1] = '\0';
	return page;
}

void tui_page_free(struct tui_page *page)
{
	if (!page)
		return;
	if (page->ops->release)
		page->ops->release(page);
	free(page);
}

void tui_page_left_out(struct tui_page *page, uint64_t count, const char *why)
{
	size_t used = page ? strlen(page->title) : 0;

	if (page && count)
		snprintf(page->title + used, sizeof(page->title) - used,
			 " (%" PRIu64 " more are not listed: %s)", count, why);
}

void tui_put(FILE *out, const char *format, ...)
{
	char buffer[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(buffer, sizeof(buffer), format, args);
	va_end(args);
	escape_terminal(out, buffer);
}

void tui_style(FILE *out, enum tui_style style)
{
	fputc(TUI_STYLE(style), out);
}

/* Rows of units: the first whose amount is at least one. */
struct unit {
	double size;
	const char *word;
};

static const struct unit *find_unit(const struct unit *units, double amount)
{
	while (units[1].word && amount < units->size)
		units++;
	return units;
}

void tui_put_time(FILE *out, uint64_t ns)
{
	static const struct unit units[] = {
		{ 1e9, "s" }, { 1e6, "ms" }, { 1e3, "us" }, { 1, "ns" }, { 0, NULL }
	};
	const struct unit *unit = find_unit(units, (double)ns);
	double amount = (double)ns / unit->size;

	if (ns)
		fprintf(out, amount < 10 && unit->size > 1 ? "%.2f %s" : "%.0f %s", amount,
			unit->word);
	else
		fputc('-', out);
}

void tui_put_count(FILE *out, uint64_t count)
{
	static const struct unit units[] = {
		{ 1e9, "G" }, { 1e6, "M" }, { 1e3, "k" }, { 0, NULL }
	};
	const struct unit *unit = find_unit(units, (double)count);

	if (count < 10000)
		fprintf(out, "%" PRIu64, count);
	else
		fprintf(out, (double)count / unit->size < 100 ? "%.1f%s" : "%.0f%s",
			(double)count / unit->size, unit->word);
}

void tui_put_amount(FILE *out, uint64_t count, const char *singular, const char *plural)
{
	tui_put_count(out, count);
	fprintf(out, " %s", count == 1 ? singular : plural);
}
