/* SPDX-License-Identifier: MIT */
/*
 * table.c - see table.h.
 */
#define _GNU_SOURCE
#include "table.h"

#include "../../analyzer/report/escape.h"

#include <stdlib.h>
#include <string.h>

struct sorted {
	const struct tui_table *table;
	size_t *index; /* owned; by row */
	unsigned column;
	bool turned;
};

/* ---- order ---- */

struct order {
	const struct tui_data *data;
	const struct tui_column *column;
	bool ascends;
};

static int compare(const void *x, const void *y, void *cookie)
{
	const struct order *order = cookie;
	size_t a = *(const size_t *)x, b = *(const size_t *)y;
	uint64_t first = order->column->value(order->data, a),
		 second = order->column->value(order->data, b);

	if (first == second)
		return a < b ? -1 : a > b;
	return (first < second) == order->ascends ? -1 : 1;
}

static void sort(struct tui_page *page)
{
	struct sorted *s = page->state;
	const struct tui_column *column = &s->table->column[s->column];
	struct order order = { page->data, column, column->ascends != s->turned };

	for (size_t i = 0; i < page->rows; i++)
		s->index[i] = !column->value && s->turned ? page->rows - 1 - i : i;
	if (column->value && page->rows)
		qsort_r(s->index, page->rows, sizeof(*s->index), compare, &order);
}

/* ---- rows ---- */

/* One cell: cut, or padded, to its width. Numbers lie at the right. */
static void put_cell(const char *text, unsigned width, bool right, FILE *out)
{
	size_t columns = 0;
	const char *p = text;
	uint32_t c;

	for (size_t bytes; (bytes = escape_decode(p, &c)) > 0; p += bytes)
		columns++;
	if (!width) {
		fputs(text, out);
		return;
	}
	if (right && columns < width)
		fprintf(out, "%*s", (int)(width - columns), "");
	p = text;
	for (size_t i = 0; i < columns && i < width; i++) {
		size_t bytes = escape_decode(p, &c);

		fwrite(p, 1, bytes, out);
		p += bytes;
	}
	if (!right && columns < width)
		fprintf(out, "%*s", (int)(width - columns), "");
}

static void put_value(const struct tui_page *page, const struct tui_column *column, size_t index,
		      FILE *out)
{
	switch (column->amount) {
	case TUI_COUNT:
		tui_put_count(out, column->value(page->data, index));
		break;
	case TUI_TIME:
		tui_put_time(out, column->value(page->data, index));
		break;
	case TUI_TEXT:
		column->put(page->data, index, out);
		break;
	}
}

static void put_row(const struct tui_page *page, size_t row, unsigned width, FILE *out)
{
	const struct sorted *s = page->state;
	size_t index = s->index ? s->index[row] : 0;

	(void)width;
	if (!s->index || page->rows == 0)
		return;
	if (s->table->style)
		tui_style(out, s->table->style(page->data, index));
	for (unsigned i = 0; i < s->table->columns; i++) {
		const struct tui_column *column = &s->table->column[i];
		char *text = NULL;
		size_t bytes = 0;
		FILE *cell = open_memstream(&text, &bytes);

		if (!cell)
			return;
		put_value(page, column, index, cell);
		fclose(cell);
		if (i)
			fputs("  ", out);
		put_cell(text ? text : "", column->width, column->amount != TUI_TEXT, out);
		free(text);
	}
}

static void put_head(const struct tui_page *page, unsigned width, FILE *out)
{
	const struct sorted *s = page->state;

	(void)width;
	if (!page->rows) {
		fputs(s->table->empty, out);
		return;
	}
	for (unsigned i = 0; i < s->table->columns; i++) {
		const struct tui_column *column = &s->table->column[i];
		char title[32];

		/* The arrow says by which column, and how. */
		snprintf(title, sizeof(title), "%s%s", column->title,
			 i != s->column			? ""
			 : column->ascends != s->turned ? "^"
							: "v");
		if (i)
			fputs("  ", out);
		put_cell(title, column->width, column->amount != TUI_TEXT, out);
	}
}

static struct tui_page *open_row(struct tui_page *page, size_t row)
{
	const struct sorted *s = page->state;

	return s->table->open ? s->table->open(page->data, s->index[row]) : NULL;
}

/* < and > sort by the column before and after, r turns the order. */
static bool on_key(struct tui_page *page, int key, size_t row, unsigned width)
{
	struct sorted *s = page->state;

	(void)row;
	(void)width;
	if (key == '<')
		s->column = (s->column + s->table->columns - 1) % s->table->columns;
	else if (key == '>')
		s->column = (s->column + 1) % s->table->columns;
	else if (key == 'r')
		s->turned = !s->turned;
	else
		return false;
	sort(page);
	return true;
}

static void release(struct tui_page *page)
{
	struct sorted *s = page->state;

	free(s->index);
	free(s);
}

static const struct tui_ops table_ops = {
	.release = release, .head = put_head, .row = put_row, .open = open_row, .key = on_key
};

struct tui_page *tui_table_page(const struct tui_data *data, const struct tui_table *table)
{
	struct sorted *s = calloc(1, sizeof(*s));
	size_t rows = table->rows(data);
	struct tui_page *page = s ? tui_page_new(data, &table_ops, s, rows, table->title) : NULL;

	if (!page) {
		free(s);
		return NULL;
	}
	s->table = table;
	s->column = table->sorted_by;
	s->index = calloc(rows + 1, sizeof(*s->index));
	if (!s->index) {
		tui_page_free(page);
		return NULL;
	}
	sort(page);
	return page;
}
