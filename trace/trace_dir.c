/* SPDX-License-Identifier: MIT */
/*
 * trace_dir.c - lists a trace directory and copies what it needs of each map file.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* asprintf */
#endif
#include "trace_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RUN_JSON_LIMIT (16u << 20)
#define COPY_TRIES 16

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "structs are read as they lie in the file");

size_t trace_pread(int fd, void *to, size_t count, uint64_t offset)
{
	size_t done = 0;

	if (offset > INT64_MAX - count) {
		return 0;
	}
	while (done < count) {
		ssize_t n = pread(fd, (char *)to + done, count - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			break; /* end of file, or an error that makes the rest as good as missing */
		}
		done += (size_t)n;
	}
	return done;
}

bool trace_array_reserve(void *array_pointer, size_t *capacity, size_t count, size_t element_bytes)
{
	void *grown, *array;
	size_t next = *capacity ? *capacity * 2 : 16;

	if (count < *capacity) {
		return true;
	}
	memcpy(&array, array_pointer, sizeof(array));
	grown = reallocarray(array, next, element_bytes);
	if (!grown) {
		return false;
	}
	memcpy(array_pointer, &grown, sizeof(grown));
	*capacity = next;
	return true;
}

void trace_image_damage(struct trace_image *image, const char *format, ...)
{
	va_list ap;

	if (!image->damaged) {
		va_start(ap, format);
		vsnprintf(image->damage, sizeof(image->damage), format, ap);
		va_end(ap);
	}
	image->damaged = true;
}

static void image_release(struct trace_image *image)
{
	for (size_t i = 0; i < image->meta_count; i++) {
		free(image->meta[i]);
	}
	for (size_t i = 0; i < image->payload_count; i++) {
		free(image->payloads[i]);
	}
	free(image->meta);
	free(image->payloads);
	free(image->live);
	free(image->chunks);
	free(image->tids);
	free(image->events_path);
	free(image->memory_path);
	free(image->report_log);
}

void trace_dir_release(struct trace_dir *dir)
{
	for (size_t i = 0; i < dir->image_count; i++) {
		image_release(&dir->images[i]);
	}
	free(dir->images);
	free(dir->run_json);
	*dir = (struct trace_dir){ 0 };
}

