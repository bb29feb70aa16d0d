/* SPDX-License-Identifier: MIT */
/*
 * frame_view.c - one pass over a stack that emits lines: plumbing inside, program and library
 * frames, folds.
 */
#include "frame_view.h"

#include "../frame_class.h"

#include <stdlib.h>
#include <string.h>

/*
 * A run of library frames keeps its two ends: where the program calls in, and where the library
 * calls out.
 */
#define MIN_FOLD 4

static bool is_program(const struct frame *frame)
{
	return frame_classify(frame) == FRAME_PROGRAM;
}

static void add_frame(struct frame_view *view, const struct frames *frames, size_t number,
		      size_t hidden)
{
	const struct frame *frame = &frames->frame[number];

	view->line[view->count++] = (struct frame_line){
		.frame = frame, .number = number, .hidden = hidden, .program = is_program(frame)
	};
}

static void add_fold(struct frame_view *view, const struct frames *frames, size_t first,
		     size_t count)
{
	const char *module = frame_module_name(&frames->frame[first]);

	for (size_t i = first + 1; i < first + count && module; i++) {
		const char *other = frame_module_name(&frames->frame[i]);

		if (!other || strcmp(module, other) != 0)
			module = NULL;
	}
	view->line[view->count++] =
		(struct frame_line){ .number = first, .hidden = count, .module = module };
}

/*
 * Wrappers inside the innermost frame that says something: std::mutex::lock in
 * std::lock_guard::lock_guard.
 */
static size_t count_inner_plumbing(const struct frames *frames, size_t count)
{
	size_t run = 0;

	while (run < count && frame_classify(&frames->frame[run]) == FRAME_PLUMBING)
		run++;
	return run > 1 && run < count ? run - 1 : 0;
}

void frame_view_init(struct frame_view *view, const struct frames *frames, bool all)
{
	size_t count = all ? frames->count : frames_without_runtime(frames);
	size_t skipped = all ? 0 : count_inner_plumbing(frames, count);
	bool fold = !all && count - skipped > FRAME_VIEW_LINES;

	*view = (struct frame_view){ .cut = frames->count - count };
	view->line = calloc(count ? count : 1, sizeof(*view->line));
	if (!view->line)
		return;
	for (size_t i = skipped, run; i < count; i += run ? run : 1) {
		for (run = 0; i + run < count && !is_program(&frames->frame[i + run]); run++)
			;
		if (!fold || run < MIN_FOLD) {
			for (size_t k = 0; k < (run ? run : 1); k++)
				add_frame(view, frames, i + k, i + k == skipped ? skipped : 0);
			continue;
		}
		add_frame(view, frames, i, i == skipped ? skipped : 0);
		add_fold(view, frames, i + 1, run - 2);
		add_frame(view, frames, i + run - 1, 0);
	}
}

void frame_view_release(struct frame_view *view)
{
	free(view->line);
	*view = (struct frame_view){ 0 };
}
