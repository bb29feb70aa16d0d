/* SPDX-License-Identifier: MIT */
/*
 * memory_file.c - see memory_file.h.
 */
#include "memory_file.h"

#include <stdlib.h>
#include <string.h>

void memory_file_init(struct memory_file *f)
{
	struct tm_header *h;

	*f = (struct memory_file){ .count = TM_HEADER_BYTES };
	f->bytes = calloc(1, f->count);
	h = (void *)f->bytes;
	memcpy(h->magic, TM_MAGIC, 8);
	h->major = TM_MAJOR;
	h->header_bytes = TM_HEADER_BYTES;
	h->unit_bytes = TM_UNIT_BYTES;
	h->buckets = TM_BUCKETS;
}

void memory_file_release(struct memory_file *f)
{
	free(f->bytes);
}

void memory_file_chunk(struct memory_file *f, unsigned lane, unsigned number)
{
	struct tm_chunk *c;

	f->bytes = realloc(f->bytes, f->count + TM_UNIT_BYTES);
	if (!f->bytes)
		abort();
	c = (void *)(f->bytes + f->count);
	memset(c, 0, TM_UNIT_BYTES);
	f->count += TM_UNIT_BYTES;
	*c = (struct tm_chunk){
		.magic = TM_CHUNK_MAGIC, .units = 1, .lane = lane, .number = number
	};
	f->next = (void *)(c + 1);
}

void memory_file_put(struct memory_file *f, uint64_t a, uint64_t b)
{
	*f->next++ = (struct tm_record){ a, b };
}

void memory_file_thread(struct memory_file *f, unsigned lane, unsigned thread, unsigned stream,
			unsigned position)
{
	memory_file_chunk(f, lane, 0);
	memory_file_put(f, TM_A(TM_THREAD, 0, thread), (uint64_t)stream << 32);
	memory_file_position(f, position);
}

void memory_file_position(struct memory_file *f, unsigned position)
{
	memory_file_put(f, TM_A(TM_POSITION, 0, position), 0);
}

void memory_file_access(struct memory_file *f, unsigned kind, uint64_t address, unsigned bytes,
			uint64_t pc)
{
	memory_file_put(f, TM_A(TM_ACCESS | kind, bytes, address), TM_B(0, pc));
}

void memory_file_sync(struct memory_file *f, unsigned extra, uint64_t address, unsigned before,
		      unsigned after)
{
	memory_file_put(f, TM_A(TM_SYNC, extra, address), TM_B(0, 1));
	memory_file_put(f, TM_A(TM_NUMBERS, 0, before), after);
}
