/* SPDX-License-Identifier: MIT */
/*
 * data_symbols.h - what lies at a data address of a recorded process: the variable of static storage, by name down to the member, and
 * where it is declared. Of the heap, stacks and thread-local storage nothing is known here.
 */
#ifndef THRUM_ANALYZER_DATA_SYMBOLS_H
#define THRUM_ANALYZER_DATA_SYMBOLS_H

#include "symbols.h"

struct data_symbol {
	const char
		*name; /* "g_counter", "accounts[3].sum", "work()::calls", "libfoo.so.1+0x1234" */
	const char *file; /* of its declaration; NULL = not known */
	int line;	  /* 0 where file is NULL */
};

/*
 * False = no variable of static storage. Strings live as long as `symbols`. `time_ns` picks among modules that used the same range
 * one after the other.
 */
bool data_symbols_find(struct symbols *symbols, uint64_t address, uint64_t time_ns,
		       struct data_symbol *ret_symbol);

#endif
