/* SPDX-License-Identifier: MIT */
/*
 * pair_set.h - a set of pairs of ids in eight bytes each (sixteen at worst): what is left of
 * lock-order edges when there are too many to keep their contexts.
 */
#ifndef THRUM_ANALYZER_PAIR_SET_H
#define THRUM_ANALYZER_PAIR_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed = empty. */
struct pair_set {
	uint64_t *slot; /* owned; from << 32 | to, 0 = free */
	size_t mask, count;
};

/* Neither id may be 0. */
void pair_set_add(struct pair_set *set, uint32_t from, uint32_t to);
bool pair_set_has(const struct pair_set *set, uint32_t from, uint32_t to);
void pair_set_release(struct pair_set *set);

#endif
