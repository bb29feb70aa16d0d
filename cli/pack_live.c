/* SPDX-License-Identifier: MIT */
/*
 * pack_live.c - a copy of a map that its process may be writing to: as good as the one a reader of the
 * directory makes for itself (trace_dir.c).
 *
 * Definitions are copied last, since an id may be given out again meanwhile: a record older than the definition
 * is then known for one of the id's former owner. What was overwritten while it was copied is left out, and the wait
 * of a thread that went on is no wait.
 */
#include "pack.h"

#include "../trace/trace_format.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TRIES = 4 };

static uint64_t offset_of(uint64_t segment)
{
	return TF_HEADER_BYTES + segment * TF_SEGMENT_BYTES;
}

/* What the file does not have any more is zeros, as a reader expects. */
static void copy(int fd, uint8_t *to, size_t bytes, uint64_t offset)
{
	size_t done = 0;

	while (done < bytes) {
		ssize_t got = pread(fd, to + done, bytes - done, (off_t)(offset + done));

		if (got <= 0)
			break;
		done += (size_t)got;
	}
	memset(to + done, 0, bytes - done);
}

static void copy_stream(int fd, uint8_t *to, uint64_t offset)
{
	struct tf_segment *g = (void *)to;
	struct tf_segment now;

	for (int i = 0; i < TRIES; i++) {
		copy(fd, to, TF_SEGMENT_BYTES, offset);
		copy(fd, (uint8_t *)&now, sizeof(now), offset);
		if (now.kind != TF_SEGMENT_STREAM ||
		    (now.chunk == g->chunk && now.committed >= g->committed))
			return;
	}
	g->committed = 0;
}

static void drop_torn_slots(int fd, uint8_t *to, uint64_t offset)
{
	for (uint32_t i = 0; i < TF_SLOTS; i++) {
		uint64_t at = TF_SEGMENT_HEADER_BYTES + (uint64_t)i * TF_SLOT_BYTES;
		struct tf_slot *slot = (void *)(to + at), now;

		copy(fd, (uint8_t *)&now, sizeof(now), offset + at);
		if (now.number != slot->number || now.committed < slot->committed)
			slot->committed = 0;
	}
}

/* After the last copy: whoever made a step since was not blocked for ever. */
static void settle_wait(int fd, uint8_t *to, uint64_t offset)
{
	struct tf_segment *g = (void *)to;
	struct tf_segment now;

	copy(fd, (uint8_t *)&now, sizeof(now), offset);
	if (now.chunk != g->chunk || now.committed != g->committed || now.events != g->events ||
	    memcmp(&now.wait, &g->wait, sizeof(now.wait)) != 0)
		g->wait.kind = TRACE_WAIT_NONE;
}

void *pack_copy_map(int fd, uint64_t bytes)
{
	uint64_t segments = bytes > TF_HEADER_BYTES ? (bytes - TF_HEADER_BYTES) / TF_SEGMENT_BYTES
						    : 0;
	uint8_t *map = malloc(bytes ? bytes : 1);

	if (!map)
		return NULL;
	copy(fd, map, bytes, 0);
	for (uint64_t i = 0; i < segments; i++) {
		struct tf_segment *g = (void *)(map + offset_of(i));

		if (g->kind == TF_SEGMENT_STREAM)
			copy_stream(fd, map + offset_of(i), offset_of(i));
		else if (g->kind == TF_SEGMENT_RING)
			drop_torn_slots(fd, map + offset_of(i), offset_of(i));
	}
	for (uint64_t i = 0; i < segments; i++) {
		struct tf_segment *g = (void *)(map + offset_of(i));

		if (g->kind == TF_SEGMENT_STREAM || g->kind == TF_SEGMENT_RING)
			settle_wait(fd, map + offset_of(i), offset_of(i));
		else
			copy(fd, map + offset_of(i), TF_SEGMENT_BYTES, offset_of(i));
	}
	copy(fd, map, bytes < TF_HEADER_BYTES ? bytes : TF_HEADER_BYTES, 0);
	return map;
}
