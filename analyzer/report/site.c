/* SPDX-License-Identifier: MIT */
/*
 * site.c - see site.h.
 */
#include "site.h"

#include "../frame_class.h"

#include <string.h>

/* Roles by how much their place says about the finding, best first. */
static const enum stack_role telling[] = {
	ROLE_WAITS,    ROLE_ACQUIRES, ROLE_BLOCKS, ROLE_RELEASES, ROLE_DESTROYS,
	ROLE_ACCESSES, ROLE_SIGNALS,  ROLE_AWAITS, ROLE_CREATES,  ROLE_HOLDS,
};

_Static_assert(sizeof(telling) / sizeof(telling[0]) == ROLE_COUNT, "every role has its place");

/* Rules of which another place says more. */
static const struct {
	enum rule rule;
	enum stack_role role;
} foremost[] = {
	{ RULE_LEAKED_TASK, ROLE_CREATES },
	{ RULE_UNBOUNDED_TASKS, ROLE_CREATES },
	{ RULE_SWALLOWED_CANCELLATION, ROLE_AWAITS },
	{ RULE_LOCK_HELD_ACROSS_AWAIT, ROLE_HOLDS },
};

static bool has_line(const struct frame *frame)
{
	return frame->file && *frame->file && frame->line > 0;
}

static const struct frame *find_frame(const struct frames *frames, bool of_program)
{
	for (size_t i = 0; i < frames->count; i++) {
		const struct frame *frame = &frames->frame[i];

		if (has_line(frame) && (!of_program || frame_classify(frame) == FRAME_PROGRAM))
			return frame;
	}
	return NULL;
}

const struct frame *site_of_frames(const struct frames *frames)
{
	const struct frame *site = find_frame(frames, true);

	return site ? site : find_frame(frames, false);
}

static const struct frame *find_in_role(const struct finding *f, enum stack_role role,
					bool of_program)
{
	const struct frame *site = NULL;

	for (size_t i = 0; i < f->stack_count && !site; i++)
		if (f->stacks[i].role == role)
			site = find_frame(&f->stacks[i].frames, of_program);
	return site;
}

static const struct frame *find_site(const struct finding *f, bool of_program)
{
	const struct frame *site = NULL;

	for (size_t r = 0; r < sizeof(foremost) / sizeof(foremost[0]) && !site; r++)
		if (f->rule == foremost[r].rule)
			site = find_in_role(f, foremost[r].role, of_program);
	for (size_t r = 0; r < ROLE_COUNT && !site; r++)
		site = find_in_role(f, telling[r], of_program);
	for (size_t i = 0; i < f->thread_count && !site; i++)
		site = find_frame(&f->threads[i].created_at, of_program);
	for (size_t i = 0; i < f->lock_count && !site; i++)
		site = find_frame(&f->locks[i].first_seen, of_program);
	return site;
}

/* A stack may have nothing of the program's in it: a loop that waits, a thread that the interpreter ends. */
const struct frame *site_find(const struct finding *f)
{
	const struct frame *site = find_site(f, true);

	return site ? site : find_site(f, false);
}

const char *site_path(const char *root, const char *file, bool *ret_relative)
{
	size_t bytes = root ? strlen(root) : 0;

	while (bytes && root[bytes - 1] == '/')
		bytes--;
	if (bytes && !strncmp(file, root, bytes) && file[bytes] == '/')
		file += bytes + 1;
	while (*file == '/' && file[1] == '/')
		file++;
	while (file[0] == '.' && file[1] == '/')
		file += 2 + strspn(file + 2, "/");
	if (ret_relative)
		*ret_relative = *file != '/';
	return file;
}
