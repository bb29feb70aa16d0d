/* SPDX-License-Identifier: MIT */
/*
 * trace_memory.c - an index of the chunks of a memory trace, a cursor for each lane, and the tree of shadow stacks.
 */
#include "trace_memory.h"

#include "trace_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	LANES_MOST = 1 << 20,
	BUFFER_RECORDS = 1024,
	DEPTH_MOST = 4096,
	NODES_MOST = 1 << 26,
};

struct chunk {
	uint32_t lane, number;
	uint64_t offset; /* of its records */
	uint64_t bytes;
};

struct node {
	uint32_t parent, next; /* next: with the same hash */
	uint64_t pc;
};

struct trace_memory {
	int fd;
	struct tm_header header;
	struct chunk *chunk; /* owned; sorted by lane and number */
	size_t chunk_count, chunk_capacity;
	uint64_t left_out;
	size_t *first; /* owned; by lane: index of its first chunk, one more at the end */
	size_t lane_count;
	struct node *node; /* owned; 0 is the empty stack */
	size_t node_count, node_capacity;
	uint32_t *bucket; /* owned */
	size_t bucket_count;
};

struct trace_memory_cursor {
	struct trace_memory *memory;
	size_t chunk, end; /* now, and behind its last */
	uint64_t done;	   /* bytes read of the chunk */
	struct tm_record buffer[BUFFER_RECORDS];
	size_t at, count; /* in the buffer */
	uint64_t length;  /* of LENGTH, for the next record */
	uint32_t depth;
	uint32_t at_depth[DEPTH_MOST + 1]; /* node of the first n frames */
};

/* ---- the index ---- */

