/* SPDX-License-Identifier: MIT */
/*
 * page_cells.h - cells of the page's tables. A cell of a number carries the number, by which the script sorts.
 */
#ifndef THRUM_VIEWER_PAGE_CELLS_H
#define THRUM_VIEWER_PAGE_CELLS_H

#include "page_private.h"

#include <stdio.h>

struct page_column {
	const char *title;
	bool is_number;
};

/* `id` of the section and its heading; then the table up to its body. Ends with page_table_end. */
void page_table_begin(FILE *out, const struct page_column *column, size_t count);
/* `left_out`: rows that are not there. */
void page_table_end(FILE *out, size_t left_out, const char *word);

void page_cell_count(FILE *out, uint64_t value);
void page_cell_time(FILE *out, uint64_t ns); /* 0 = empty */
void page_cell_percent(FILE *out, uint64_t part, uint64_t whole);
/* A small picture of numbers, as bars of `step` pixels; `label` says it in words, escaped. */
void page_cell_bars(FILE *out, const uint64_t *value, size_t count, int step, const char *label);
void page_cell_text(FILE *out, const char *text);

/* "transfer bank.c:31" of a stack, escaped, in a span of class where; nothing where it is not known. */
void page_put_place(const struct page *page, size_t process, uint32_t stack, FILE *out);
/* The same behind words, markup as it is, where it is known; else nothing, and false. */
bool page_put_place_after(const struct page *page, const char *words, size_t process,
			  uint32_t stack, FILE *out);
/* The innermost frames as a list, without source lines, under a heading. */
void page_put_stack(const struct page *page, size_t process, uint32_t stack, const char *heading,
		    FILE *out);
/* A link to the lane of a thread: "worker". */
void page_put_thread(const struct page *page, size_t process, uint32_t thread, FILE *out);
/* "mutex g_lock", a link to its row. */
void page_put_object(const struct page *page, size_t process, uint32_t object, FILE *out);

#endif
