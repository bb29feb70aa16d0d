/* SPDX-License-Identifier: MIT */
/*
 * trace_writer.c - lays out streams, definitions and the two files; trace_writer_event.c encodes
 * records.
 */
#include "trace_writer.h"

#include "trace_ops.h"
#include "trace_writer_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define START_TICKS (1000ull * 1000 * 1000)
#define START_MONO_NS (3600ull * 1000 * 1000 * 1000)
#define START_REAL_NS (1700000000ull * 1000 * 1000 * 1000)

void trace_writer_die(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	fputs("trace_writer: ", stderr);
	vfprintf(stderr, format, ap);
	fputc('\n', stderr);
	va_end(ap);
	abort();
}

void *trace_writer_grow(void *array, size_t *capacity, size_t need, size_t element)
{
	size_t next = *capacity ? *capacity : 16;
	char *grown;

	if (need <= *capacity) {
		return array;
	}
	while (next < need) {
		next *= 2;
	}
	grown = reallocarray(array, next, element);
	if (!grown) {
		trace_writer_die("out of memory");
	}
	memset(grown + *capacity * element, 0, (next - *capacity) * element);
	*capacity = next;
	return grown;
}

static void write_all(int fd, const void *bytes, size_t count)
{
	const char *p = bytes;

	while (count) {
		ssize_t n = write(fd, p, count);

		if (n < 0 && errno != EINTR) {
			trace_writer_die("write: %s", strerror(errno));
		}
		if (n > 0) {
			p += n;
			count -= (size_t)n;
		}
	}
}

static int open_file(const char *dir, const char *name, const char *suffix)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/%s.%s", dir, name, suffix);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0) {
		trace_writer_die("open %s: %s", path, strerror(errno));
	}
	return fd;
}

struct trace_writer *trace_writer_new(const char *dir, uint32_t pid)
{
	return trace_writer_new_image(dir, pid, 0, 1, 0);
}

struct trace_writer *trace_writer_new_image(const char *dir, uint32_t pid, uint32_t image,
					    uint32_t ppid, uint32_t parent_image)
{
	struct trace_writer *w = calloc(1, sizeof(*w));
	char name[32];

	if (!w) {
		trace_writer_die("out of memory");
	}
	if (mkdir(dir, 0700) && errno != EEXIST) {
		trace_writer_die("mkdir %s: %s", dir, strerror(errno));
	}
	snprintf(name, sizeof(name), "%u.%u", pid, image);
	w->map_fd = open_file(dir, name, "map");
	w->events_fd = open_file(dir, name, "events");
	memcpy(w->header.magic, TF_MAGIC, sizeof(w->header.magic));
	w->header.major = TF_MAJOR;
	w->header.minor = TF_MINOR;
	w->header.header_bytes = TF_HEADER_BYTES;
	w->header.segment_bytes = TF_SEGMENT_BYTES;
	w->header.pid = pid;
	w->header.ppid = ppid;
	w->header.parent_image = parent_image;
	w->header.start_ticks = START_TICKS;
	w->header.start_mono_ns = START_MONO_NS;
	w->header.start_real_ns = START_REAL_NS;
	w->header.libc_version = 2 << 16 | 36;
	trace_op_fields(w->header.op_fields);
	return w;
}

struct tf_process *trace_writer_get_header(struct trace_writer *w)
{
	return &w->header;
}

void trace_writer_command(struct trace_writer *w, const char *command)
{
	memset(w->header.command, 0, sizeof(w->header.command));
	for (size_t i = 0; i + 1 < sizeof(w->header.command) && command[i]; i++) {
		w->header.command[i] = command[i] == ' ' ? '\0' : command[i];
	}
}

/* ---- definitions ---- */

