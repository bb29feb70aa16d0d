/* SPDX-License-Identifier: MIT */
/*
 * benign.c - stretches of a thread that the program declares to be meant so (include/thrum.h). A finding that needs
 * something done there becomes a note. Makes no findings; its row is the last, so that all others are made.
 *
 * The first MAX_STRETCHES are kept: findings show the first time that something happened.
 */
#include "../checker.h"

#include <stdlib.h>

enum { MAX_STRETCHES = 65536 };

struct stretch {
	uint32_t thread;
	uint32_t depth;		   /* of those that are open */
	uint64_t begin_ns, end_ns; /* end UINT64_MAX = open */
};

struct benign {
	struct stretch *stretch; /* owned */
	size_t count, capacity;
};

static void *benign_begin(struct analysis *a)
{
	struct benign *s = calloc(1, sizeof(*s));

	(void)a;
	if (!s)
		abort();
	return s;
}

static void benign_release(void *state)
{
	struct benign *s = state;

	free(s->stretch);
	free(s);
}

static struct stretch *find_open(struct benign *s, uint32_t thread)
{
	for (size_t i = s->count; i-- > 0;)
		if (s->stretch[i].thread == thread)
			return s->stretch[i].depth ? &s->stretch[i] : NULL;
	return NULL;
}

static void open_stretch(struct benign *s, const struct trace_event *event)
{
	if (s->count == MAX_STRETCHES)
		return;
	if (s->count == s->capacity) {
		s->capacity = s->capacity ? 2 * s->capacity : 16;
		s->stretch = realloc(s->stretch, s->capacity * sizeof(*s->stretch));
		if (!s->stretch)
			abort();
	}
	s->stretch[s->count++] = (struct stretch){ .thread = event->thread,
						   .depth = 1,
						   .begin_ns = event->time_ns,
						   .end_ns = UINT64_MAX };
}

static void benign_on_event(void *state, struct analysis *a, const struct trace_event *event,
			    const struct model_step *step)
{
	struct benign *s = state;
	struct stretch *open = find_open(s, event->thread);

	(void)a;
	(void)step;
	if (event->arg && open)
		open->depth++;
	else if (event->arg)
		open_stretch(s, event);
	else if (open && --open->depth == 0)
		open->end_ns = event->time_ns;
}

static bool is_benign(const struct benign *s, const struct finding *f)
{
	for (size_t i = 0; i < f->stack_count; i++)
		for (size_t k = 0; k < s->count; k++)
			if (f->stacks[i].thread == s->stretch[k].thread &&
			    f->stacks[i].role != ROLE_CREATES &&
			    f->stacks[i].time_ns >= s->stretch[k].begin_ns &&
			    f->stacks[i].time_ns <= s->stretch[k].end_ns)
				return true;
	return false;
}

static void benign_finish(void *state, struct analysis *a)
{
	struct benign *s = state;

	for (size_t i = 0; s->count && i < finding_list_count(a->findings); i++) {
		struct finding *f = finding_list_get(a->findings, i);

		if (f->process != a->process_index || f->level == LEVEL_NOTE || !is_benign(s, f))
			continue;
		f->level = LEVEL_NOTE;
		f->message = analysis_printf(
			a, "%s The program declares what it does there to be benign.", f->message);
	}
}

const struct checker checker_benign = {
	.name = "benign",
	.consumes = CHECKER_OP(TRACE_BENIGN),
	.begin = benign_begin,
	.on_event = benign_on_event,
	.finish = benign_finish,
	.release = benign_release,
};
