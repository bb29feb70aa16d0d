/* SPDX-License-Identifier: MIT */
/*
 * trace_scratch.c - temporary directories and slurped traces for unit tests.
 */
#include "trace_scratch.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void need(bool ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "trace_scratch: %s failed\n", what);
		abort();
	}
}

char *scratch_new(void)
{
	const char *base = getenv("TMPDIR");
	size_t bytes = strlen(base ? base : "/tmp") + sizeof("/thrum-unit-XXXXXX");
	char *dir = malloc(bytes);

	need(dir != NULL, "malloc");
	snprintf(dir, bytes, "%s/thrum-unit-XXXXXX", base ? base : "/tmp");
	need(mkdtemp(dir) != NULL, "mkdtemp");
	return dir;
}

void scratch_remove(char *dir)
{
	DIR *list = opendir(dir);
	struct dirent *entry;

	need(list != NULL, "opendir");
	while ((entry = readdir(list))) {
		unlinkat(dirfd(list), entry->d_name, 0);
	}
	closedir(list);
	need(!rmdir(dir), "rmdir");
	free(dir);
}

struct trace_reader *scratch_open(const char *dir)
{
	struct trace_reader *r = NULL;
	struct diag diag = { "" };

	if (trace_reader_open(dir, &r, &diag)) {
		fprintf(stderr, "trace_scratch: %s\n", diag.message);
		abort();
	}
	return r;
}

struct trace_event *scratch_events(struct trace_reader *reader, size_t index, size_t *ret_count)
{
	struct trace_event *events = NULL;
	size_t count = 0, capacity = 0;
	struct trace_event e;

	need(!trace_reader_rewind(reader, index, NULL), "rewind");
	while (trace_reader_next(reader, &e)) {
		if (count == capacity) {
			capacity = capacity ? 2 * capacity : 256;
			events = reallocarray(events, capacity, sizeof(*events));
			need(events != NULL, "realloc");
		}
		events[count++] = e;
	}
	*ret_count = count;
	return events;
}

void *scratch_read(const char *dir, const char *name, size_t *ret_bytes)
{
	char path[4096];
	char *bytes;
	FILE *f;
	long size;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "rb");
	if (!f) {
		return NULL;
	}
	need(!fseek(f, 0, SEEK_END), "seek");
	size = ftell(f);
	rewind(f);
	bytes = malloc((size_t)size + 1);
	need(bytes && fread(bytes, 1, (size_t)size, f) == (size_t)size, "read");
	fclose(f);
	*ret_bytes = (size_t)size;
	return bytes;
}

void scratch_write(const char *dir, const char *name, const void *bytes, size_t count)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "wb");
	need(f != NULL, "open for writing");
	need(fwrite(bytes, 1, count, f) == count, "write");
	need(!fclose(f), "close");
}
