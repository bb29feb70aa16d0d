/* SPDX-License-Identifier: MIT */
/*
 * task_origin.c - whose a task or a future of asyncio is, by the stacks where it was made, set and raised.
 */
#include "task_origin.h"

#include <string.h>

/* From `*at` on, the next frame of an interpreter's; NULL = none is left. */
static const struct trace_code_place *next_place(struct analysis *a, uint32_t stack, uint32_t *at)
{
	const struct trace_stack *st = model_get_stack(a->model, stack);
	const struct trace_process *p = a->process;

	while (st && *at < st->frames) {
		uint64_t ip = st->ip[(*at)++];

		if (TF_IS_PLACE(ip) && ip - TF_PLACE < p->place_count)
			return &p->places[ip - TF_PLACE];
	}
	return NULL;
}

static bool is_one_of(const char *name, const char *const *list, size_t count)
{
	for (size_t i = 0; name && i < count; i++)
		if (!strcmp(name, list[i]))
			return true;
	return false;
}

const struct trace_code_place *task_origin_innermost(struct analysis *a, uint32_t stack,
						     bool skip_library)
{
	const struct trace_code_place *place;
	uint32_t at = 0;

	while ((place = next_place(a, stack, &at)))
		if (!skip_library || place->kind != TF_PLACE_LIBRARY)
			return place;
	return NULL;
}

bool task_origin_is_in(struct analysis *a, uint32_t stack, const char *function)
{
	const struct trace_code_place *place = task_origin_innermost(a, stack, false);

	return place && place->kind == TF_PLACE_LIBRARY && place->function &&
	       !strcmp(place->function, function);
}

bool task_origin_is_library_code(struct analysis *a, uint32_t stack)
{
	const struct trace_code_place *place = task_origin_innermost(a, stack, false);

	return place && place->kind == TF_PLACE_LIBRARY;
}

/* Functions of asyncio that give a future of the program's what another one ended with. */
static const char *const hands_on[] = { "_copy_future_state", "_done_callback",
					"_inner_done_callback" };

bool task_origin_is_library(struct analysis *a, uint32_t raised, const struct model_job *j)
{
	const struct trace_code_place *by = task_origin_innermost(a, j->armed.stack, false);
	const char *name = by && by->function ? strrchr(by->function, '.') : NULL;

	if (j->kind != TRACE_TASK_PY_FUTURE || !by || by->kind != TF_PLACE_LIBRARY ||
	    task_origin_innermost(a, raised, true))
		return false;
	return !is_one_of(name ? name + 1 : by->function, hands_on,
			  sizeof(hands_on) / sizeof(*hands_on));
}

/* What runs a handle, and what runs the loop. */
static const char *const turns[] = { "Handle._run", "Runner.run", "run" };

bool task_origin_is_loop(struct analysis *a, const struct model_job *j)
{
	const struct trace_code_place *place;
	uint32_t at = 0;

	if (j->kind != TRACE_TASK_PY_TASK || j->callback_stack)
		return false;
	while ((place = next_place(a, j->made.stack, &at)) && place->kind == TF_PLACE_LIBRARY)
		if (is_one_of(place->function, turns, sizeof(turns) / sizeof(*turns)))
			return true;
	return false;
}
