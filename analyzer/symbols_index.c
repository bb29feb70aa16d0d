/* SPDX-License-Identifier: MIT */
/*
 * symbols_index.c - walks directories once and keeps what each ELF file with a build-id holds.
 */
#include "symbols_index.h"

#include "symbols_arena.h"

#include <elfutils/libdwelf.h>
#include <fcntl.h>
#include <fts.h>
#include <gelf.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#define BUILD_ID_MAX 64
#define SMALLEST_BYTES 156 /* headers of a file, and of a note with a build-id */

struct indexed {
	const char *path; /* arena */
	uint8_t build_id[BUILD_ID_MAX];
	size_t build_id_bytes;
	bool is[INDEXED_ANY + 1]; /* by enum indexed_kind */
};

struct symbols_index {
	struct symbols_arena arena;
	char **directories; /* owns the array, NULL-terminated; names in the arena */
	size_t directory_count, directory_capacity;
	bool walked;
	struct indexed *files; /* owns; ordered by build-id, then path */
	size_t file_count, file_capacity;
};

struct symbols_index *symbols_index_new(void)
{
	struct symbols_index *index = calloc(1, sizeof(*index));

	if (!index)
		abort();
	symbols_arena_init(&index->arena);
	return index;
}

void symbols_index_free(struct symbols_index *index)
{
	if (!index)
		return;
	symbols_arena_release(&index->arena);
	free(index->directories);
	free(index->files);
	free(index);
}

void symbols_index_add(struct symbols_index *index, const char *directory)
{
	index->directories = symbols_array_grow(index->directories, index->directory_count + 1,
						&index->directory_capacity,
						sizeof(*index->directories));
	index->directories[index->directory_count++] = symbols_arena_copy(&index->arena, directory);
	index->directories[index->directory_count] = NULL;
}

/* ---- one file ---- */

static void look_at_section(Elf *elf, Elf_Scn *section, size_t names, struct indexed *file)
{
	GElf_Shdr header;
	const char *name;

	if (!gelf_getshdr(section, &header) || header.sh_type == SHT_NOBITS)
		return;
	if (header.sh_type == SHT_SYMTAB)
		file->is[INDEXED_NAMES] = true;
	if (header.sh_type == SHT_PROGBITS && header.sh_flags & SHF_EXECINSTR)
		file->is[INDEXED_CODE] = true;
	name = elf_strptr(elf, names, header.sh_name);
	if (name && (!strcmp(name, ".debug_info") || !strcmp(name, ".zdebug_info")))
		file->is[INDEXED_DEBUG] = true;
}

/* False for files without a build-id. */
static bool look_into(Elf *elf, struct indexed *file)
{
	const void *build_id;
	ssize_t bytes = dwelf_elf_gnu_build_id(elf, &build_id);
	size_t names, sections = 0;

	if (bytes <= 0 || bytes > BUILD_ID_MAX)
		return false;
	memcpy(file->build_id, build_id, (size_t)bytes);
	file->build_id_bytes = (size_t)bytes;
	file->is[INDEXED_ANY] = true;
	if (elf_getshdrnum(elf, &sections) || elf_getshdrstrndx(elf, &names))
		sections = 0;
	for (Elf_Scn *section = NULL; sections && (section = elf_nextscn(elf, section));)
		look_at_section(elf, section, names, file);
	file->is[INDEXED_CODE] |= !sections; /* sstrip took the headers, not the code */
	return true;
}

static void add_file(struct symbols_index *index, const char *path)
{
	struct indexed file = { .build_id_bytes = 0 };
	/* O_NONBLOCK: what was a file a moment ago may be a pipe now. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat stat;
	char magic[SELFMAG];
	Elf *elf;

	if (fd < 0)
		return;
	if (fstat(fd, &stat) || !S_ISREG(stat.st_mode) || pread(fd, magic, SELFMAG, 0) != SELFMAG ||
	    memcmp(magic, ELFMAG, SELFMAG) != 0)
		goto out;
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (elf && elf_kind(elf) == ELF_K_ELF && look_into(elf, &file)) {
		file.path = symbols_arena_copy(&index->arena, path);
		index->files = symbols_array_grow(index->files, index->file_count,
						  &index->file_capacity, sizeof(*index->files));
		index->files[index->file_count++] = file;
	}
	elf_end(elf);
out:
	close(fd);
}

/* ---- all files ---- */

static int compare_files(const void *left, const void *right)
{
	const struct indexed *a = left, *b = right;
	int order = memcmp(a->build_id, b->build_id, BUILD_ID_MAX);

	return order ? order : strcmp(a->path, b->path);
}

/* A mount point of a file system whose files the kernel makes up: below / they are a sixth of all, and none is a module. */
static bool is_made_up(const FTSENT *folder)
{
	static const unsigned long types[] = { PROC_SUPER_MAGIC,   SYSFS_MAGIC,
					       DEBUGFS_MAGIC,	   TRACEFS_MAGIC,
					       DEVPTS_SUPER_MAGIC, CGROUP_SUPER_MAGIC,
					       CGROUP2_SUPER_MAGIC };
	struct statfs system;

	if (folder->fts_level > 0 && folder->fts_parent->fts_statp &&
	    folder->fts_parent->fts_statp->st_dev == folder->fts_statp->st_dev)
		return false;
	if (folder->fts_level == 0 || statfs(folder->fts_accpath, &system))
		return false; /* asked for by its name */
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if ((unsigned long)system.f_type == types[i])
			return true;
	return false;
}

static void walk(struct symbols_index *index)
{
	size_t left = INDEX_ENTRIES_MAX;
	FTSENT *entry;
	FTS *tree;

	index->walked = true;
	if (!index->directory_count)
		return;
	tree = fts_open(index->directories, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, NULL);
	while (tree && left-- && (entry = fts_read(tree))) {
		if (entry->fts_info == FTS_D && is_made_up(entry))
			fts_set(tree, entry, FTS_SKIP);
		else if (entry->fts_info == FTS_SL ||
			 (entry->fts_info == FTS_F && entry->fts_statp->st_size >= SMALLEST_BYTES))
			add_file(index, entry->fts_path);
	}
	if (tree)
		fts_close(tree);
	if (index->file_count)
		qsort(index->files, index->file_count, sizeof(*index->files), compare_files);
}

const char *symbols_index_find(struct symbols_index *index, const uint8_t *build_id,
			       size_t build_id_bytes, enum indexed_kind kind, size_t nth)
{
	uint8_t key[BUILD_ID_MAX] = { 0 };
	size_t low = 0, high;

	if (!index->walked)
		walk(index);
	if (!build_id_bytes || build_id_bytes > BUILD_ID_MAX)
		return NULL;
	memcpy(key, build_id, build_id_bytes);
	for (high = index->file_count; low < high;) {
		size_t middle = low + (high - low) / 2;

		if (memcmp(index->files[middle].build_id, key, BUILD_ID_MAX) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < index->file_count; low++) {
		const struct indexed *file = &index->files[low];

		if (memcmp(file->build_id, key, BUILD_ID_MAX) != 0)
			break;
		if (file->build_id_bytes == build_id_bytes && file->is[kind] && !nth--)
			return file->path;
	}
	return NULL;
}