int trace_image_open_events(const struct trace_image *image)
{
	return open(image->events_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
}

const uint8_t *trace_chunk_read(const struct trace_chunk *chunk, int fd, uint8_t *buffer,
				size_t *ret_bytes)
{
	if (chunk->memory) {
		*ret_bytes = chunk->available;
		return chunk->memory;
	}
	*ret_bytes = fd < 0 ? 0 : trace_pread(fd, buffer, chunk->available, chunk->offset);
	return buffer;
}

/* ---- the map ---- */

static uint64_t segment_offset(uint64_t index)
{
	return TF_HEADER_BYTES + index * TF_SEGMENT_BYTES;
}

/*
 * Copies one stream segment: header, payload, header again. Where the chunk was sealed in between,
 * the payload may be the next chunk's: once more. A recorder that seals faster than we copy 64 KiB
 * leaves us with the header of a chunk without records, which the .events file then has.
 */
static int copy_stream(struct trace_image *image, int fd, uint64_t index)
{
	struct tf_segment head, after;
	uint8_t *payload = NULL;
	size_t got = 0;

	for (int i = 0; i < COPY_TRIES; i++) {
		size_t head_got = trace_pread(fd, &head, sizeof(head), segment_offset(index));

		if (head_got < sizeof(head) || head.kind != TF_SEGMENT_STREAM) {
			return 0; /* freed or cut since */
		}
		if (head.committed > TF_PAYLOAD_BYTES ||
		    head.stream >= trace_image_stream_limit(image)) {
			trace_image_damage(image, "segment %llu of the map makes no sense",
					   (unsigned long long)index);
			return 0;
		}
		free(payload);
		payload = malloc(head.committed + 1u);
		if (!payload) {
			return THRUM_ENOMEM;
		}
		got = trace_pread(fd, payload, head.committed,
				  segment_offset(index) + TF_SEGMENT_HEADER_BYTES);
		if (trace_pread(fd, &after, sizeof(after), segment_offset(index)) < sizeof(after) ||
		    (after.stream == head.stream && after.chunk == head.chunk &&
		     after.committed >= head.committed)) {
			goto copied;
		}
	}
	got = head.committed = 0;
copied:
	if (!trace_array_reserve(&image->payloads, &image->payload_capacity, image->payload_count,
				 sizeof(*image->payloads)) ||
	    !trace_array_reserve(&image->live, &image->live_capacity, image->live_count,
				 sizeof(*image->live))) {
		free(payload);
		return THRUM_ENOMEM;
	}
	image->payloads[image->payload_count++] = payload;
	image->live[image->live_count++] = (struct trace_live){
		.stream = head.stream,
		.thread = head.thread_now,
		.tid = head.tid_now,
		.segment = index,
		.chunk = head.chunk,
		.committed = head.committed,
		.events = head.events,
		.wait = head.wait,
	};
	return trace_scan_add(image, &head, 0, payload, (uint32_t)got) ? 0 : THRUM_ENOMEM;
}

/* One copy of a slot that was not taken into use for something else meanwhile. */
static int copy_slot(struct trace_image *image, int fd, const struct tf_segment *head,
		     uint64_t offset, uint8_t *to)
{
	struct tf_slot slot, after;
	struct tf_segment chunk = { .stream = head->stream };
	size_t got;

	if (trace_pread(fd, &slot, sizeof(slot), offset) < sizeof(slot) || !slot.committed ||
	    slot.committed > TF_SLOT_PAYLOAD_BYTES || slot.number > head->chunk + TF_SLOTS) {
		return 0; /* never used, or being taken into use */
	}
	got = trace_pread(fd, to, slot.committed, offset + sizeof(slot));
	if (trace_pread(fd, &after, sizeof(after), offset) == sizeof(after) &&
	    after.number != slot.number) {
		return 0; /* overwritten: newer slots have what counts */
	}
	chunk.chunk = slot.number;
	chunk.thread = slot.thread;
	chunk.base_ticks = slot.base_ticks;
	chunk.committed = slot.committed;
	chunk.events = head->events;
	chunk.lost = head->lost;
	if (!trace_scan_add(image, &chunk, 0, to, (uint32_t)got)) {
		return THRUM_ENOMEM;
	}
	image->chunks[image->chunk_count - 1].ring = true;
	return 0;
}

/* The newest slot last: what is overwritten while we copy is old. */
static int copy_ring(struct trace_image *image, int fd, uint64_t index,
		     const struct tf_segment *head)
{
	uint8_t *payload = malloc(TF_PAYLOAD_BYTES);
	struct tf_segment newest = *head;
	int error = 0;

	if (!payload || !trace_array_reserve(&image->payloads, &image->payload_capacity,
					     image->payload_count, sizeof(*image->payloads))) {
		free(payload);
		return THRUM_ENOMEM;
	}
	image->payloads[image->payload_count++] = payload;
	for (uint32_t i = 1; i <= TF_SLOTS && !error; i++) {
		uint32_t place = (uint32_t)((head->chunk + i) % TF_SLOTS) * TF_SLOT_BYTES;

		error = copy_slot(image, fd, head,
				  segment_offset(index) + TF_SEGMENT_HEADER_BYTES + place,
				  payload + place);
	}
	if (trace_pread(fd, &newest, sizeof(newest), segment_offset(index)) < sizeof(newest) ||
	    newest.kind != TF_SEGMENT_RING) {
		newest = *head;
	}
	if (error || !trace_array_reserve(&image->live, &image->live_capacity, image->live_count,
					  sizeof(*image->live))) {
		return THRUM_ENOMEM;
	}
	image->live[image->live_count++] = (struct trace_live){
		.stream = head->stream,
		.thread = head->thread_now,
		.tid = head->tid_now,
		.segment = index,
		.chunk = head->chunk,
		.committed = head->committed,
		.events = head->events,
		.wait = newest.wait,
	};
	return 0;
}

static int copy_meta(struct trace_image *image, int fd, uint64_t index,
		     const struct tf_segment *head)
{
	uint32_t committed = head->committed;
	struct tf_segment *copy;
	size_t got;

	if (committed > TF_PAYLOAD_BYTES) {
		trace_image_damage(image, "segment %llu of the map makes no sense",
				   (unsigned long long)index);
		return 0;
	}
	copy = malloc(sizeof(*copy) + committed);
	if (!copy || !trace_array_reserve(&image->meta, &image->meta_capacity, image->meta_count,
					  sizeof(*image->meta))) {
		free(copy);
		return THRUM_ENOMEM;
	}
	*copy = *head;
	got = trace_pread(fd, copy + 1, committed, segment_offset(index) + TF_SEGMENT_HEADER_BYTES);
	if (got < committed) {
		image->map_cut = true;
		copy->committed = (uint32_t)got;
	}
	image->meta[image->meta_count++] = copy;
	image->meta_bytes += copy->committed;
	return 0;
}

/*
 * Has any stream gone on since it was copied? One that has was not blocked for ever in the wait that
 * its copy shows, and what the others' copies say of it may be of another moment: its wait is
 * dropped. All waits that remain were there at one moment, after the last copy.
 */
static bool settle_waits(struct trace_image *image, int fd)
{
	struct tf_segment head;
	bool moved = false;

	for (size_t i = 0; i < image->live_count; i++) {
		struct trace_live *live = &image->live[i];

		if (trace_pread(fd, &head, sizeof(head), segment_offset(live->segment)) <
			    sizeof(head) ||
		    (head.chunk == live->chunk && head.committed == live->committed &&
		     head.events == live->events &&
		     !memcmp(&head.wait, &live->wait, sizeof(head.wait)))) {
			continue;
		}
		live->wait.kind = TRACE_WAIT_NONE;
		moved = true;
	}
	return moved;
}

static int compare_live(const void *left, const void *right)
{
	const struct trace_live *a = left, *b = right;

	return a->stream < b->stream ? -1 : a->stream > b->stream;
}

/*
 * Segments that the file may hold: the header's number, or all of a file whose header is cut or
 * older than its segments.
 */
static uint64_t segment_count(const struct trace_image *image)
{
	uint64_t fit = image->map_bytes <= TF_HEADER_BYTES
			       ? 0
			       : (image->map_bytes - TF_HEADER_BYTES + TF_SEGMENT_BYTES - 1) /
					 TF_SEGMENT_BYTES;

	return image->header.segments < fit ? image->header.segments : fit;
}

static int copy_segments(struct trace_image *image, int fd, enum tf_segment_kind kind)
{
	uint64_t count = segment_count(image);
	struct tf_segment head;
	int error = 0;

	for (uint64_t i = 0; i < count && !error; i++) {
		if (trace_pread(fd, &head, sizeof(head), segment_offset(i)) < sizeof(head)) {
			break;
		}
		if (head.kind > TF_SEGMENT_RING && kind == TF_SEGMENT_META) {
			trace_image_damage(image, "segment %llu of the map is of no known kind",
					   (unsigned long long)i);
		}
		if (kind == TF_SEGMENT_STREAM && head.kind == TF_SEGMENT_RING &&
		    head.stream < trace_image_stream_limit(image)) {
			error = copy_ring(image, fd, i, &head);
		} else if (head.kind == kind) {
			error = kind == TF_SEGMENT_STREAM ? copy_stream(image, fd, i)
							  : copy_meta(image, fd, i, &head);
		}
	}
	return error;
}

static int compare_meta(const void *left, const void *right)
{
	const struct tf_segment *a = *(struct tf_segment *const *)left,
				*b = *(struct tf_segment *const *)right;

	return a->chunk < b->chunk ? -1 : a->chunk > b->chunk;
}

/* 1 = usable, 0 = not a trace file. */
static int read_header(struct trace_image *image, int fd, const char *path, struct diag *diag)
{
	struct tf_process *h = &image->header;
	struct stat st;
	size_t got;

	/* The size after the header: a live map is extended before the header says so. */
	memset(h, 0, sizeof(*h));
	got = trace_pread(fd, h, sizeof(*h), 0);
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		diag_set(diag, THRUM_EFORMAT, "%s is not a regular file", path);
		return 0;
	}
	image->map_bytes = (uint64_t)st.st_size;
	if (got < offsetof(struct tf_process, segments) ||
	    memcmp(h->magic, TF_MAGIC, sizeof(h->magic))) {
		diag_set(diag, THRUM_EFORMAT, "%s is not a trace file", path);
		return 0;
	}
	if (h->major > TF_MAJOR) {
		return diag_set(
			diag, THRUM_EVERSION,
			"%s has format %u.%u, this program reads up to %u: use a newer thrum", path,
			h->major, h->minor, TF_MAJOR);
	}
	if (h->header_bytes != TF_HEADER_BYTES || h->segment_bytes != TF_SEGMENT_BYTES) {
		diag_set(diag, THRUM_EFORMAT,
			 "%s has segments of %u bytes, which no version writes", path,
			 h->segment_bytes);
		return 0;
	}
	image->header_cut = got < sizeof(*h);
	image->map_cut = image->header_cut || segment_offset(h->segments) > image->map_bytes;
	return 1;
}

