/* SPDX-License-Identifier: MIT */
/*
 * learn_log.h - who learnt when of whom: the edges between threads that are needed to say later what a thread knew at any of its
 * moments. Written by clocks.c, which leaves out what was known; read by closure.c.
 *
 * A clock of each moment would cost its width; here a moment costs nothing, and an edge 12 bytes and a share of a clock each
 * `spacing` edges: from there the rest is read.
 */
#ifndef THRUM_ANALYZER_PREDICT_LEARN_LOG_H
#define THRUM_ANALYZER_PREDICT_LEARN_LOG_H

#include "clocks.h"

struct learnt {
	uint32_t at;	      /* the first moment of the thread that comes after it */
	uint32_t thread, own; /* of whom */
};

struct learn_list {
	struct learnt *learnt; /* owns; in order */
	size_t count, capacity;
	uint32_t *clock; /* owns; the thread's clock after each `spacing` entries of learnt */
	size_t clocks, clock_capacity; /* in entries of clocks */
};

struct learn_log {
	uint32_t threads, width, spacing;
	struct learn_list *list; /* owns; by thread */
};

/* `spacing` 0 = what is best. */
void learn_log_init(struct learn_log *log, uint32_t threads, uint32_t width, uint32_t spacing);
void learn_log_release(struct learn_log *log);

/* `thread`, whose clock is `now` after it, learnt of the stamp. */
void learn_log_add(struct learn_log *log, uint32_t thread, const struct clock_stamp *stamp,
		   const uint32_t *now);

/* How many entries come before the moment: binary search. */
size_t learn_list_until(const struct learn_list *list, uint32_t moment);

#endif
