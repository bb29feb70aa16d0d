/* SPDX-License-Identifier: MIT */
/*
 * learn_log.h - who learnt when of whom: the edges between threads, from which closure.c says what a thread knew at any of its moments.
 *
 * Each edge by itself, not what comes with it: 12 bytes, and a share of a clock each `spacing` edges, of all before it: from there the
 * rest is read.
 */
#ifndef THRUM_ANALYZER_PREDICT_LEARN_LOG_H
#define THRUM_ANALYZER_PREDICT_LEARN_LOG_H

#include <stddef.h>
#include <stdint.h>

struct learnt {
	uint32_t at;	      /* the first moment of the thread that comes after it */
	uint32_t thread, own; /* of whom, up to which moment */
};

struct learn_list {
	struct learnt *learnt; /* owns; in order */
	size_t count, capacity;
	uint32_t *newest;	       /* owns; by thread: the largest moment so far; NULL = none */
	uint32_t *clock;	       /* owns; the same after each `spacing` entries of learnt */
	size_t clocks, clock_capacity; /* in entries of clocks */
};

struct learn_log {
	uint32_t threads, width, spacing;
	struct learn_list *list; /* owns; by thread */
};

/* `spacing` 0 = what is best. */
void learn_log_init(struct learn_log *log, uint32_t threads, uint32_t spacing);
void learn_log_release(struct learn_log *log);

/* In the order of the thread. */
void learn_log_add(struct learn_log *log, uint32_t thread, struct learnt learnt);

/* How many entries come before the moment: binary search. */
size_t learn_list_until(const struct learn_list *list, uint32_t moment);

#endif
