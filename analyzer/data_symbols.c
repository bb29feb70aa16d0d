/* SPDX-License-Identifier: MIT */
/*
 * data_symbols.c - puts the answers of symbols.h about one data address together.
 */
#include "data_symbols.h"

bool data_symbols_find(struct symbols *symbols, uint64_t address, uint64_t time_ns,
		       struct data_symbol *ret_symbol)
{
	struct data_symbol found = { .name = symbols_resolve_data(symbols, address, time_ns) };

	if (!found.name)
		return false;
	if (!symbols_resolve_data_place(symbols, address, time_ns, &found.file, &found.line)) {
		found.file = NULL;
		found.line = 0;
	}
	*ret_symbol = found;
	return true;
}
