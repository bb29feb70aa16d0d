/* SPDX-License-Identifier: MIT */
/*
 * page.c - makes what a page needs in one pass, and the words that its parts share.
 */
#include "page.h"

#include "../analyzer/frame_class.h"
#include "names.h"
#include "page_data.h"
#include "page_finding.h"
#include "page_parts.h"
#include "page_picture.h"
#include "page_screens.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The kind stands in a column of its own. */
static void nameless(const struct page *page, size_t process, const struct trace_object *o,
		     uint32_t object, char *name, size_t name_bytes)
{
	char words[NAMES_BYTES];
	const char *last;

	names_nameless(&page->labels, process, o, object, "", words, sizeof(words));
	last = strrchr(words, ' ');
	snprintf(name, name_bytes, "%s", last ? last + 1 : words);
}

bool page_object_words(const struct page *page, size_t process, uint32_t object, char *kind,
		       size_t kind_bytes, char *name, size_t name_bytes)
{
	const struct trace_process *p = page->lanes->process[process].process;
	const struct trace_object *o = object < p->object_count ? &p->objects[object] : NULL;
	const char *variable = NULL;

	if (!o || !o->kind) {
		snprintf(kind, kind_bytes, "object");
		snprintf(name, name_bytes, "#%" PRIu32, object);
		return false;
	}
	snprintf(kind, kind_bytes, "%s", o->word ? o->word : trace_object_kind_name(o->kind));
	if (!o->given_name && !o->name && o->address && page->source.variable)
		variable = page->source.variable(page->source.context, process, o->address,
						 o->time_ns);
	if (o->given_name || o->name || variable) {
		snprintf(name, name_bytes, "%s",
			 o->given_name ? o->given_name
			 : o->name     ? o->name
				       : variable);
		return true;
	}
	nameless(page, process, o, object, name, name_bytes);
	return false;
}

void page_label_locks(struct page *page, const struct report *report)
{
	lock_labels_release(&page->labels);
	(void)lock_labels_make(&page->labels, report, NULL, 0);
}

const struct frame *page_frame(const struct frames *frames)
{
	const struct frame *named = NULL;

	for (size_t i = 0; i < frames->count; i++) {
		const struct frame *f = &frames->frame[i];

		if (!f->function)
			continue;
		if (frame_classify(f) == FRAME_PROGRAM)
			return f;
		named = named ? named : f;
	}
	return named;
}

const char *page_time(uint64_t ns, char *buffer, size_t bytes)
{
	static const struct {
		uint64_t ns;
		const char *word;
	} units[] = { { 1000000000, "s" }, { 1000000, "ms" }, { 1000, "\xc2\xb5s" }, { 1, "ns" } };
	size_t i = 0;

	while (i < 3 && ns < units[i].ns)
		i++;
	if (i == 3 || ns / units[i].ns >= 100)
		snprintf(buffer, bytes, "%" PRIu64 " %s", (ns + units[i].ns / 2) / units[i].ns,
			 units[i].word);
	else if (ns / units[i].ns >= 10)
		snprintf(buffer, bytes, "%" PRIu64 ".%" PRIu64 " %s", ns / units[i].ns,
			 ns % units[i].ns / (units[i].ns / 10), units[i].word);
	else
		snprintf(buffer, bytes, "%" PRIu64 ".%02" PRIu64 " %s", ns / units[i].ns,
			 ns % units[i].ns / (units[i].ns / 100), units[i].word);
	return buffer;
}

/* ---- what the report gets ---- */

static void put_screens(void *cookie, const struct report *report, FILE *out)
{
	struct page *page = cookie;

	page_label_locks(page, report);
	/* The timeline says what does not fit; where memory runs out put_data does. */
	if (!page->view.is_served)
		page_parts_make(page, report);
	page_picture_put(page, report, out);
	page_locks_put(page, out);
	page_threads_put(page, out);
	page_tasks_put(page, out);
	page_loops_put(page, out);
	page_graph_put(page, out);
	page_compare_put(page, report, out);
	page_trace_put(page, report, out);
}

static void put_finding(void *cookie, const struct report *report, const struct finding *f,
			FILE *out)
{
	(void)report;
	page_finding_put(cookie, f, out);
}

static int put_data(void *cookie, const struct report *report, FILE *out, struct diag *diag)
{
	const struct page *page = cookie;
	int error;

	if (page->view.is_served) {
		fputs("<script type=\"application/json\" id=\"thrum-data\" data-served=\"1\"></script>\n",
		      out);
		return 0;
	}
	if (!page->parts)
		return diag_set(diag, THRUM_ENOMEM, "out of memory");
	fputs("<script type=\"application/octet-stream\" id=\"thrum-data\">", out);
	error = page_data_put(page, report, out, diag);
	fputs("</script>\n", out);
	return error;
}

static void put_parts(void *cookie, FILE *out)
{
	const struct page *page = cookie;

	if (page->parts && !page->view.is_served)
		page_parts_put(page->parts, out);
}

int page_new(const struct page_source *source, struct page **ret_page, struct diag *diag)
{
	struct page *page = calloc(1, sizeof(*page));
	int error;

	if (!page)
		return diag_set(diag, THRUM_ENOMEM, "out of memory");
	page->source = *source;
	page->view = (struct report_view){ .cookie = page,
					   .script = page_script,
					   .style = page_style,
					   .finding = put_finding,
					   .screens = put_screens,
					   .data = put_data,
					   .parts = put_parts };
	error = tables_new(source->reader, &source->scan, &page->tables, &page->lanes, diag);
	if (error) {
		page_free(page);
		return error;
	}
	page_locks_limit(page);
	*ret_page = page;
	return 0;
}

void page_free(struct page *page)
{
	if (!page)
		return;
	lock_labels_release(&page->labels);
	page_parts_free(page->parts);
	lanes_free(page->lanes);
	tables_free(page->tables);
	free(page);
}

const struct report_view *page_get_view(const struct page *page)
{
	return &page->view;
}

const struct report_view *page_serve(struct page *page)
{
	page->view.is_served = true;
	return &page->view;
}

void page_compare(struct page *page, const struct page *before)
{
	page->before = before;
}
