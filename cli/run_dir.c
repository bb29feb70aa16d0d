/* SPDX-License-Identifier: MIT */
/*
 * run_dir.c - makes, keeps and lists trace directories. Works on names and modes only, never on what the files say.
 */
#include "run_dir.h"

#include "../trace/trace_steer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum dir_kind { DIR_ABSENT, DIR_EMPTY, DIR_TRACE, DIR_OTHER };

static int fail(struct diag *diag, const char *what, const char *path)
{
	return diag_set(diag, THRUM_EIO, "cannot %s %s: %s", what, path, strerror(errno));
}

static const char *skip_digits(const char *s)
{
	const char *end = s + strspn(s, "0123456789");

	return end > s ? end : NULL;
}

bool run_dir_is_trace_file(const char *name)
{
	const char *rest;

	if (!strcmp(name, "run.json") || !strcmp(name, "run.json.tmp") || !strcmp(name, TF_STEER) ||
	    !strcmp(name, TF_STEER ".tmp"))
		return true;
	rest = skip_digits(name);
	if (!rest || *rest != '.')
		return false;
	if (!strcmp(rest, ".sample.json") || !strcmp(rest, ".sample.json.tmp"))
		return true;
	rest = skip_digits(rest + 1);
	return rest &&
	       (!strcmp(rest, ".map") || !strcmp(rest, ".events") || !strcmp(rest, ".memory"));
}