static int compare_chunks(const void *a, const void *b)
{
	const struct chunk *x = a, *y = b;

	if (x->lane != y->lane)
		return x->lane < y->lane ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

static int index_chunks(struct trace_memory *m, uint64_t file_bytes)
{
	uint64_t offset = TM_HEADER_BYTES;
	struct tm_chunk head;

	while (offset + sizeof(head) <= file_bytes) {
		uint64_t bytes = TM_UNIT_BYTES;

		if (trace_pread(m->fd, &head, sizeof(head), offset) != sizeof(head))
			break;
		/* Units that were given out and never used, or lost: the next one may be good. */
		if (head.magic == TM_CHUNK_MAGIC && head.lane && head.lane <= LANES_MOST &&
		    head.units && head.units <= TM_UNITS_MOST) {
			bytes = (uint64_t)head.units * TM_UNIT_BYTES;
			m->left_out += head.left_out;
			if (!trace_array_reserve(&m->chunk, &m->chunk_capacity, m->chunk_count,
						 sizeof(*m->chunk)))
				return THRUM_ENOMEM;
			m->chunk[m->chunk_count++] = (struct chunk){
				.lane = head.lane - 1,
				.number = head.number,
				.offset = offset + sizeof(head),
				.bytes = bytes - sizeof(head),
			};
		}
		offset += bytes;
	}
	if (m->chunk_count)
		qsort(m->chunk, m->chunk_count, sizeof(*m->chunk), compare_chunks);
	return 0;
}

/* Lanes are numbered as they come: those that are not there cost nothing. */
static int index_lanes(struct trace_memory *m)
{
	size_t lane = 0;

	m->first = malloc((m->chunk_count + 1) * sizeof(*m->first));
	if (!m->first)
		return THRUM_ENOMEM;
	for (size_t i = 0; i < m->chunk_count; i++)
		if (!i || m->chunk[i].lane != m->chunk[i - 1].lane)
			m->first[lane++] = i;
	m->lane_count = lane;
	m->first[lane] = m->chunk_count;
	return 0;
}

static int check_header(struct trace_memory *m, const char *path, struct diag *diag)
{
	const struct tm_header *h = &m->header;

	if (trace_pread(m->fd, &m->header, sizeof(m->header), 0) != sizeof(m->header) ||
	    memcmp(h->magic, TM_MAGIC, 8) != 0)
		return diag_set(diag, THRUM_EFORMAT, "%s is no memory trace", path);
	if (h->major != TM_MAJOR)
		return diag_set(diag, THRUM_EVERSION, "%s has version %u.%u; this thrum reads %u",
				path, h->major, h->minor, TM_MAJOR);
	if (h->unit_bytes != TM_UNIT_BYTES || h->header_bytes != TM_HEADER_BYTES ||
	    h->buckets != TM_BUCKETS)
		return diag_set(diag, THRUM_EFORMAT, "%s: its header is damaged", path);
	return 0;
}

int trace_memory_open(const char *path, struct trace_memory **ret_memory, struct diag *diag)
{
	struct trace_memory *m = calloc(1, sizeof(*m));
	struct stat st;
	int error;

	if (!m)
		return THRUM_ENOMEM;
	m->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (m->fd < 0 || fstat(m->fd, &st) || !S_ISREG(st.st_mode)) {
		error = diag_set(diag, THRUM_EIO, "cannot read %s: %s", path, strerror(errno));
		goto out;
	}
	error = check_header(m, path, diag);
	if (!error)
		error = index_chunks(m, (uint64_t)st.st_size);
	if (!error)
		error = index_lanes(m);
	if (!error) {
		m->node_capacity = 1024;
		m->node = calloc(m->node_capacity, sizeof(*m->node));
		m->bucket_count = 1024;
		m->bucket = calloc(m->bucket_count, sizeof(*m->bucket));
		m->node_count = 1;
		error = m->node && m->bucket ? 0 : THRUM_ENOMEM;
	}
out:
	if (error)
		trace_memory_free(m);
	else
		*ret_memory = m;
	return error;
}

void trace_memory_free(struct trace_memory *m)
{
	if (!m)
		return;
	if (m->fd >= 0)
		close(m->fd);
	free(m->chunk);
	free(m->first);
	free(m->node);
	free(m->bucket);
	free(m);
}

const struct tm_header *trace_memory_header(const struct trace_memory *m)
{
	return &m->header;
}

size_t trace_memory_lane_count(const struct trace_memory *m)
{
	return m->lane_count;
}

/* Of a lane's newest chunk: up to its last record. */
static uint64_t used_bytes(const struct trace_memory *m, const struct chunk *c)
{
	struct tm_record block[BUFFER_RECORDS];
	uint64_t end = c->bytes;

	while (end) {
		uint64_t bytes = end % sizeof(block) ? end % sizeof(block) : sizeof(block);
		int64_t got = trace_pread(m->fd, block, bytes, c->offset + end - bytes);

		for (int64_t i = got / (int64_t)sizeof(block[0]); i > 0; i--)
			if (block[i - 1].a)
				return end - bytes + (uint64_t)i * sizeof(block[0]);
		end -= bytes;
	}
	return 0;
}

static uint64_t all_used_bytes(const struct trace_memory *m)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < m->chunk_count; i++)
		bytes += i + 1 == m->chunk_count || m->chunk[i + 1].lane != m->chunk[i].lane
				 ? used_bytes(m, &m->chunk[i])
				 : m->chunk[i].bytes;
	return bytes;
}

struct trace_memory_look trace_memory_look(const char *path)
{
	struct trace_memory_look look = { .is_there = false };
	struct trace_memory *m;
	struct diag diag;

	if (trace_memory_open(path, &m, &diag))
		return look;
	look = (struct trace_memory_look){ .is_there = true,
					   .flags = m->header.flags,
					   .mode = m->header.mode,
					   .bytes = all_used_bytes(m),
					   .left_out = m->left_out,
					   .lost = m->header.lost };
	trace_memory_free(m);
	return look;
}

/* ---- the tree of stacks ---- */

