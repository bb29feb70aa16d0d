/* SPDX-License-Identifier: MIT */
/*
 * pack_extract.c - unpacks a pack that may be hostile. Creates regular files below one directory, nothing else.
 */
#include "pack.h"
#include "run_dir.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define MANIFEST "thrum-pack.json"
#define ENTRIES_MAX 2000000u
#define EXPANSION_MAX \
	4096u /* times the size of the pack; maps are mostly zeros and really shrink a thousandfold */
#define SLACK_BYTES (64u << 20)
#define BLOCK_BYTES (64u << 10)
#define RESERVE_PARTS 20u /* this part of the free space stays free */

struct extract {
	const char *file; /* borrowed */
	struct archive *archive;
	int dir_fd;
	uint64_t logical_left; /* bytes of entries */
	uint64_t disk_left;    /* bytes that are really written */
	uint64_t entries;
	struct diag *diag;
};

static int refuse(const struct extract *x, const char *why)
{
	return diag_set(x->diag, THRUM_EFORMAT, "%s is refused: %s", x->file, why);
}

static int archive_failure(const struct extract *x)
{
	const char *why = archive_error_string(x->archive);

	return diag_set(x->diag, THRUM_EFORMAT, "%s is not a whole file of thrum pack: %s", x->file,
			why ? why : "unknown error");
}

/* ---- names ---- */

static bool component_is_plain(const char *name, size_t bytes)
{
	if (!bytes || bytes > 255)
		return false;
	return !(bytes == 1 && name[0] == '.') && !(bytes == 2 && name[0] == '.' && name[1] == '.');
}

/* Relative, without empty, "." or ".." components. */
static bool path_is_plain(const char *path)
{
	for (;;) {
		size_t bytes = strcspn(path, "/");

		if (!component_is_plain(path, bytes))
			return false;
		if (!path[bytes])
			return true;
		path += bytes + 1;
	}
}

static bool name_is_ours(const char *name)
{
	if (!strncmp(name, "trace/", 6))
		return run_dir_is_trace_file(name + 6);
	return !strncmp(name, "symbols/", 8) && path_is_plain(name + 8);
}

/* ---- one file ---- */

/* Opens DIR/name for writing; makes its folders. No component can be a link: all of them were made here. */
static int create(const struct extract *x, const char *name)
{
	char path[4096];
	size_t bytes = strlen(name);

	if (bytes >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(path, name, bytes + 1);
	for (char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdirat(x->dir_fd, path, 0700) && errno != EEXIST)
			return -1;
		*slash = '/';
	}
	return openat(x->dir_fd, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

static bool is_zero(const char *bytes, size_t count)
{
	return !count || (!bytes[0] && !memcmp(bytes, bytes + 1, count - 1));
}

/* Blocks of zeros stay holes: a map is mostly that. */
static int write_blocks(struct extract *x, int fd, const char *from, size_t count, int64_t offset)
{
	while (count) {
		size_t part = count < BLOCK_BYTES ? count : BLOCK_BYTES;

		if (!is_zero(from, part)) {
			if (part > x->disk_left)
				return refuse(x, "the disk has too little room; name another "
						 "directory in TMPDIR");
			x->disk_left -= part;
			if (pwrite(fd, from, part, offset) != (ssize_t)part)
				return diag_set(x->diag, THRUM_EIO, "cannot unpack %s: %s", x->file,
						strerror(errno));
		}
		from += part;
		count -= part;
		offset += (int64_t)part;
	}
	return 0;
}

static int copy_data(struct extract *x, int fd, uint64_t size)
{
	const void *block;
	size_t bytes;
	int64_t offset;
	int got, error = 0;

	while (!error &&
	       (got = archive_read_data_block(x->archive, &block, &bytes, &offset)) == ARCHIVE_OK) {
		if (offset < 0 || (uint64_t)offset > size || bytes > size - (uint64_t)offset)
			return refuse(x, "an entry is longer than it says");
		error = write_blocks(x, fd, block, bytes, offset);
	}
	if (!error && got != ARCHIVE_EOF)
		return archive_failure(x);
	return error;
}

static int take_entry(struct extract *x, struct archive_entry *entry, const char *name)
{
	uint64_t size = (uint64_t)archive_entry_size(entry);
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
				     { .tv_sec = archive_entry_mtime(entry),
				       .tv_nsec = archive_entry_mtime_nsec(entry) } };
	int fd, error;

	if (size > x->logical_left)
		return refuse(x, "it holds thousands of times its own size");
	x->logical_left -= size;
	fd = create(x, name);
	if (fd < 0 && errno == EEXIST)
		return refuse(x, "a name is in it twice");
	if (fd < 0)
		return diag_set(x->diag, THRUM_EIO, "cannot unpack %s: %s", x->file,
				strerror(errno));
	error = ftruncate(fd, (off_t)size) ? diag_set(x->diag, THRUM_EIO, "cannot unpack %s: %s",
						      x->file, strerror(errno))
					   : copy_data(x, fd, size);
	/* A module without a build-id is known by its time. */
	if (!error)
		futimens(fd, times);
	close(fd);
	return error;
}

/* ---- all ---- */

static int check_entry(struct extract *x, struct archive_entry *entry, const char **ret_name)
{
	const char *name = archive_entry_pathname(entry);

	if (!name || archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) ||
	    archive_entry_symlink(entry))
		return refuse(x, "it holds something that is not a plain file");
	if (!archive_entry_size_is_set(entry) || archive_entry_size(entry) < 0)
		return refuse(x, "an entry has no size");
	if (x->entries++ ? !name_is_ours(name) : strcmp(name, MANIFEST))
		return refuse(x, x->entries > 1 ? "it holds a file that thrum pack does not write"
						: "thrum pack did not make it");
	if (x->entries > ENTRIES_MAX)
		return refuse(x, "it holds too many files");
	*ret_name = name;
	return 0;
}

static int take_entries(struct extract *x)
{
	struct archive_entry *entry;
	const char *name = NULL;
	int got, error = 0;

	while ((got = archive_read_next_header(x->archive, &entry)) == ARCHIVE_OK) {
		error = check_entry(x, entry, &name);
		if (!error)
			error = take_entry(x, entry, name);
		if (error)
			return error;
	}
	if (got != ARCHIVE_EOF)
		return archive_failure(x);
	return x->entries ? 0 : refuse(x, "thrum pack did not make it");
}

int pack_extract(const char *file, const char *into, struct diag *diag)
{
	struct extract x = { .file = file, .diag = diag };
	struct statvfs space;
	struct stat st;
	int error;

	x.dir_fd = open(into, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	x.archive = archive_read_new();
	if (x.dir_fd < 0 || !x.archive || stat(file, &st) || fstatvfs(x.dir_fd, &space)) {
		error = diag_set(diag, THRUM_EIO, "cannot unpack %s: %s", file, strerror(errno));
		goto out;
	}
	x.logical_left = (uint64_t)st.st_size * EXPANSION_MAX + SLACK_BYTES;
	x.disk_left =
		(uint64_t)space.f_bavail * space.f_frsize / RESERVE_PARTS * (RESERVE_PARTS - 1);
	archive_read_support_filter_zstd(x.archive);
	archive_read_support_format_tar(x.archive);
	error = archive_read_open_filename(x.archive, file, BLOCK_BYTES) == ARCHIVE_OK
			? take_entries(&x)
			: diag_set(diag, THRUM_EFORMAT,
				   "%s is neither a trace directory nor a file of thrum pack",
				   file);
out:
	archive_read_free(x.archive);
	if (x.dir_fd >= 0)
		close(x.dir_fd);
	return error;
}