/* ---- one image ---- */

static int open_events(struct trace_image *image, int directory, struct diag *diag)
{
	char name[64];
	struct stat st;
	int error, fd;

	snprintf(name, sizeof(name), "%s.events", image->name);
	fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0) {
		if (errno != ENOENT || image->header.written_bytes) {
			trace_image_damage(image, "%s: %s", name, strerror(errno));
		}
		return 0;
	}
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		trace_image_damage(image, "%s is not a regular file", name);
		close(fd);
		return 0;
	}
	image->events_bytes = (uint64_t)st.st_size;
	error = trace_scan_events(image, fd);
	close(fd);
	return error ? diag_set(diag, error, "out of memory for the index of %s", name) : 0;
}

/* 1 = opened, 0 = not a trace file, negative = error. */
static int image_open(struct trace_image *image, int directory, const char *path, struct diag *diag)
{
	char name[64];
	int fd, got;

	snprintf(name, sizeof(name), "%s.map", image->name);
	fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0) {
		diag_set(diag, THRUM_EIO, "%s/%s: %s", path, name, strerror(errno));
		return errno == ENOENT || errno == ELOOP ? 0 : THRUM_EIO;
	}
	got = read_header(image, fd, name, diag);
	if (got > 0 && asprintf(&image->events_path, "%s/%s.events", path, image->name) < 0) {
		image->events_path = NULL;
		got = diag_set(diag, THRUM_ENOMEM, "out of memory");
	}
	if (got > 0 && asprintf(&image->memory_path, "%s/%s.memory", path, image->name) < 0) {
		image->memory_path = NULL;
		got = diag_set(diag, THRUM_ENOMEM, "out of memory");
	}
	if (got > 0 && copy_segments(image, fd, TF_SEGMENT_STREAM)) {
		got = diag_set(diag, THRUM_ENOMEM, "out of memory for %s", name);
	}
	if (got > 0) {
		int error = open_events(image, directory, diag);

		got = error ? error : 1;
	}
	/*
	 * Again: a live process has moved on; its counters and definitions must cover the chunks
	 * just indexed.
	 */
	if (got > 0) {
		got = read_header(image, fd, name, diag);
	}
	if (got > 0 && copy_segments(image, fd, TF_SEGMENT_META)) {
		got = diag_set(diag, THRUM_ENOMEM, "out of memory for %s", name);
	}
	if (got > 0 && image->meta_count) {
		qsort(image->meta, image->meta_count, sizeof(*image->meta), compare_meta);
	}
	if (got > 0 && image->live_count) {
		qsort(image->live, image->live_count, sizeof(*image->live), compare_live);
	}
	trace_scan_sort(image);
	close(fd);
	return got;
}

