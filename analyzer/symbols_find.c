/* SPDX-License-Identifier: MIT */
/*
 * symbols_find.c - which file on disk is the recorded one, and which debug file belongs to it.
 *
 * dwfl_standard_find_debuginfo was not used: its last step asks the servers of $DEBUGINFOD_URLS.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* asprintf */
#endif
#include "symbols_find.h"

#include "symbols_search.h"

#include <elfutils/libdwelf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NS_PER_SECOND 1000000000ull

/* Where a debug file named by .gnu_debuglink may lie: ROOT, the directory of the module, BELOW. */
static const struct place {
	const char *root, *below;
} places[] = {
	{ "", "" },
	{ "", ".debug/" },
	{ "/usr/lib/debug", "" },
};

static int open_regular(const char *path, struct stat *ret_stat)
{
	/* O_NONBLOCK: a path of a hostile trace may name a pipe that nobody writes to. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return -1;
	if (fstat(fd, ret_stat) || !S_ISREG(ret_stat->st_mode)) {
		close(fd);
		errno = ENOENT;
		return -1;
	}
	return fd;
}

/* 1 = same build-id, 0 = another, -1 = the file has none (or is no ELF file). */
static int compare_build_id(int fd, const uint8_t *build_id, size_t bytes)
{
	const void *found;
	ssize_t found_bytes;
	int result = -1;
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (!elf)
		return -1;
	if (elf_kind(elf) == ELF_K_ELF) {
		found_bytes = dwelf_elf_gnu_build_id(elf, &found);
		if (found_bytes > 0)
			result = (size_t)found_bytes == bytes && !memcmp(found, build_id, bytes);
	}
	elf_end(elf);
	return result;
}

static bool is_older(const struct stat *stat, uint64_t before_ns)
{
	uint64_t seconds = before_ns / NS_PER_SECOND;

	if (stat->st_mtim.tv_sec < 0)
		return true;
	if ((uint64_t)stat->st_mtim.tv_sec != seconds)
		return (uint64_t)stat->st_mtim.tv_sec < seconds;
	return (uint64_t)stat->st_mtim.tv_nsec <= before_ns % NS_PER_SECOND;
}

int symbols_find_open(const char *path, const struct symbols_identity *identity,
		      enum symbols_absence *ret_absence)
{
	struct stat stat;
	int fd = open_regular(path, &stat), same;

	*ret_absence = ABSENCE_MISSING;
	if (fd < 0)
		return -1;
	same = compare_build_id(fd, identity->build_id, identity->build_id_bytes);
	*ret_absence = ABSENCE_REPLACED;
	if (!identity->build_id_bytes && same == -1)
		*ret_absence = is_older(&stat, identity->before_ns) ? ABSENCE_NONE : ABSENCE_NEWER;
	else if (identity->build_id_bytes && same == 1)
		*ret_absence = ABSENCE_NONE;
	if (*ret_absence == ABSENCE_NONE)
		return fd;
	close(fd);
	return -1;
}

/* The CRC-32 of .gnu_debuglink over the whole file. */
static bool read_checksum(int fd, GElf_Word *ret_checksum)
{
	unsigned char buffer[65536];
	uint32_t table[256], checksum = 0xffffffffu;
	off_t offset = 0;
	ssize_t bytes;

	for (uint32_t i = 0; i < 256; i++) {
		table[i] = i;
		for (int bit = 0; bit < 8; bit++)
			table[i] = table[i] & 1 ? 0xedb88320u ^ table[i] >> 1 : table[i] >> 1;
	}
	while ((bytes = pread(fd, buffer, sizeof(buffer), offset)) > 0) {
		for (ssize_t i = 0; i < bytes; i++)
			checksum = table[(checksum ^ buffer[i]) & 0xff] ^ checksum >> 8;
		offset += bytes;
	}
	*ret_checksum = ~checksum;
	return !bytes;
}

/*
 * `module` has a build-id: the debug file must have the same one. It has none: the checksum
 * decides.
 */
static int open_debug_file(const char *path, Dwfl_Module *module, GElf_Word checksum,
			   char **ret_path)
{
	const unsigned char *build_id;
	GElf_Addr where;
	GElf_Word found;
	struct stat stat;
	int bytes = dwfl_module_build_id(module, &build_id, &where);
	int fd = open_regular(path, &stat);

	if (fd < 0)
		return -1;
	if (bytes > 0 ? compare_build_id(fd, build_id, (size_t)bytes) == 1
		      : read_checksum(fd, &found) && found == checksum) {
		char *copy = strdup(path);

		if (copy) {
			*ret_path = copy;
			return fd;
		}
	}
	close(fd);
	return -1;
}

/* The file of .gnu_debuglink at its usual places. */
static int find_linked(Dwfl_Module *module, const char *file, const char *link, GElf_Word checksum,
		       char **ret_path)
{
	const char *slash = file ? strrchr(file, '/') : NULL;
	int fd;

	if (!link || !slash || strchr(link, '/'))
		return -1;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		char path[PATH_MAX];
		int length = snprintf(path, sizeof(path), "%s%.*s%s%s", places[i].root,
				      (int)(slash + 1 - file), file, places[i].below, link);

		if (length < 0 || (size_t)length >= sizeof(path) || !strcmp(path, file))
			continue;
		fd = open_debug_file(path, module, checksum, ret_path);
		if (fd >= 0)
			return fd;
	}
	return -1;
}

