/* SPDX-License-Identifier: MIT */
/*
 * learn_log.c - a list for each thread.
 */
#include "learn_log.h"

#include "clocks.h"
#include "room.h"

enum { SPACING = 64 }; /* at least; and a quarter of the width, so that clocks are not most of it */

void learn_log_init(struct learn_log *log, uint32_t threads, uint32_t spacing)
{
	uint32_t width = (threads + CLOCK_LANES - 1) / CLOCK_LANES * CLOCK_LANES;
	uint32_t best = width / 4 > SPACING ? width / 4 : SPACING;

	*log = (struct learn_log){ .threads = threads,
				   .width = width,
				   .spacing = spacing ? spacing : best };
	log->list = room_new(threads, sizeof(*log->list));
}

void learn_log_release(struct learn_log *log)
{
	for (uint32_t t = 0; t < log->threads; t++) {
		free(log->list[t].learnt);
		free(log->list[t].newest);
		free(log->list[t].clock);
	}
	free(log->list);
	*log = (struct learn_log){ 0 };
}

void learn_log_add(struct learn_log *log, uint32_t thread, struct learnt learnt)
{
	struct learn_list *list = &log->list[thread];
	uint32_t *newest;

	if (!list->newest)
		list->newest = room_new(log->width, sizeof(*list->newest));
	newest = &list->newest[learnt.thread];
	*newest = learnt.own > *newest ? learnt.own : *newest;
	list->learnt =
		room_for(list->learnt, list->count, 1, &list->capacity, sizeof(*list->learnt));
	list->learnt[list->count++] = learnt;
	if (list->count % log->spacing)
		return;
	list->clock = room_for(list->clock, list->clocks, log->width, &list->clock_capacity,
			       sizeof(*list->clock));
	memcpy(list->clock + list->clocks, list->newest, log->width * sizeof(*list->clock));
	list->clocks += log->width;
}

size_t learn_list_until(const struct learn_list *list, uint32_t moment)
{
	size_t low = 0, high = list->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (list->learnt[middle].at <= moment)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
