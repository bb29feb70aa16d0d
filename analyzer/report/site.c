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

static bool has_line(const struct frame *frame)
{
	return frame->file && *frame->file && frame->line > 0;
}

const struct frame *site_of_frames(const struct frames *frames)
{
	const struct frame *fallback = NULL;

	for (size_t i = 0; i < frames->count; i++) {
		const struct frame *frame = &frames->frame[i];

		if (!has_line(frame))
			continue;
		if (frame_classify(frame) == FRAME_PROGRAM)
			return frame;
		if (!fallback)
			fallback = frame;
	}
	return fallback;
}

const struct frame *site_find(const struct finding *f)
{
	const struct frame *site = NULL;

	for (size_t r = 0; r < ROLE_COUNT && !site; r++)
		for (size_t i = 0; i < f->stack_count && !site; i++)
			if (f->stacks[i].role == telling[r])
				site = site_of_frames(&f->stacks[i].frames);
	for (size_t i = 0; i < f->thread_count && !site; i++)
		site = site_of_frames(&f->threads[i].created_at);
	for (size_t i = 0; i < f->lock_count && !site; i++)
		site = site_of_frames(&f->locks[i].first_seen);
	return site;
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
