/* SPDX-License-Identifier: MIT */
/*
 * hang.c - samples the threads of a hung program from /proc and ends its recorded processes.
 */
#include "hang.h"

#include "run_dir.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What of /proc/PID/task/TID goes into a sample. */
static const char *const sampled[] = { "comm", "wchan", "syscall", "status", "stat" };

static json_t *read_text(int task_fd, const char *tid, const char *name)
{
	char path[300], text[8192];
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", tid, name);
	fd = openat(task_fd, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	got = read(fd, text, sizeof(text) - 1);
	close(fd);
	while (got > 0 && isspace((unsigned char)text[got - 1]))
		got--;
	return got > 0 ? json_stringn(text, (size_t)got) : NULL;
}

static json_t *sample_thread(int task_fd, const char *tid)
{
	json_t *thread = json_object();

	json_object_set_new(thread, "tid", json_integer(strtol(tid, NULL, 10)));
	for (size_t i = 0; i < sizeof(sampled) / sizeof(sampled[0]); i++) {
		json_t *text = read_text(task_fd, tid, sampled[i]);

		if (text)
			json_object_set_new(thread, sampled[i], text);
	}
	return thread;
}

static int sample_write(const char *dir, pid_t pid, struct diag *diag)
{
	char path[64], name[64], *text;
	json_t *threads, *sample;
	struct dirent *entry;
	DIR *tasks;
	int error;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	tasks = opendir(path);
	if (!tasks)
		return 0; /* gone meanwhile */
	threads = json_array();
	while ((entry = readdir(tasks)))
		if (isdigit((unsigned char)entry->d_name[0]))
			json_array_append_new(threads, sample_thread(dirfd(tasks), entry->d_name));
	closedir(tasks);
	sample = json_pack("{ss si so}", "schema", "thrum-sample/1", "pid", (int)pid, "threads",
			   threads);
	text = sample ? json_dumps(sample, JSON_INDENT(1)) : NULL;
	json_decref(sample);
	if (!text)
		return diag_set(diag, THRUM_ENOMEM, "out of memory");
	snprintf(name, sizeof(name), "%d.sample.json", pid);
	error = run_dir_write(dir, name, text, strlen(text), diag);
	free(text);
	return error;
}

/* Does `pid` have a map file of `dir` mapped? */
static bool maps_trace(const char *dir, pid_t pid)
{
	char path[64], line[4096 + 256], start[32];
	uint64_t inode;
	bool found = false;
	struct stat st;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "re");
	if (!maps)
		return false;
	snprintf(start, sizeof(start), "/%d.", pid);
	while (!found && fgets(line, sizeof(line), maps)) {
		const char *name = strrchr(line, '/');
		char *file;

		if (!name || strncmp(name, start, strlen(start)) ||
		    sscanf(line, "%*s %*s %*s %*s %" SCNu64, &inode) != 1)
			continue;
		if (asprintf(&file, "%s%.*s", dir, (int)strcspn(name, "\n"), name) < 0)
			continue;
		/* The device of maps is the file system's own on overlays and btrfs, st_dev is not: compare the inode. */
		found = !stat(file, &st) && st.st_ino == inode;
		free(file);
	}
	fclose(maps);
	return found;
}

/* A descriptor for `pid` that cannot come to mean another process, or -1 where it is not one of ours. */
static int recorded_open(const char *dir, pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (fd >= 0 && (getsid(pid) != getsid(0) || !maps_trace(dir, pid))) {
		close(fd);
		return -1;
	}
	return fd;
}

int hang_end(const char *dir, pid_t pid, struct diag *diag)
{
	pid_t *pids = NULL;
	ssize_t count = run_dir_pids(dir, &pids, diag);
	int error = count < 0 ? (int)count : 0, written, *fds = NULL;

	if (count > 0)
		fds = calloc((size_t)count, sizeof(*fds));
	if (!fds)
		count = 0;
	written = sample_write(dir, pid, diag);
	for (ssize_t i = 0; i < count; i++) {
		fds[i] = pids[i] == pid ? -1 : recorded_open(dir, pids[i]);
		if (fds[i] >= 0 && !written)
			written = sample_write(dir, pids[i], diag);
	}
	/* All are sampled before the first dies: a parent's end wakes its children. */
	kill(pid, SIGKILL);
	for (ssize_t i = 0; i < count; i++) {
		if (fds[i] < 0)
			continue;
		syscall(SYS_pidfd_send_signal, fds[i], SIGKILL, NULL, 0);
		close(fds[i]);
	}
	free(fds);
	free(pids);
	return error ? error : written;
}