static size_t node_hash(const struct trace_memory *m, uint32_t parent, uint64_t pc)
{
	return ((pc ^ (uint64_t)parent << 20) * UINT64_C(0x9e3779b97f4a7c15) >> 20) %
	       m->bucket_count;
}

static void rehash(struct trace_memory *m)
{
	size_t count = m->bucket_count * 4;
	uint32_t *bucket = calloc(count, sizeof(*bucket));

	if (!bucket)
		return; /* slower is all */
	free(m->bucket);
	m->bucket = bucket;
	m->bucket_count = count;
	for (uint32_t i = 1; i < m->node_count; i++) {
		uint32_t *b = &bucket[node_hash(m, m->node[i].parent, m->node[i].pc)];

		m->node[i].next = *b;
		*b = i;
	}
}

/* The parent itself when memory is out: a shorter stack. */
static uint32_t node_lookup_or_add(struct trace_memory *m, uint32_t parent, uint64_t pc)
{
	uint32_t *b = &m->bucket[node_hash(m, parent, pc)];

	for (uint32_t i = *b; i; i = m->node[i].next)
		if (m->node[i].parent == parent && m->node[i].pc == pc)
			return i;
	if (m->node_count >= NODES_MOST ||
	    !trace_array_reserve(&m->node, &m->node_capacity, m->node_count, sizeof(*m->node)))
		return parent;
	m->node[m->node_count] = (struct node){ .parent = parent, .next = *b, .pc = pc };
	*b = (uint32_t)m->node_count++;
	if (m->node_count > m->bucket_count)
		rehash(m);
	return (uint32_t)m->node_count - 1;
}

uint32_t trace_memory_stack(const struct trace_memory *m, uint32_t node, uint64_t *ret_ip,
			    uint32_t room)
{
	uint32_t n = 0;

	while (node && node < m->node_count && n < room) {
		ret_ip[n++] = m->node[node].pc;
		node = m->node[node].parent; /* smaller: this ends */
	}
	return n;
}

/* ---- cursors ---- */

int trace_memory_cursor_new(struct trace_memory *m, size_t lane,
			    struct trace_memory_cursor **ret_cursor)
{
	struct trace_memory_cursor *c = calloc(1, sizeof(*c));

	if (!c)
		return THRUM_ENOMEM;
	c->memory = m;
	if (lane < m->lane_count) {
		c->chunk = m->first[lane];
		c->end = m->first[lane + 1];
	}
	*ret_cursor = c;
	return 0;
}

void trace_memory_cursor_free(struct trace_memory_cursor *c)
{
	free(c);
}

/* The next records into the buffer; false at the end of the lane. */
static bool refill(struct trace_memory_cursor *c)
{
	struct trace_memory *m = c->memory;

	while (c->chunk < c->end) {
		const struct chunk *now = &m->chunk[c->chunk];
		uint64_t left = now->bytes - c->done;
		size_t bytes = left < sizeof(c->buffer) ? left : sizeof(c->buffer);

		bytes = trace_pread(m->fd, c->buffer, bytes, now->offset + c->done);
		c->done += bytes;
		c->at = 0;
		c->count = bytes / sizeof(struct tm_record);
		if (c->count)
			return true;
		c->chunk++;
		c->done = 0;
		/* A chunk is missing: what follows hangs in the air. The same number twice: damage. */
		if (c->chunk < c->end && m->chunk[c->chunk].number != now->number + 1)
			c->chunk = c->end;
	}
	return false;
}

static bool next_record(struct trace_memory_cursor *c, struct tm_record *ret_record)
{
	for (;;) {
		while (c->at < c->count) {
			const struct tm_record *r = &c->buffer[c->at++];

			if (r->a) {
				*ret_record = *r;
				return true;
			}
		}
		c->count = 0;
		if (!refill(c))
			return false;
	}
}

static void set_depth(struct trace_memory_cursor *c, uint64_t depth)
{
	if (depth < c->depth)
		c->depth = (uint32_t)depth;
}

