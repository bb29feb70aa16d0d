/* SPDX-License-Identifier: MIT */
/*
 * symbols_search.c - goes through the places of a module until one holds it.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* asprintf, memfd_create */
#endif
#include "symbols_search.h"

#include "symbols_arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#define DELETED " (deleted)"
#define VDSO "[vdso]"
#define VDSO_BYTES_MAX (64u * 4096u)

void symbols_search_init(struct symbols_search *search)
{
	*search = (struct symbols_search){
		.index = symbols_index_new(),
		.debuginfod = symbols_debuginfod_new(),
	};
}

void symbols_search_release(struct symbols_search *search)
{
	for (size_t i = 0; i < search->directory_count; i++)
		free(search->directories[i]);
	free(search->directories);
	free(search->sightings);
	symbols_index_free(search->index);
	symbols_debuginfod_free(search->debuginfod);
	memset(search, 0, sizeof(*search));
}

void symbols_search_add(struct symbols_search *search, const char *directory)
{
	char *absolute = realpath(directory, NULL);

	if (!absolute)
		return;
	search->directories = symbols_array_grow(search->directories, search->directory_count,
						 &search->directory_capacity,
						 sizeof(*search->directories));
	search->directories[search->directory_count++] = absolute;
	symbols_index_add(search->index, absolute);
}

void symbols_search_add_sighting(struct symbols_search *search, const char *path,
				 const unsigned char *build_id, size_t build_id_bytes)
{
	for (size_t i = 0; i < search->sighting_count; i++)
		if (search->sightings[i].build_id_bytes == build_id_bytes &&
		    !memcmp(search->sightings[i].build_id, build_id, build_id_bytes) &&
		    !strcmp(search->sightings[i].path, path))
			return;
	search->sightings = symbols_array_grow(search->sightings, search->sighting_count,
					       &search->sighting_capacity,
					       sizeof(*search->sightings));
	search->sightings[search->sighting_count++] =
		(struct symbols_sighting){ path, build_id, build_id_bytes };
}

/* Takes `path`. */
static int try_open(char *path, const struct symbols_identity *identity, char **ret_path,
		    enum symbols_absence *ret_absence)
{
	int fd = path ? symbols_find_open(path, identity, ret_absence) : -1;

	if (fd >= 0)
		*ret_path = path;
	else
		free(path);
	return fd;
}

/* Where others saw the same build. */
static int open_sighting(const struct symbols_search *search, const char *path,
			 const struct symbols_identity *identity, char **ret_path)
{
	enum symbols_absence absence;
	int fd = -1;

	for (size_t i = 0; i < search->sighting_count && fd < 0; i++) {
		const struct symbols_sighting *s = &search->sightings[i];

		if (s->build_id_bytes == identity->build_id_bytes &&
		    !memcmp(s->build_id, identity->build_id, s->build_id_bytes) &&
		    strcmp(s->path, path) != 0)
			fd = try_open(strdup(s->path), identity, ret_path, &absence);
	}
	return fd;
}

/* As DIRECTORY/PATH, then DIRECTORY/BASENAME: the only ways for a file without a build-id. */
static int open_by_name(const char *directory, const char *path,
			const struct symbols_identity *identity, char **ret_path)
{
	const char *slash = strrchr(path, '/');
	const char *const below[] = { path, slash ? slash + 1 : path };
	enum symbols_absence absence;
	int fd = -1;

	for (size_t i = 0; i < 2 && fd < 0; i++) {
		char *file;

		if (asprintf(&file, "%s/%s", directory, below[i]) < 0)
			file = NULL;
		fd = try_open(file, identity, ret_path, &absence);
	}
	return fd;
}

/* A file with the code, else one with debug information only, which names functions as well. */
static int open_by_build_id(struct symbols_search *search, const struct symbols_identity *identity,
			    char **ret_path)
{
	static const enum indexed_kind kinds[] = { INDEXED_CODE, INDEXED_ANY };
	enum symbols_absence absence;
	const char *found;
	int fd = -1;

	for (size_t i = 0; i < 2 && fd < 0; i++) {
		found = symbols_index_find(search->index, identity->build_id,
					   identity->build_id_bytes, kinds[i], 0);
		if (found)
			fd = try_open(strdup(found), identity, ret_path, &absence);
	}
	return fd;
}

static int ask_servers(struct symbols_search *search, const struct symbols_identity *identity,
		       char **ret_path)
{
	enum symbols_absence absence;
	int fd = -1;

	for (int kind = 0; kind < DEBUGINFOD_KINDS && fd < 0; kind++) {
		char *path;
		int got = symbols_debuginfod_find(search->debuginfod, (enum debuginfod_kind)kind,
						  identity->build_id, identity->build_id_bytes,
						  &path);

		if (got < 0)
			continue;
		close(got);
		fd = try_open(path, identity, ret_path, &absence); /* checked as all others are */
	}
	return fd;
}

/* This process has the vdso of the kernel that runs now. */
static int open_vdso(const struct symbols_identity *identity, char **ret_path)
{
	const unsigned char *image = (const unsigned char *)getauxval(AT_SYSINFO_EHDR);
	const GElf_Ehdr *header = (const GElf_Ehdr *)(const void *)image;
	enum symbols_absence absence;
	char path[64];
	size_t bytes;
	int fd, found;

	if (!image || !identity->build_id_bytes || memcmp(image, ELFMAG, SELFMAG) != 0)
		return -1;
	/* The section headers are its end; what lies behind the image is not mapped. */
	bytes = header->e_shoff + (size_t)header->e_shnum * header->e_shentsize;
	if (bytes > VDSO_BYTES_MAX)
		return -1;
	fd = memfd_create("vdso", MFD_CLOEXEC);
	if (fd < 0 || write(fd, image, bytes) != (ssize_t)bytes) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	found = try_open(strdup(path), identity, ret_path, &absence);
	close(fd);
	return found;
}

/* The path without the kernel's mark; NULL where whatever has the name now is another file. */
static char *plain_path(const char *path, const struct symbols_identity *identity)
{
	size_t length = strlen(path), mark = strlen(DELETED);

	if (length > mark && !strcmp(path + length - mark, DELETED)) {
		if (!identity->build_id_bytes)
			return NULL;
		length -= mark;
	}
	return strndup(path, length);
}

int symbols_search_module(struct symbols_search *search, const char *path,
			  const struct symbols_identity *identity, char **ret_path,
			  enum symbols_absence *ret_absence)
{
	bool is_file = path[0] && path[0] != '[';
	char *plain = is_file ? plain_path(path, identity) : NULL;
	int fd = -1;

	*ret_absence = ABSENCE_MISSING;
	if (plain)
		fd = try_open(strdup(plain), identity, ret_path, ret_absence);
	if (plain && fd < 0 && identity->build_id_bytes)
		fd = open_sighting(search, plain, identity, ret_path);
	for (size_t i = 0; plain && fd < 0 && i < search->directory_count; i++)
		fd = open_by_name(search->directories[i], plain, identity, ret_path);
	if (fd < 0 && !strcmp(path, VDSO))
		fd = open_vdso(identity, ret_path);
	if (fd < 0)
		fd = open_by_build_id(search, identity, ret_path);
	if (fd < 0 && is_file)
		fd = ask_servers(search, identity, ret_path);
	free(plain);
	if (fd >= 0)
		*ret_absence = ABSENCE_NONE;
	return fd;
}