static bool is_dot(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

static int dir_classify(const char *path, enum dir_kind *ret_kind, struct diag *diag)
{
	struct dirent *entry;
	struct stat st;
	DIR *dir;

	if (lstat(path, &st)) {
		if (errno != ENOENT)
			return fail(diag, "look at", path);
		*ret_kind = DIR_ABSENT;
		return 0;
	}
	*ret_kind = DIR_OTHER;
	if (!S_ISDIR(st.st_mode))
		return 0;
	dir = opendir(path);
	if (!dir)
		return fail(diag, "read", path);
	*ret_kind = DIR_EMPTY;
	while ((entry = readdir(dir))) {
		if (is_dot(entry->d_name))
			continue;
		*ret_kind = run_dir_is_trace_file(entry->d_name) ? DIR_TRACE : DIR_OTHER;
		if (*ret_kind == DIR_OTHER)
			break;
	}
	closedir(dir);
	return 0;
}

/* Only for a directory that was classified as a trace: anything else in it makes the final rmdir fail. */
static int trace_remove(const char *path, struct diag *diag)
{
	struct dirent *entry;
	DIR *dir = opendir(path);

	if (!dir)
		return fail(diag, "read", path);
	while ((entry = readdir(dir)))
		if (run_dir_is_trace_file(entry->d_name))
			unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
	return rmdir(path) ? fail(diag, "remove", path) : 0;
}

/* Where `path` is: its directory resolved, its last name kept. */
static int path_resolve(const char *path, char **ret_path, struct diag *diag)
{
	char parent[PATH_MAX], resolved[PATH_MAX];
	size_t bytes = strlen(path), name_bytes;
	const char *name;
	char *slash;

	if (realpath(path, resolved)) {
		*ret_path = strdup(resolved);
		return *ret_path ? 0 : diag_set(diag, THRUM_ENOMEM, "out of memory");
	}
	while (bytes > 1 && path[bytes - 1] == '/')
		bytes--;
	if (bytes >= sizeof(parent))
		return diag_set(diag, THRUM_EINVAL, "the path of the trace directory is too long");
	memcpy(parent, path, bytes);
	parent[bytes] = '\0';
	slash = strrchr(parent, '/');
	name = slash ? path + (slash - parent) + 1 : path;
	name_bytes = bytes - (size_t)(name - path);
	if (slash)
		slash[slash == parent] = '\0';
	if (!realpath(slash ? parent : ".", resolved))
		return diag_set(diag, THRUM_EINVAL, "cannot make the trace directory %s: %s", path,
				strerror(errno));
	if (asprintf(ret_path, "%s/%.*s", strcmp(resolved, "/") ? resolved : "", (int)name_bytes,
		     name) < 0)
		return diag_set(diag, THRUM_ENOMEM, "out of memory");
	return 0;
}

static int old_keep(const char *path, struct diag *diag)
{
	enum dir_kind kind;
	char *old;
	int error;

	if (asprintf(&old, "%s.old", path) < 0)
		return diag_set(diag, THRUM_ENOMEM, "out of memory");
	error = dir_classify(old, &kind, diag);
	if (error)
		goto out;
	if (kind == DIR_OTHER) {
		error = diag_set(
			diag, THRUM_EINVAL,
			"%s is in the way and is not a trace; move it or give another -o DIR", old);
		goto out;
	}
	if (kind == DIR_TRACE)
		error = trace_remove(old, diag);
	if (!error && rename(path, old)) /* over an empty directory too */
		error = fail(diag, "move the old trace to", old);
out:
	free(old);
	return error;
}

static int say_busy(const char *path, struct diag *diag)
{
	return diag_set(diag, THRUM_EINVAL,
			"another thrum records into %s just now; runs beside each other need a "
			"directory each: -o %s.%%p",
			path, path);
}

/*
 * Takes the lock that says "in use" and keeps it until this process ends: moving a directory away from a run beside
 * this one would cost that run its trace, without a word. The program that is started does not inherit it. Where a file
 * system knows no locks there is none.
 */
static int claim = -1;

static int dir_claim(const char *real, const char *path, struct diag *diag)
{
	int fd = open(real, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK) {
		close(fd);
		return say_busy(path, diag);
	}
	claim = fd;
	return 0; /* the descriptor stays open on purpose: it is the lock */
}

/* This process records again (thrum confirm): it is not in its own way. */
static void dir_unclaim(void)
{
	if (claim >= 0)
		close(claim);
	claim = -1;
}

int run_dir_create(const char *path, char **ret_path, struct diag *diag)
{
	enum dir_kind kind;
	char *real = NULL;
	int error = path_resolve(path, &real, diag);

	dir_unclaim();
	if (!error)
		error = dir_classify(real, &kind, diag);
	if (error)
		goto out;
	if (kind == DIR_OTHER) {
		error = diag_set(diag, THRUM_EINVAL,
				 "%s is not a trace, so it stays; give another -o DIR", path);
		goto out;
	}
	if (kind == DIR_TRACE)
		error = dir_claim(real, path, diag);
	if (!error && kind == DIR_TRACE)
		error = old_keep(real, diag);
	if (error)
		goto out;
	if (mkdir(real, 0700) && (kind != DIR_EMPTY || errno != EEXIST))
		error = errno == EEXIST /* made since we looked */
				? say_busy(path, diag)
				: diag_set(
					  diag, THRUM_EIO,
					  "cannot make the trace directory %s: %s; give another -o DIR",
					  path, strerror(errno));
	else if (chmod(real, 0700)) /* an empty one that was there may be open to others */
		error = fail(diag, "make private", path);
	else
		error = dir_claim(real, path, diag);
out:
	if (error)
		free(real);
	else
		*ret_path = real;
	return error;
}

void run_dir_discard(const char *path)
{
	rmdir(path);
}

static int pid_compare(const void *a, const void *b)
{
	pid_t left = *(const pid_t *)a, right = *(const pid_t *)b;

	return (left > right) - (left < right);
}

ssize_t run_dir_pids(const char *path, pid_t **ret_pids, struct diag *diag)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	pid_t *pids = NULL;
	size_t count = 0, room = 0, kept = 0;

	if (!dir)
		return fail(diag, "read", path);
	while ((entry = readdir(dir))) {
		const char *dot = strrchr(entry->d_name, '.');
		long pid = strtol(entry->d_name, NULL, 10);

		if (!run_dir_is_trace_file(entry->d_name) || strcmp(dot, ".map") || pid <= 0 ||
		    pid > INT_MAX)
			continue;
		if (count == room) {
			pid_t *grown = realloc(pids, (room = 2 * room + 8) * sizeof(*pids));

			if (!grown) {
				free(pids);
				closedir(dir);
				return diag_set(diag, THRUM_ENOMEM, "out of memory");
			}
			pids = grown;
		}
		pids[count++] = (pid_t)pid;
	}
	closedir(dir);
	if (count)
		qsort(pids, count, sizeof(*pids), pid_compare);
	for (size_t i = 0; i < count; i++)
		if (!kept || pids[kept - 1] != pids[i])
			pids[kept++] = pids[i];
	*ret_pids = pids;
	return (ssize_t)kept;
}

int run_dir_write(const char *path, const char *name, const char *text, size_t bytes,
		  struct diag *diag)
{
	char *final = NULL, *temporary = NULL;
	FILE *out = NULL;
	int error = 0, fd;

	if (asprintf(&final, "%s/%s", path, name) < 0 ||
	    asprintf(&temporary, "%s/%s.tmp", path, name) < 0)
		return diag_set(diag, THRUM_ENOMEM, "out of memory");
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd >= 0)
		out = fdopen(fd, "w");
	if (!out || fwrite(text, 1, bytes, out) != bytes)
		error = fail(diag, "write", final);
	if (out && fclose(out) && !error)
		error = fail(diag, "write", final);
	if (!error && rename(temporary, final))
		error = fail(diag, "write", final);
	if (error)
		unlink(temporary);
	free(final);
	free(temporary);
	return error;
}
