/* SPDX-License-Identifier: MIT */
/*
 * hang_sample.c - reads a process's threads and descriptors from /proc into a JSON file. Changes nothing in the process.
 */
#include "hang_sample.h"

#include "run_dir.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DESCRIPTORS_MAX 4096 /* of one process in a sample */

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

/* A process may wait for the other end of what stands here. Names of files are nobody's business and left out. */
static json_t *sample_descriptors(pid_t pid)
{
	json_t *descriptors = json_array();
	struct dirent *entry;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)) && json_array_size(descriptors) < DESCRIPTORS_MAX) {
		char link[64];
		ssize_t bytes = readlinkat(dirfd(dir), entry->d_name, link, sizeof(link) - 1);

		if (bytes <= 0)
			continue;
		link[bytes] = '\0';
		if (!strncmp(link, "pipe:", 5) || !strncmp(link, "socket:", 7))
			json_array_append_new(
				descriptors,
				json_pack("{si ss}", "fd", atoi(entry->d_name), "link", link));
	}
	if (dir)
		closedir(dir);
	return descriptors;
}

int hang_sample_write(const char *dir, pid_t pid, struct diag *diag)
{
	char path[64], name[64], *text;
	json_t *threads, *sample;
	struct dirent *entry;
	DIR *tasks;
	int error;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	tasks = opendir(path);
	if (!tasks)
		return 0;
	threads = json_array();
	while ((entry = readdir(tasks)))
		if (isdigit((unsigned char)entry->d_name[0]))
			json_array_append_new(threads, sample_thread(dirfd(tasks), entry->d_name));
	closedir(tasks);
	sample = json_pack("{ss si so so}", "schema", "thrum-sample/1", "pid", (int)pid, "threads",
			   threads, "descriptors", sample_descriptors(pid));
	text = sample ? json_dumps(sample, JSON_INDENT(1)) : NULL;
	json_decref(sample);
	if (!text)
		return diag_set(diag, THRUM_ENOMEM, "out of memory");
	snprintf(name, sizeof(name), "%d.sample.json", pid);
	error = run_dir_write(dir, name, text, strlen(text), diag);
	free(text);
	return error;
}