static void add_frame(struct trace_memory_cursor *c, uint64_t index, uint64_t pc)
{
	set_depth(c, index);
	if (index != c->depth || index >= DEPTH_MOST)
		return; /* of frames that are not there */
	c->at_depth[c->depth + 1] = node_lookup_or_add(c->memory, c->at_depth[c->depth], pc);
	c->depth++;
}

static void decode(struct trace_memory_cursor *c, const struct tm_record *r,
		   struct trace_memory_item *to)
{
	unsigned kind = TM_KIND(r->a), extra = TM_EXTRA(r->a);

	*to = (struct trace_memory_item){
		.kind = kind & TM_ACCESS ? TM_ACCESS : (uint8_t)kind,
		.flags = kind & TM_ACCESS ? kind & 0x7f : (uint8_t)extra & 15,
		.generation = (uint16_t)TM_GENERATION(r->b),
		.stack = c->at_depth[c->depth],
		.address = TM_ADDRESS(r->a),
		.bytes = kind & TM_ACCESS && extra ? extra : c->length,
		.pc = TM_PC(r->b),
	};
	if (to->kind == TM_ACCESS && to->bytes > TM_RANGE_MOST)
		to->bytes = TM_RANGE_MOST;
	c->length = 0;
}

static bool decode_sync(struct trace_memory_cursor *c, const struct tm_record *r,
			struct trace_memory_item *to)
{
	unsigned access = TM_EXTRA(r->a) >> 4;
	struct tm_record numbers;

	decode(c, r, to);
	if (!next_record(c, &numbers) || TM_KIND(numbers.a) != TM_NUMBERS)
		return false;
	to->before = TM_ADDRESS(numbers.a);
	to->after = TM_ADDRESS(numbers.b);
	to->values = TM_EXTRA(numbers.a) & (TM_SAW | TM_LEFT);
	to->saw = (uint8_t)TM_GENERATION(numbers.b);
	to->left = (uint8_t)(TM_GENERATION(numbers.b) >> 8);
	if (access & 7) {
		to->bytes = UINT64_C(1) << ((access & 7) - 1);
		to->access_flags = TM_ATOMIC | TM_READ | (access & 8 ? TM_WRITE : 0);
	}
	return true;
}

int trace_memory_next(struct trace_memory_cursor *c, struct trace_memory_item *ret_item)
{
	struct tm_record r;

	while (next_record(c, &r)) {
		unsigned kind = TM_KIND(r.a);

		switch (kind & TM_ACCESS ? TM_ACCESS : kind) {
		case TM_FRAME:
			add_frame(c, TM_ADDRESS(r.a), r.b);
			break;
		case TM_DEPTH:
			set_depth(c, TM_ADDRESS(r.a));
			break;
		case TM_LENGTH:
			c->length = TM_ADDRESS(r.a);
			break;
		case TM_SYNC:
			if (decode_sync(c, &r, ret_item))
				return 1;
			break;
		case TM_THREAD:
			decode(c, &r, ret_item);
			ret_item->bytes = r.b >> 32;
			c->depth = 0;
			return 1;
		case TM_STACK:
			decode(c, &r, ret_item);
			ret_item->bytes = r.b;
			return 1;
		case TM_ACCESS:
		case TM_POSITION:
		case TM_FENCE:
		case TM_ALLOC:
		case TM_FREED:
		case TM_CUT:
		case TM_BENIGN:
			decode(c, &r, ret_item);
			return 1;
		default:
			break;
		}
	}
	return 0;
}

bool trace_memory_peek(const struct trace_memory_cursor *c, unsigned ahead, uint64_t *ret_address,
		       uint16_t *ret_generation)
{
	const struct tm_record *r = &c->buffer[c->at + ahead];

	if (c->at + ahead >= c->count || !(TM_KIND(r->a) & TM_ACCESS))
		return false;
	*ret_address = TM_ADDRESS(r->a);
	*ret_generation = (uint16_t)TM_GENERATION(r->b);
	return true;
}
