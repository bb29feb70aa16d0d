/* SPDX-License-Identifier: MIT */
/*
 * hookable_search.c - the loader's search order, with the cache file read as data.
 *
 * `ld.so --list` was not used: it would have to be run on files that nobody has looked at yet.
 */
#define _GNU_SOURCE /* memmem */
#include "hookable_search.h"

#include "hookable_elf.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define CACHE_FILE "/etc/ld.so.cache"
#define CACHE_MAGIC "glibc-ld.so.cache1.1"
#define CACHE_OLD_MAGIC "ld.so-1.7.0"

/* Built into glibc's loader; Debian's has the multiarch ones first. Seen with 2.31 and 2.36. */
static const char *const default_directories[] = {
	"/lib/x86_64-linux-gnu",
	"/usr/lib/x86_64-linux-gnu",
	"/lib64",
	"/usr/lib64",
	"/lib",
	"/usr/lib",
};

struct cache_header {
	char magic[20]; /* with the version behind it */
	uint32_t entries;
	uint32_t string_bytes;
	uint32_t unused[5];
};

struct cache_entry {
	int32_t flags;
	uint32_t key, value; /* offsets from the header */
	uint32_t os_version;
	uint64_t hwcap;
};

void hookable_search_init(struct hookable_search *search)
{
	int fd = open(CACHE_FILE, O_RDONLY | O_CLOEXEC);
	struct stat stat;
	void *map;

	*search = (struct hookable_search){ NULL, 0 };
	if (fd < 0)
		return;
	if (!fstat(fd, &stat) && stat.st_size > 0) {
		map = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (map != MAP_FAILED)
			*search = (struct hookable_search){ map, (size_t)stat.st_size };
	}
	close(fd);
}

void hookable_search_release(struct hookable_search *search)
{
	if (search->cache)
		munmap((void *)(uintptr_t)search->cache, search->cache_bytes);
	*search = (struct hookable_search){ NULL, 0 };
}

/* The file is there and is one that a process of ours could map. */
static bool is_library(const char *path)
{
	struct hookable_elf elf;
	bool fits = hookable_elf_open(path, &elf) == HOOKABLE_ELF_OK && elf.type == ET_DYN;

	hookable_elf_close(&elf);
	return fits;
}

/* ---- the cache ---- */

static const char *cache_string(const unsigned char *base, size_t bytes, uint32_t offset)
{
	if (offset >= bytes || !memchr(base + offset, '\0', bytes - offset))
		return NULL;
	return (const char *)base + offset;
}

/* The new format stands at the start, or behind one of the old. */
static const unsigned char *find_new_format(const struct hookable_search *search, size_t *ret_bytes)
{
	const unsigned char *at = search->cache;

	if (!at)
		return NULL;
	if (search->cache_bytes >= sizeof(CACHE_OLD_MAGIC) &&
	    !memcmp(at, CACHE_OLD_MAGIC, sizeof(CACHE_OLD_MAGIC) - 1))
		at = memmem(at, search->cache_bytes, CACHE_MAGIC, sizeof(CACHE_MAGIC) - 1);
	if (!at)
		return NULL;
	*ret_bytes = search->cache_bytes - (size_t)(at - search->cache);
	if (*ret_bytes < sizeof(struct cache_header) ||
	    memcmp(at, CACHE_MAGIC, sizeof(CACHE_MAGIC) - 1) != 0)
		return NULL;
	return at;
}

static bool find_in_cache(const struct hookable_search *search, const char *name,
			  char ret_path[PATH_MAX])
{
	struct cache_header header;
	struct cache_entry entry;
	size_t bytes;
	const unsigned char *base = find_new_format(search, &bytes);

	if (!base)
		return false;
	memcpy(&header, base, sizeof(header));
	for (uint32_t i = 0; i < header.entries; i++) {
		size_t at = sizeof(header) + (size_t)i * sizeof(entry);
		const char *key, *value;

		if (at > bytes - sizeof(entry))
			return false;
		memcpy(&entry, base + at, sizeof(entry));
		key = cache_string(base, bytes, entry.key);
		value = cache_string(base, bytes, entry.value);
		if (!key || !value || strcmp(key, name) != 0 || strlen(value) >= PATH_MAX ||
		    !is_library(value))
			continue; /* of another architecture: the next entry may fit */
		strcpy(ret_path, value);
		return true;
	}
	return false;
}