/* `head` is the struct as on disk; its def is filled here. */
static void define(struct trace_writer *w, enum tf_def_type type, void *head, size_t head_bytes,
		   const void *tail, size_t tail_bytes, const void *tail2, size_t tail2_bytes)
{
	size_t used = head_bytes + tail_bytes + tail2_bytes;
	size_t bytes = (used + 7) & ~(size_t)7;
	struct tf_segment *meta = w->meta_count ? (struct tf_segment *)w->meta[w->meta_count - 1]
						: NULL;
	struct tf_def *def = head;
	uint8_t *at;

	if (bytes > TF_PAYLOAD_BYTES) {
		trace_writer_die("definition of %zu bytes does not fit a segment", bytes);
	}
	if (!meta || meta->committed + bytes > TF_PAYLOAD_BYTES) {
		w->meta = trace_writer_grow(w->meta, &w->meta_capacity, w->meta_count + 1,
					    sizeof(*w->meta));
		meta = calloc(1, TF_SEGMENT_BYTES);
		if (!meta) {
			trace_writer_die("out of memory");
		}
		meta->kind = TF_SEGMENT_META;
		meta->chunk = w->meta_count;
		w->meta[w->meta_count++] = (uint8_t *)meta;
	}
	def->type = type;
	def->bytes = (uint32_t)bytes;
	at = (uint8_t *)meta + TF_SEGMENT_HEADER_BYTES + meta->committed;
	memcpy(at, head, head_bytes);
	if (tail_bytes) {
		memcpy(at + head_bytes, tail, tail_bytes);
	}
	if (tail2_bytes) {
		memcpy(at + head_bytes + tail_bytes, tail2, tail2_bytes);
	}
	meta->committed += (uint32_t)bytes;
}

void trace_writer_raw_def(struct trace_writer *w, enum tf_def_type type, void *head,
			  size_t head_bytes, const void *text, size_t text_bytes)
{
	define(w, type, head, head_bytes, text, text_bytes, NULL, 0);
}

static void raise(uint32_t *count, uint32_t id)
{
	if (id > *count) {
		*count = id;
	}
}

void trace_writer_stack(struct trace_writer *w, uint32_t id, const uint64_t *ip, uint32_t frames)
{
	struct tf_def_stack def = { .stack = id, .frames = frames };

	raise(&w->header.stacks, id);
	define(w, TF_DEF_STACK, &def, sizeof(def), ip, frames * sizeof(*ip), NULL, 0);
}

void trace_writer_object(struct trace_writer *w, uint32_t id, enum trace_object_kind kind,
			 uint64_t address, uint32_t stack, uint32_t thread)
{
	trace_writer_object_full(w, id, kind, address, stack, thread, 0, TF_WHERE_MODULE);
}

void trace_writer_object_full(struct trace_writer *w, uint32_t id, enum trace_object_kind kind,
			      uint64_t address, uint32_t stack, uint32_t thread,
			      uint32_t attributes, enum tf_object_where where)
{
	struct tf_def_object def = {
		.object = id,
		.kind = kind,
		.address = address,
		.stack = stack,
		.thread = thread,
		.ticks = w->header.start_ticks + w->now,
		.attributes = attributes,
		.where = where,
	};

	raise(&w->header.objects, id);
	*trace_writer_object_state(w, id) = (struct writer_object){ .attributes = attributes,
								    .kind = kind,
								    .stream = UINT32_MAX };
	define(w, TF_DEF_OBJECT, &def, sizeof(def), NULL, 0, NULL, 0);
}

void trace_writer_identity(struct trace_writer *w, uint32_t object, uint32_t space, uint64_t ino,
			   uint64_t offset, uint64_t length)
{
	struct tf_def_identity def = { .object = object,
				       .space = space,
				       .dev = 1,
				       .ino = ino,
				       .offset = offset,
				       .length = length };

	define(w, TF_DEF_IDENTITY, &def, sizeof(def), NULL, 0, NULL, 0);
}

void trace_writer_owner(struct trace_writer *w, uint32_t object, uint32_t tid)
{
	struct tf_def_owner def = { .object = object, .tid = tid };

	define(w, TF_DEF_OWNER, &def, sizeof(def), NULL, 0, NULL, 0);
}

