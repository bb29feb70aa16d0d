/* SPDX-License-Identifier: MIT */
/*
 * learn_log.c - a list for each thread.
 */
#include "learn_log.h"

#include "room.h"

enum { SPACING = 64 }; /* at least; and a quarter of the width, so that clocks are not most of it */

void learn_log_init(struct learn_log *log, uint32_t threads, uint32_t width, uint32_t spacing)
{
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
		free(log->list[t].clock);
	}
	free(log->list);
	*log = (struct learn_log){ 0 };
}

void learn_log_add(struct learn_log *log, uint32_t thread, const struct clock_stamp *stamp,
		   const uint32_t *now)
{
	struct learn_list *list = &log->list[thread];

	list->learnt =
		room_for(list->learnt, list->count, 1, &list->capacity, sizeof(*list->learnt));
	list->learnt[list->count++] = (struct learnt){ now[thread] + 1, stamp->thread, stamp->own };
	if (list->count % log->spacing)
		return;
	list->clock = room_for(list->clock, list->clocks, log->width, &list->clock_capacity,
			       sizeof(*list->clock));
	memcpy(list->clock + list->clocks, now, log->width * sizeof(*now));
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
