/* SPDX-License-Identifier: MIT */
/*
 * trace_look.c - reads the segment headers of the live images of a trace directory.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* asprintf */
#endif
#include "trace_look.h"

#include "trace_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SEGMENTS_MAX (1u << 20) /* 64 GiB of map: more is garbage */

static int compare_images(const void *left, const void *right)
{
	const struct trace_look_image *a = left, *b = right;

	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	return a->image < b->image ? -1 : a->image > b->image;
}

static int compare_entries(const void *left, const void *right)
{
	const struct trace_look_entry *a = left, *b = right;

	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	if (a->image != b->image)
		return a->image < b->image ? -1 : 1;
	return a->stream < b->stream ? -1 : a->stream > b->stream;
}

static int no_memory(struct diag *diag)
{
	return diag_set(diag, THRUM_ENOMEM, "out of memory");
}

/* ---- which images ---- */

struct image_list {
	struct trace_look_image *images; /* owned */
	size_t count, capacity;
};

static bool is_over(const struct trace_look *look, const struct trace_look_image *image)
{
	return look->over_count &&
	       bsearch(image, look->over, look->over_count, sizeof(*look->over), compare_images);
}

static int list_images(const struct trace_look *look, const char *dir, struct image_list *list,
		       struct diag *diag)
{
	DIR *directory = opendir(dir);
	struct dirent *entry;
	int error = 0;

	if (!directory)
		return diag_set(diag, THRUM_EIO, "cannot read %s: %s", dir, strerror(errno));
	while (!error && (entry = readdir(directory))) {
		struct trace_look_image image;
		int bytes = 0;

		if (sscanf(entry->d_name, "%9u.%9u.map%n", &image.pid, &image.image, &bytes) != 2 ||
		    !bytes || entry->d_name[bytes] || is_over(look, &image))
			continue;
		if (trace_array_reserve(&list->images, &list->capacity, list->count,
					sizeof(*list->images)))
			list->images[list->count++] = image;
		else
			error = no_memory(diag);
	}
	closedir(directory);
	if (list->count)
		qsort(list->images, list->count, sizeof(*list->images), compare_images);
	return error;
}

/* An older image of a pid was replaced by exec, or its pid was given out again. */
static bool is_live(const struct image_list *list, size_t index)
{
	const struct trace_look_image *image = &list->images[index];

	if (index + 1 < list->count && image[1].pid == image->pid)
		return false;
	return !kill((pid_t)image->pid, 0) || errno != ESRCH;
}

static void forget(struct trace_look *look, const struct trace_look_image *image)
{
	/* Without memory it is looked at again next time. */
	if (trace_array_reserve(&look->over, &look->over_capacity, look->over_count,
				sizeof(*look->over)))
		look->over[look->over_count++] = *image;
}

/* ---- one image ---- */

static int add_segment(struct trace_look *look, const struct tf_process *process,
		       const struct trace_look_image *image, const struct tf_segment *head)
{
	if ((head->kind != TF_SEGMENT_STREAM && head->kind != TF_SEGMENT_RING) || !head->thread_now)
		return 0;
	if (!trace_array_reserve(&look->entries, &look->capacity, look->count,
				 sizeof(*look->entries)))
		return THRUM_ENOMEM;
	look->entries[look->count++] = (struct trace_look_entry){
		.pid = image->pid,
		.image = image->image,
		.ppid = process->ppid,
		.stream = head->stream,
		.thread = head->thread_now,
		.tid = head->tid_now,
		.committed = head->committed,
		.chunk = head->chunk,
		.events = head->events,
		.wait = head->wait,
	};
	return 0;
}

/* The map and its header; -1 = removed meanwhile, or not ours to read. */
static int open_map(const char *dir, const struct trace_look_image *image,
		    struct tf_process *ret_process)
{
	char *path;
	int fd;

	if (asprintf(&path, "%s/%u.%u.map", dir, image->pid, image->image) < 0)
		return -1;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	free(path);
	memset(ret_process, 0, sizeof(*ret_process));
	if (fd < 0)
		return -1;
	trace_pread(fd, ret_process, sizeof(*ret_process), 0);
	if (memcmp(ret_process->magic, TF_MAGIC, sizeof(ret_process->magic)) ||
	    ret_process->major > TF_MAJOR)
		ret_process->segments = 0;
	return fd;
}

static int look_at(struct trace_look *look, const char *dir, const struct trace_look_image *image)
{
	struct tf_process process;
	struct tf_segment head;
	int fd = open_map(dir, image, &process), error = 0;

	if (fd < 0)
		return 0;
	for (uint32_t i = 0; i < process.segments && i < SEGMENTS_MAX && !error; i++) {
		if (trace_pread(fd, &head, sizeof(head),
				TF_HEADER_BYTES + (uint64_t)i * TF_SEGMENT_BYTES) < sizeof(head))
			break;
		error = add_segment(look, &process, image, &head);
	}
	close(fd);
	return error;
}

/* ---- all ---- */

int trace_look_take(struct trace_look *look, const char *dir, struct diag *diag)
{
	struct image_list list = { 0 };
	size_t over_before = look->over_count;
	int error = list_images(look, dir, &list, diag);

	look->count = 0;
	for (size_t i = 0; i < list.count && !error; i++) {
		if (!is_live(&list, i))
			forget(look, &list.images[i]);
		else if (look_at(look, dir, &list.images[i]))
			error = no_memory(diag);
	}
	if (look->over_count > over_before)
		qsort(look->over, look->over_count, sizeof(*look->over), compare_images);
	if (look->count)
		qsort(look->entries, look->count, sizeof(*look->entries), compare_entries);
	free(list.images);
	return error;
}

bool trace_look_has_room(const char *dir)
{
	const struct trace_look nothing_over = { 0 };
	struct image_list list = { 0 };
	struct tf_process process;
	bool found = false;
	struct diag diag;

	list_images(&nothing_over, dir, &list, &diag);
	for (size_t i = 0; i < list.count && !found; i++) {
		int fd = open_map(dir, &list.images[i], &process);

		found = process.segments;
		if (fd >= 0)
			close(fd);
	}
	free(list.images);
	return found;
}

void trace_look_release(struct trace_look *look)
{
	free(look->entries);
	free(look->over);
	*look = (struct trace_look){ 0 };
}

const struct trace_look_entry *trace_look_find(const struct trace_look *look, uint32_t pid,
					       uint32_t tid)
{
	for (size_t i = 0; i < look->count; i++)
		if (look->entries[i].pid == pid && look->entries[i].tid == tid && tid)
			return &look->entries[i];
	return NULL;
}

bool trace_look_is_same(const struct trace_look_entry *a, const struct trace_look_entry *b)
{
	return a->pid == b->pid && a->image == b->image && a->stream == b->stream &&
	       a->thread == b->thread && a->tid == b->tid && a->chunk == b->chunk &&
	       a->committed == b->committed && a->events == b->events &&
	       !memcmp(&a->wait, &b->wait, sizeof(a->wait));
}