void trace_writer_thread(struct trace_writer *w, uint32_t id, uint32_t parent, uint32_t stack)
{
	uint32_t flags = id == 1 ? TF_THREAD_MAIN : parent ? 0 : TF_THREAD_FOREIGN;

	trace_writer_thread_full(w, id, parent, stack, flags, 0, 0x7f0000000000 + id * 0x1000ull);
}

void trace_writer_thread_full(struct trace_writer *w, uint32_t id, uint32_t parent, uint32_t stack,
			      uint32_t flags, uint64_t start_routine, uint64_t handle)
{
	struct tf_def_thread def = {
		.thread = id,
		.parent = parent,
		.stack = stack,
		.flags = flags,
		.start_routine = start_routine,
		.handle = handle,
		.ticks = w->header.start_ticks + w->now,
	};

	raise(&w->header.threads, id);
	define(w, TF_DEF_THREAD, &def, sizeof(def), NULL, 0, NULL, 0);
}

void trace_writer_name(struct trace_writer *w, uint32_t thread, const char *name)
{
	struct tf_def_name def = { .thread = thread, .bytes = (uint32_t)strlen(name) };

	define(w, TF_DEF_NAME, &def, sizeof(def), name, strlen(name) + 1, NULL, 0);
}

void trace_writer_module(struct trace_writer *w, uint64_t start, uint64_t end, uint64_t bias,
			 const char *path, const void *build_id, uint32_t build_id_bytes,
			 bool is_thrum)
{
	struct tf_def_module def = {
		.start = start,
		.end = end,
		.bias = bias,
		.ticks = w->header.start_ticks + w->now,
		.id = ++w->modules,
		.flags = is_thrum,
		.build_id_bytes = build_id_bytes,
		.path_bytes = (uint32_t)strlen(path),
	};

	define(w, TF_DEF_MODULE, &def, sizeof(def), build_id, build_id_bytes, path,
	       strlen(path) + 1);
}

void trace_writer_unload(struct trace_writer *w, uint64_t start, uint64_t ticks)
{
	struct tf_def_module def = { .start = start, .ticks = w->header.start_ticks + ticks };

	define(w, TF_DEF_UNLOAD, &def, sizeof(def), "", 1, NULL, 0);
}

/* ---- chunks ---- */

struct writer_stream *trace_writer_get_stream(struct trace_writer *w, uint32_t stream)
{
	struct writer_stream *s;

	if (stream >= 1u << 20) {
		trace_writer_die("stream %u: number them from 0", stream);
	}
	w->streams =
		trace_writer_grow(w->streams, &w->stream_capacity, stream + 1, sizeof(*w->streams));
	if (stream >= w->stream_count) {
		w->stream_count = stream + 1;
	}
	s = &w->streams[stream];
	if (!s->segment) {
		s->segment = calloc(1, TF_SEGMENT_BYTES);
		if (!s->segment) {
			trace_writer_die("out of memory");
		}
		s->segment->kind = TF_SEGMENT_STREAM;
		s->segment->stream = stream;
	}
	return s;
}

uint8_t *trace_writer_payload(struct writer_stream *s)
{
	return (uint8_t *)s->segment + TF_SEGMENT_HEADER_BYTES;
}

static void next_chunk(struct trace_writer *w, struct writer_stream *s, bool keep)
{
	struct tf_segment *g = s->segment;

	if (keep) {
		write_all(w->events_fd, g, TF_SEGMENT_HEADER_BYTES + g->committed);
		w->header.written_bytes += TF_SEGMENT_HEADER_BYTES + g->committed;
		free(s->last);
		s->last = malloc(TF_SEGMENT_BYTES);
		if (!s->last) {
			trace_writer_die("out of memory");
		}
		memcpy(s->last, g, TF_SEGMENT_BYTES);
	} else {
		w->header.lost_chunks++;
	}
	g->chunk++;
	g->committed = 0;
	g->thread = g->thread_now;
	g->base_ticks = 0; /* set by the first record */
	s->last_object = 0;
	memset(trace_writer_payload(s), 0, TF_PAYLOAD_BYTES);
}

