/* SPDX-License-Identifier: MIT */
/*
 * trace_writer_private.h - state shared by trace_writer.c (files) and trace_writer_event.c
 * (records); nobody else.
 */
#ifndef THRUM_TRACE_WRITER_PRIVATE_H
#define THRUM_TRACE_WRITER_PRIVATE_H

#include "trace_writer.h"

struct writer_stream {
	struct tf_segment *segment; /* owned, TF_SEGMENT_BYTES; NULL = never used */
	struct tf_segment *last;    /* owned copy of the chunk sealed last; NULL = none */
	uint64_t last_ticks;
	uint64_t last_object;
	int64_t skew;
	bool started;
};

/* What seq AUTO needs to know of an object. */
struct writer_object {
	uint64_t acquires;
	uint32_t stream; /* of the last exclusive acquire; UINT32_MAX = none */
	uint32_t attributes;
	uint32_t kind;
	uint32_t owner; /* thread, while depth */
	uint32_t depth;
};

struct trace_writer {
	struct tf_process header;
	int map_fd, events_fd;
	uint8_t **meta; /* owned segments */
	size_t meta_count, meta_capacity;
	struct writer_stream *streams;
	size_t stream_count, stream_capacity;
	struct writer_object *objects;
	size_t object_capacity;
	uint64_t now; /* newest ticks, since the start, without skew */
	uint32_t modules;
};

__attribute__((noreturn, format(printf, 1, 2))) void trace_writer_die(const char *format, ...);

/* `array` with room for `need` elements; new ones are zero. */
void *trace_writer_grow(void *array, size_t *capacity, size_t need, size_t element);

struct writer_stream *trace_writer_get_stream(struct trace_writer *w, uint32_t stream);
uint8_t *trace_writer_payload(struct writer_stream *s);
struct writer_object *trace_writer_object_state(struct trace_writer *w, uint32_t id);

#endif