/* ---- lists of directories ---- */

struct token {
	const char *word, *value;
};

static bool append(char *text, size_t *length, const char *part, size_t bytes)
{
	if (bytes >= PATH_MAX - *length)
		return false;
	memcpy(text + *length, part, bytes);
	*length += bytes;
	text[*length] = '\0';
	return true;
}

/* $NAME or ${NAME} at `text`: how many bytes it takes, 0 = none. */
static size_t token_bytes(const char *text, const char *word)
{
	size_t bytes = strlen(word);

	if (text[1] == '{')
		return !strncmp(text + 2, word, bytes) && text[2 + bytes] == '}' ? bytes + 3 : 0;
	return !strncmp(text + 1, word, bytes) ? bytes + 1 : 0;
}

static bool expand(const char *element, size_t bytes, const char *module, char ret_path[PATH_MAX],
		   size_t *ret_length)
{
	char origin[PATH_MAX] = ".";
	const char *slash = strrchr(module, '/');
	const struct token tokens[] = { { "ORIGIN", origin },
					{ "LIB", "lib/x86_64-linux-gnu" },
					{ "PLATFORM", "x86_64" } };

	if (slash)
		snprintf(origin, sizeof(origin), "%.*s", (int)(slash - module), module);
	*ret_length = 0;
	ret_path[0] = '\0';
	for (size_t i = 0; i < bytes;) {
		size_t skip = 0;

		for (size_t j = 0; element[i] == '$' && j < 3 && !skip; j++) {
			skip = token_bytes(element + i, tokens[j].word);
			if (skip &&
			    !append(ret_path, ret_length, tokens[j].value, strlen(tokens[j].value)))
				return false;
		}
		if (!skip && !append(ret_path, ret_length, element + i, 1))
			return false;
		i += skip ? skip : 1;
	}
	return true;
}

static bool find_in_list(const struct hookable_path *path, const char *separators, const char *name,
			 char ret_path[PATH_MAX])
{
	const char *element = path->list;

	while (element && *element) {
		size_t bytes = strcspn(element, separators), length;

		if (expand(element, bytes, path->module, ret_path, &length) &&
		    append(ret_path, &length, bytes ? "/" : "./", bytes ? 1 : 2) &&
		    append(ret_path, &length, name, strlen(name)) && is_library(ret_path))
			return true;
		element += bytes;
		element += *element ? 1 : 0;
	}
	return false;
}

bool hookable_search_find(const struct hookable_search *search, const char *name,
			  const struct hookable_path *rpaths, size_t rpath_count,
			  const struct hookable_path *runpath, char ret_path[PATH_MAX])
{
	struct hookable_path environment = { getenv("LD_LIBRARY_PATH"), runpath->module };

	if (strchr(name, '/'))
		return strlen(name) < PATH_MAX && is_library(strcpy(ret_path, name));
	for (size_t i = 0; i < rpath_count; i++)
		if (find_in_list(&rpaths[i], ":", name, ret_path))
			return true;
	if (find_in_list(&environment, ":;", name, ret_path) ||
	    find_in_list(runpath, ":", name, ret_path) || find_in_cache(search, name, ret_path))
		return true;
	for (size_t i = 0; i < sizeof(default_directories) / sizeof(default_directories[0]); i++) {
		struct hookable_path fixed = { default_directories[i], "/" };

		if (find_in_list(&fixed, ":", name, ret_path))
			return true;
	}
	return false;
}