void trace_writer_seal(struct trace_writer *w, uint32_t stream)
{
	next_chunk(w, trace_writer_get_stream(w, stream), true);
}

void trace_writer_drop_chunk(struct trace_writer *w, uint32_t stream)
{
	next_chunk(w, trace_writer_get_stream(w, stream), false);
}

void trace_writer_raw_events(struct trace_writer *w, const void *bytes, size_t count)
{
	write_all(w->events_fd, bytes, count);
}

void trace_writer_raw_record(struct trace_writer *w, uint32_t stream, const void *bytes,
			     size_t count)
{
	struct writer_stream *s = trace_writer_get_stream(w, stream);

	if (s->segment->committed + count > TF_PAYLOAD_BYTES) {
		trace_writer_seal(w, stream);
	}
	if (count > TF_PAYLOAD_BYTES) {
		trace_writer_die("raw record of %zu bytes", count);
	}
	if (!s->segment->committed) {
		s->segment->base_ticks = w->header.start_ticks + w->now;
		s->last_ticks = s->segment->base_ticks;
	}
	memcpy(trace_writer_payload(s) + s->segment->committed, bytes, count);
	s->segment->committed += (uint32_t)count;
	s->segment->events++;
}

void trace_writer_duplicate(struct trace_writer *w, uint32_t stream, uint32_t committed)
{
	struct writer_stream *s = trace_writer_get_stream(w, stream);
	struct tf_segment head;

	if (!s->last || committed > s->last->committed) {
		trace_writer_die("stream %u has no sealed chunk of %u bytes", stream, committed);
	}
	head = *s->last;
	head.committed = committed;
	write_all(w->events_fd, &head, sizeof(head));
	write_all(w->events_fd, (uint8_t *)s->last + TF_SEGMENT_HEADER_BYTES, committed);
}

/* ---- end ---- */

void trace_writer_sync(struct trace_writer *w)
{
	static const uint8_t zeros[TF_HEADER_BYTES];

	w->header.last_ticks = w->header.start_ticks + w->now + 1000;
	w->header.last_mono_ns = w->header.start_mono_ns + (w->now + 1000) * TRACE_WRITER_TICK_NS;
	w->header.segments = (uint32_t)w->meta_count;
	for (size_t i = 0; i < w->stream_count; i++) {
		w->header.segments += w->streams[i].segment != NULL;
	}
	if (lseek(w->map_fd, 0, SEEK_SET) < 0) {
		trace_writer_die("lseek: %s", strerror(errno));
	}
	write_all(w->map_fd, &w->header, sizeof(w->header));
	write_all(w->map_fd, zeros, TF_HEADER_BYTES - sizeof(w->header));
	for (size_t i = 0; i < w->meta_count; i++) {
		write_all(w->map_fd, w->meta[i], TF_SEGMENT_BYTES);
	}
	for (size_t i = 0; i < w->stream_count; i++) {
		if (w->streams[i].segment) {
			write_all(w->map_fd, w->streams[i].segment, TF_SEGMENT_BYTES);
		}
	}
}

void trace_writer_finish(struct trace_writer *w, uint32_t exit_kind)
{
	w->header.exit_kind = exit_kind;
	trace_writer_sync(w);
	close(w->map_fd);
	close(w->events_fd);
	for (size_t i = 0; i < w->meta_count; i++) {
		free(w->meta[i]);
	}
	for (size_t i = 0; i < w->stream_count; i++) {
		free(w->streams[i].segment);
		free(w->streams[i].last);
	}
	free(w->meta);
	free(w->streams);
	free(w->objects);
	free(w);
}
