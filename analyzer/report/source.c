/* SPDX-License-Identifier: MIT */
/*
 * source.c - reads whole source files once and splits them into lines in place.
 */
#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct source_file {
	struct source_file *next;
	char *name;	   /* owns */
	char *text;	   /* owns; NULL = unreadable */
	const char **line; /* owns the array; borrowed from text */
	size_t lines;
};

struct source_cache {
	struct source_file *files;
};

struct source_cache *source_cache_new(void)
{
	return calloc(1, sizeof(struct source_cache));
}

void source_cache_free(struct source_cache *cache)
{
	if (!cache)
		return;
	for (struct source_file *file = cache->files, *next; file; file = next) {
		next = file->next;
		free(file->name);
		free(file->text);
		free(file->line);
		free(file);
	}
	free(cache);
}

/* Up to `bytes` from `fd`, NUL appended. NULL on any error. */
static char *read_all(int fd, size_t bytes)
{
	char *text = malloc(bytes + 1);
	size_t used = 0;

	while (text && used < bytes) {
		ssize_t got = read(fd, text + used, bytes - used);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			free(text);
			return NULL;
		}
		if (!got)
			break;
		used += (size_t)got;
	}
	if (text)
		text[used] = '\0';
	if (text && strlen(text) != used) { /* not a text */
		free(text);
		return NULL;
	}
	return text;
}

static char *read_regular_file(const char *name)
{
	/* O_NONBLOCK: opening a FIFO must not wait for a writer. */
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	char *text = NULL;

	if (fd < 0)
		return NULL;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size > 0 &&
	    st.st_size <= (off_t)SOURCE_MAX_BYTES)
		text = read_all(fd, (size_t)st.st_size);
	close(fd);
	return text;
}

static void split_lines(struct source_file *file)
{
	size_t lines = 1;

	for (const char *c = file->text; *c; c++)
		lines += *c == '\n';
	file->line = calloc(lines, sizeof(*file->line));
	if (!file->line)
		return;
	for (char *start = file->text, *end; start; start = end) {
		end = strchr(start, '\n');
		if (end)
			*end++ = '\0';
		start[strcspn(start, "\r")] = '\0';
		if (*start || end)
			file->line[file->lines++] = start;
	}
}

static struct source_file *lookup_or_add(struct source_cache *cache, const char *name)
{
	struct source_file *file;

	for (file = cache->files; file; file = file->next)
		if (!strcmp(file->name, name))
			return file;
	file = calloc(1, sizeof(*file));
	if (!file)
		return NULL;
	file->name = strdup(name);
	if (!file->name) {
		free(file);
		return NULL;
	}
	file->text = read_regular_file(name);
	if (file->text)
		split_lines(file);
	file->next = cache->files;
	cache->files = file;
	return file;
}

const char *source_get_line(struct source_cache *cache, const char *file, int line)
{
	struct source_file *source = cache && file && line > 0 ? lookup_or_add(cache, file) : NULL;

	return source && (size_t)line <= source->lines ? source->line[line - 1] : NULL;
}