/* The file that libdwfl already has for the module, which it found wanting. */
static bool is_file_of(Dwfl_Module *module, const char *path)
{
	const char *main_path = NULL;

	dwfl_module_info(module, NULL, NULL, NULL, NULL, NULL, &main_path, NULL);
	return main_path && !strcmp(main_path, path);
}

static int find_indexed(Dwfl_Module *module, struct symbols_search *search,
			const unsigned char *build_id, size_t bytes, enum indexed_kind kind,
			char **ret_path)
{
	const char *path;
	int fd = -1;

	for (size_t i = 0; fd < 0; i++) {
		path = symbols_index_find(search->index, build_id, bytes, kind, i);
		if (!path)
			break;
		if (!is_file_of(module, path))
			fd = open_debug_file(path, module, 0, ret_path);
	}
	return fd;
}

static int ask_servers(struct symbols_search *search, const unsigned char *build_id, size_t bytes,
		       char **ret_path)
{
	int fd = symbols_debuginfod_find(search->debuginfod, DEBUGINFOD_DEBUG, build_id, bytes,
					 ret_path);

	if (fd >= 0 && compare_build_id(fd, build_id, bytes) != 1) {
		close(fd);
		free(*ret_path);
		*ret_path = NULL; /* which libdwfl frees, too */
		fd = -1;
	}
	return fd;
}

/* In directories that the user named, and from servers. */
static int find_further(Dwfl_Module *module, struct symbols_search *search, const char *link,
			GElf_Word checksum, char **ret_path)
{
	const unsigned char *build_id;
	GElf_Addr where;
	int bytes = dwfl_module_build_id(module, &build_id, &where), fd = -1;

	if (!search)
		return -1;
	if (bytes <= 0) {
		for (size_t i = 0; link && fd < 0 && i < search->directory_count; i++) {
			char path[PATH_MAX];
			int length =
				snprintf(path, sizeof(path), "%s/%s", search->directories[i], link);

			if (length > 0 && (size_t)length < sizeof(path))
				fd = open_debug_file(path, module, checksum, ret_path);
		}
		return fd;
	}
	fd = find_indexed(module, search, build_id, (size_t)bytes, INDEXED_DEBUG, ret_path);
	if (fd < 0)
		fd = ask_servers(search, build_id, (size_t)bytes, ret_path);
	if (fd < 0)
		fd = find_indexed(module, search, build_id, (size_t)bytes, INDEXED_NAMES, ret_path);
	return fd;
}

int symbols_find_debuginfo(Dwfl_Module *module, void **userdata, const char *name, Dwarf_Addr base,
			   const char *file, const char *link, GElf_Word checksum, char **ret_path)
{
	bool is_supplement = link && strchr(link, '/');
	int fd = -1;

	if (!is_supplement)
		fd = dwfl_build_id_find_debuginfo(module, userdata, name, base, file, link,
						  checksum, ret_path);
	if (fd < 0 && !is_supplement)
		fd = find_linked(module, file, link, checksum, ret_path);
	if (fd < 0 && !is_supplement)
		fd = find_further(module, userdata ? *userdata : NULL, link, checksum, ret_path);
	if (fd < 0)
		errno = ENOENT; /* dwfl: not an error, there is none */
	return fd;
}

/* ---- supplementary files ---- */

static char *path_by_build_id(const char *root, const uint8_t *build_id, size_t bytes)
{
	size_t root_bytes = strlen(root), length;
	char *path = malloc(root_bytes + 2 * bytes + sizeof("/.build-id//.debug"));

	if (!path)
		return NULL;
	length = (size_t)sprintf(path, "%s/.build-id/%02x/", root, build_id[0]);
	for (size_t i = 1; i < bytes; i++)
		length += (size_t)sprintf(path + length, "%02x", build_id[i]);
	strcpy(path + length, ".debug");
	return path;
}

/* Takes `path`. */
static int open_supplement(char *path, const struct symbols_identity *identity, char **ret_path)
{
	enum symbols_absence absence;
	int fd = path ? symbols_find_open(path, identity, &absence) : -1;

	if (fd >= 0)
		*ret_path = path;
	else
		free(path);
	return fd;
}

int symbols_find_supplement(Dwarf *dwarf, const char *beside, struct symbols_search *search,
			    char **ret_path)
{
	const char *name, *slash = strrchr(beside, '/');
	const void *build_id;
	ssize_t bytes = dwelf_dwarf_gnu_debugaltlink(dwarf, &name, &build_id);
	struct symbols_identity identity = { build_id, bytes > 0 ? (size_t)bytes : 0, 0 };
	const char *indexed;
	char *path = NULL;
	int fd;

	if (!bytes)
		return -2;
	if (bytes < 2)
		return -1;
	if (name[0] == '/' || !slash)
		path = strdup(name);
	else if (asprintf(&path, "%.*s/%s", (int)(slash - beside), beside, name) < 0)
		path = NULL;
	fd = open_supplement(path, &identity, ret_path);
	if (fd < 0)
		fd = open_supplement(path_by_build_id("/usr/lib/debug", identity.build_id,
						      identity.build_id_bytes),
				     &identity, ret_path);
	if (fd >= 0 || !search)
		return fd;
	indexed = symbols_index_find(search->index, identity.build_id, identity.build_id_bytes,
				     INDEXED_ANY, 0);
	fd = open_supplement(indexed ? strdup(indexed) : NULL, &identity, ret_path);
	if (fd < 0)
		fd = symbols_debuginfod_find(search->debuginfod, DEBUGINFOD_DEBUG,
					     identity.build_id, identity.build_id_bytes, ret_path);
	return fd;
}