/* ---- the directory ---- */

/* "123.0.map" → pid, image. */
static bool parse_name(const char *name, struct trace_image *image)
{
	char canonical[64];
	unsigned pid, n;

	if (sscanf(name, "%9u.%9u.map", &pid, &n) != 2) {
		return false;
	}
	snprintf(canonical, sizeof(canonical), "%u.%u.map", pid, n);
	if (strcmp(canonical, name)) {
		return false;
	}
	*image = (struct trace_image){ .pid = pid, .image = n };
	snprintf(image->name, sizeof(image->name), "%u.%u", pid, n);
	return true;
}

static char *read_run_json(int directory)
{
	int fd = openat(directory, "run.json", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	char *text = NULL;

	if (fd < 0) {
		return NULL;
	}
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size <= (off_t)RUN_JSON_LIMIT) {
		text = malloc((size_t)st.st_size + 1);
		if (text) {
			text[trace_pread(fd, text, (size_t)st.st_size, 0)] = '\0';
		}
	}
	close(fd);
	return text;
}

static int compare_images(const void *left, const void *right)
{
	const struct trace_image *a = left, *b = right;

	if (a->header.start_mono_ns != b->header.start_mono_ns) {
		return a->header.start_mono_ns < b->header.start_mono_ns ? -1 : 1;
	}
	if (a->pid != b->pid) {
		return a->pid < b->pid ? -1 : 1;
	}
	return a->image < b->image ? -1 : a->image > b->image;
}

