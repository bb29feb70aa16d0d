/* SPDX-License-Identifier: MIT */
/*
 * symbols_perf_map.c - lines "START SIZE NAME" (hexadecimal, NAME up to the end of the line), by
 * address.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* O_NOFOLLOW with strict headers */
#endif
#include "symbols_perf_map.h"

#include "sorted.h"
#include "symbols_arena.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAP_BYTES_MAX (256u << 20)
#define NS_PER_SECOND 1000000000ull

struct perf_entry {
	uint64_t start, end;
	uint64_t max_end; /* of this and all before it */
	const char *name; /* borrowed from text */
};

struct perf_map {
	char *text;		    /* owns */
	struct perf_entry *entries; /* owns; ordered by start */
	size_t count, capacity;
};

static char *read_text(int fd, size_t bytes)
{
	char *text = malloc(bytes + 1);
	size_t used = 0;

	while (text && used < bytes) {
		ssize_t got = read(fd, text + used, bytes - used);

		if (got <= 0)
			break;
		used += (size_t)got;
	}
	if (text)
		text[used] = '\0';
	return text;
}

static bool is_ours(const struct stat *stat, uint64_t begin_real_ns)
{
	return S_ISREG(stat->st_mode) && (!stat->st_uid || stat->st_uid == geteuid()) &&
	       stat->st_size > 0 && stat->st_size <= MAP_BYTES_MAX && stat->st_mtim.tv_sec >= 0 &&
	       (uint64_t)stat->st_mtim.tv_sec >= begin_real_ns / NS_PER_SECOND;
}

/* Cuts the text into lines in place; a line that is not as it should be is left out. */
static void parse(struct perf_map *map)
{
	char *next = map->text;

	for (char *line; *(line = next);) {
		struct perf_entry entry;
		char *end;

		next = line + strcspn(line, "\n");
		if (*next)
			*next++ = '\0';
		entry.start = strtoull(line, &end, 16);
		if (end == line || *end != ' ')
			continue;
		line = end + 1;
		entry.end = entry.start + strtoull(line, &end, 16);
		if (end == line || *end != ' ' || !end[1] || entry.end <= entry.start)
			continue;
		entry.name = end + 1;
		map->entries = symbols_array_grow(map->entries, map->count, &map->capacity,
						  sizeof(*map->entries));
		map->entries[map->count++] = entry;
	}
}

static int compare_entries(const void *left, const void *right)
{
	const struct perf_entry *a = left, *b = right;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	return a->end < b->end ? -1 : a->end > b->end;
}

struct perf_map *perf_map_read(const char *path, uint64_t begin_real_ns)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
	struct perf_map *map;
	uint64_t max_end = 0;
	struct stat stat;
	char *text;

	if (fd < 0)
		return NULL;
	text = !fstat(fd, &stat) && is_ours(&stat, begin_real_ns)
		       ? read_text(fd, (size_t)stat.st_size)
		       : NULL;
	close(fd);
	map = text ? calloc(1, sizeof(*map)) : NULL;
	if (!map) {
		free(text);
		return NULL;
	}
	map->text = text;
	parse(map);
	if (map->count)
		qsort(map->entries, map->count, sizeof(*map->entries), compare_entries);
	for (size_t i = 0; i < map->count; i++) {
		if (map->entries[i].end > max_end)
			max_end = map->entries[i].end;
		map->entries[i].max_end = max_end;
	}
	return map;
}

void perf_map_free(struct perf_map *map)
{
	if (!map)
		return;
	free(map->entries);
	free(map->text);
	free(map);
}

const char *perf_map_find(const struct perf_map *map, uint64_t address)
{
	size_t at = sorted_up_to(map->entries, map->count, sizeof(*map->entries),
				 offsetof(struct perf_entry, start), address);
	const char *name = NULL;

	while (at && map->entries[--at].max_end > address) {
		if (map->entries[at].end <= address)
			continue;
		if (name && strcmp(name, map->entries[at].name) != 0)
			return NULL;
		name = map->entries[at].name;
	}
	return name;
}

/* ---- V8's names ---- */

static const char *const v8_tags[] = { "LazyCompile:", "Function:", "JS:", "Script:", "Eval:" };
static const char *const v8_scripts[] = { " /", " node:", " file:", " internal/" };

static const char *after_tag(const char *name)
{
	for (size_t i = 0; i < sizeof(v8_tags) / sizeof(v8_tags[0]); i++)
		if (!strncmp(name, v8_tags[i], strlen(v8_tags[i])))
			return name + strlen(v8_tags[i]);
	return NULL;
}

/* The blank before the script: names like "get size" have blanks, and so may paths. */
static const char *before_script(const char *text)
{
	const char *at;

	for (size_t i = 0; i < sizeof(v8_scripts) / sizeof(v8_scripts[0]); i++)
		if ((at = strstr(text, v8_scripts[i])))
			return at;
	return strrchr(text, ' ');
}

/* "…:10" or "…:10:25": where the number of the line begins; NULL = there is none. */
static const char *line_of(const char *text)
{
	const char *end = text + strlen(text), *at = NULL;

	for (int numbers = 0; numbers < 2; numbers++) {
		const char *digits = end;

		while (digits > text && isdigit((unsigned char)digits[-1]))
			digits--;
		if (digits == end || digits == text || digits[-1] != ':')
			break;
		at = digits;
		end = digits - 1;
	}
	return at;
}

bool perf_map_split(const char *name, struct perf_map_part *ret_function,
		    struct perf_map_part *ret_file, int *ret_line)
{
	const char *text = after_tag(name), *blank, *line;

	if (text && *text && strchr("~*^+'", *text))
		text++;
	blank = text ? before_script(text) : NULL;
	line = blank ? line_of(blank + 1) : NULL;
	if (!line)
		return false;
	*ret_function = (struct perf_map_part){ text, (int)(blank - text) };
	*ret_file = (struct perf_map_part){ blank + 1, (int)(line - blank - 2) };
	*ret_line = atoi(line);
	return true;
}
