/* SPDX-License-Identifier: MIT */
/*
 * task_story.h - what tasks have to do with a knot of waits, in words and stacks: who posted them, and why nobody runs them.
 *
 * `knot` is the number of the knot in `k`.
 */
#ifndef THRUM_ANALYZER_CHECKERS_TASK_STORY_H
#define THRUM_ANALYZER_CHECKERS_TASK_STORY_H

#include "wait_story.h"

/* A task explains a wait of the knot. `weak`: see struct wait_task_edge. */
bool task_story_has(const struct wait_report *r, const struct wait_knots *k, uint32_t knot,
		    bool weak);
/* Threads of the knot in the order of the story. */
void task_story_print_title(FILE *out, const struct wait_report *r, const struct wait_knots *k,
			    uint32_t knot, const uint32_t *threads, uint32_t count);
/* A sentence for each task, a blank in front. */
void task_story_print(FILE *out, const struct wait_report *r, const struct wait_knots *k,
		      uint32_t knot);
/* The tasks that wait, those that the waiters are in, and where the former were posted. */
void task_story_add(struct wait_report *r, struct finding *f, const struct wait_knots *k,
		    uint32_t knot);

#endif