/*
 * After all images were copied: a cycle through several processes must have been there at one
 * moment too.
 */
static void settle_image(struct trace_image *image, int directory)
{
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "%s.map", image->name);
	fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0) {
		return; /* removed meanwhile: nobody writes to it */
	}
	image->moving = settle_waits(image, fd) && !image->header.exit_kind;
	close(fd);
}

/*
 * One entry of the directory; files that are not ours or not readable are left out, the diag then
 * tells why.
 */
static int add_entry(struct trace_dir *dir, size_t *capacity, int directory, const char *path,
		     const char *name, struct diag *diag)
{
	struct trace_image image;
	int got;

	if (!parse_name(name, &image)) {
		return 0;
	}
	got = image_open(&image, directory, path, diag);
	if (got > 0 &&
	    !trace_array_reserve(&dir->images, capacity, dir->image_count, sizeof(*dir->images))) {
		got = diag_set(diag, THRUM_ENOMEM, "out of memory");
	}
	if (got <= 0) {
		image_release(&image);
		return got;
	}
	dir->images[dir->image_count++] = image;
	return 0;
}

int trace_dir_open(const char *path, struct trace_dir *ret_dir, struct diag *diag)
{
	struct trace_dir dir = { 0 };
	size_t capacity = 0;
	struct dirent *entry;
	DIR *list = opendir(path);
	int error = 0;

	if (!list) {
		return diag_set(diag, errno == ENOTDIR ? THRUM_EFORMAT : THRUM_EIO,
				"%s: %s; name the directory of a trace", path, strerror(errno));
	}
	diag_set(diag, 0, "%s holds no trace: record one with thrum record", path);
	while (!error && (entry = readdir(list))) {
		error = add_entry(&dir, &capacity, dirfd(list), path, entry->d_name, diag);
	}
	if (!error && !dir.image_count) {
		/* The diag has the reason of the last file that was refused. */
		error = THRUM_EFORMAT;
	}
	if (error) {
		closedir(list);
		trace_dir_release(&dir);
		return error;
	}
	for (size_t i = 0; i < dir.image_count; i++) {
		settle_image(&dir.images[i], dirfd(list));
	}
	qsort(dir.images, dir.image_count, sizeof(*dir.images), compare_images);
	dir.run_json = read_run_json(dirfd(list));
	trace_dir_read_logs(&dir, dirfd(list));
	closedir(list);
	*ret_dir = dir;
	return 0;
}
