/* SPDX-License-Identifier: MIT */
/*
 * id_table.h - dense numbers for pairs of 64-bit keys, in the order in which they first came: what was written once is named by its number
 * afterwards.
 */
#ifndef THRUM_VIEWER_ID_TABLE_H
#define THRUM_VIEWER_ID_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct id_key {
	uint64_t high, low;
};

/* Zeroed = empty. */
struct id_table {
	struct id_key *key; /* owned; of number i + 1 */
	uint32_t *slot;	    /* owned */
	size_t count, capacity;
};

/* Numbers count from 1; 0 = out of memory. */
uint32_t id_table_get(struct id_table *table, uint64_t high, uint64_t low, bool *ret_is_new);
void id_table_release(struct id_table *table);

#endif
