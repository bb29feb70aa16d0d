/* SPDX-License-Identifier: MIT */
/*
 * suppression_line.c - the line that hides a finding, by the names an engineer would use.
 */
#include "fingerprint.h"
#include "frame_class.h"

#include <stdio.h>
#include <string.h>

#define NAME_BYTES 512
#define PATTERNS_MAX 3

/*
 * The function a reader would name: of the program where there is one. `skip` so many of those first. NULL = nothing is
 * known.
 */
static const struct frame *find_telling_frame(const struct frames *frames, unsigned skip)
{
	size_t count = frames_of_cause(frames);
	const struct frame *fallback = NULL;
	unsigned seen = 0;

	for (size_t i = 0; i < count; i++) {
		const struct frame *frame = &frames->frame[i];
		enum frame_class class = frame_classify(frame);

		if (class == FRAME_PROGRAM && frame->function && seen++ == skip)
			return frame;
		if (!fallback && class != FRAME_PLUMBING && (frame->function || frame->module))
			fallback = frame;
	}
	return skip ? NULL : fallback;
}

static void telling_name(const struct frames *frames, unsigned skip, char *ret_name, size_t bytes)
{
	const struct frame *frame = find_telling_frame(frames, skip);

	*ret_name = '\0';
	if (frame && frame->function)
		function_key_name(frame->function, ret_name, bytes);
	else if (frame && frame->module)
		strncat(ret_name, frame_module_name(frame), bytes - 1);
}

/* What would end the line or the pattern. */
static void clean_pattern(char *pattern)
{
	for (; *pattern; pattern++)
		if ((unsigned char)*pattern < ' ' || *pattern == '#' || *pattern == ';')
			*pattern = '?';
}

/* The first names of a set in the order of the alphabet, so that neither runs nor rotations matter. */
struct names {
	char name[PATTERNS_MAX][NAME_BYTES];
	size_t count;
};

static void names_add(struct names *names, const char *name)
{
	size_t at = 0, last;

	while (at < names->count && strcmp(names->name[at], name) < 0)
		at++;
	if (!*name || at == PATTERNS_MAX || (at < names->count && !strcmp(names->name[at], name)))
		return;
	last = names->count < PATTERNS_MAX ? names->count++ : PATTERNS_MAX - 1;
	memmove(names->name[at + 1], names->name[at], (last - at) * sizeof(names->name[0]));
	snprintf(names->name[at], sizeof(names->name[at]), "%s", name);
}

/* Among stacks of the first one's role; one that only joins the others, or differs from run to run, is not what it is about. */
static void names_add_stacks(struct names *names, const struct finding *f, unsigned skip)
{
	char name[NAME_BYTES];

	for (size_t i = 0; i < f->stack_count; i++) {
		const struct finding_stack *stack = &f->stacks[i];
		const struct finding_thread *thread = finding_find_thread(f, stack->thread);
		struct frames frames = finding_stack_key(stack);

		if (stack->role != f->stacks[0].role || stack->beside ||
		    (stack->for_thread && !f->stacks[0].for_thread))
			continue;
		telling_name(&frames, skip, name, sizeof(name));
		if (stack->role == ROLE_CREATES && thread && thread->start_function)
			function_key_name(thread->start_function, name, sizeof(name));
		names_add(names, name);
	}
}

static void names_add_threads(struct names *names, const struct finding *f)
{
	char name[NAME_BYTES];

	for (size_t i = 0; i < f->thread_count && !names->count; i++) {
		telling_name(&f->threads[i].created_at, 0, name, sizeof(name));
		if (f->threads[i].start_function)
			function_key_name(f->threads[i].start_function, name, sizeof(name));
		names_add(names, name);
	}
}

static void names_add_locks(struct names *names, const struct finding *f)
{
	char name[NAME_BYTES];

	for (size_t i = 0; i < f->lock_count && !names->count; i++) {
		if (!f->locks[i].name)
			continue;
		symbol_class(f->locks[i].name, name, sizeof(name));
		names_add(names, name);
	}
}

const char *finding_make_suppression(struct finding_list *list, const struct finding *f)
{
	struct names names = { .count = 0 };
	const char *patterns = NULL;

	names_add_stacks(&names, f, 0);
	/* One helper that all go through says little: also who called it. */
	if (names.count == 1 && f->stack_count > 1)
		names_add_stacks(&names, f, 1);
	if (!names.count)
		names_add_threads(&names, f);
	if (!names.count)
		names_add_locks(&names, f);
	for (size_t i = 0; i < names.count; i++) {
		clean_pattern(names.name[i]);
		patterns = finding_list_printf(list, "%s%s%s", patterns ? patterns : "",
					       patterns ? ";" : "", names.name[i]);
	}
	return finding_list_printf(list, "%s:%s  # reason, expires=YYYY-MM-DD", rule_id(f->rule),
				   patterns ? patterns : "*");
}
