/* SPDX-License-Identifier: MIT */
/*
 * table.h - a page whose rows are those of a table, sorted by one of its columns.
 */
#ifndef THRUM_VIEWER_TUI_TABLE_H
#define THRUM_VIEWER_TUI_TABLE_H

#include "page.h"

enum tui_amount { TUI_COUNT, TUI_TIME, TUI_TEXT };

struct tui_column {
	const char *title;
	unsigned width; /* 0 = what is left: the last one */
	enum tui_amount amount;
	/* What rows are sorted by, and of COUNT and TIME what is shown. NULL = the order of the table. */
	uint64_t (*value)(const struct tui_data *data, size_t index);
	void (*put)(const struct tui_data *data, size_t index, FILE *out); /* of TEXT */
	bool ascends; /* sorted by it, the least first */
};

struct tui_table {
	const char *title;
	const char *empty; /* what is said where there are no rows */
	const struct tui_column *column;
	unsigned columns, sorted_by;
	size_t (*rows)(const struct tui_data *data);
	struct tui_page *(*open)(const struct tui_data *data, size_t index);
	enum tui_style (*style)(const struct tui_data *data, size_t index); /* NULL = plain */
};

struct tui_page *tui_table_page(const struct tui_data *data, const struct tui_table *table);

#endif
