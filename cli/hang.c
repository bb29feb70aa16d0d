/* SPDX-License-Identifier: MIT */
/*
 * hang.c - finds the processes of a hung program, samples them, and ends them.
 */
#include "hang.h"

#include "hang_sample.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 8 /* a process may fork while we look: looked again until nothing new is there */
#define ENVIRONMENT_MAX (2u << 20)

struct process {
	pid_t pid, ppid;
	uint64_t start; /* clock ticks since boot */
	bool is_ours, stopped;
	int fd; /* owns: of an ours; -1 = gone */
};

struct processes {
	struct process *list; /* owned */
	size_t count, capacity;
};

struct hunt {
	const char *dir, *settings; /* borrowed; NULL = not recorded */
	pid_t program;
	uint64_t program_start;
	struct processes all;	/* of this round */
	struct processes ended; /* of the rounds before */
};

/* ---- /proc ---- */

/* False where the process is gone or a zombie. */
static bool read_stat(pid_t pid, struct process *process)
{
	char path[64], text[1024], *after, state;
	FILE *in;
	bool ok;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	in = fopen(path, "re");
	if (!in)
		return false;
	ok = fgets(text, sizeof(text), in) && (after = strrchr(text, ')')) &&
	     sscanf(after,
		    ") %c %d %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %" SCNu64,
		    &state, &process->ppid, &process->start) == 3 &&
	     state != 'Z' && state != 'X';
	fclose(in);
	process->stopped = ok && (state == 'T' || state == 't');
	process->pid = pid;
	return ok;
}

static void add(struct processes *processes, const struct process *process)
{
	if (processes->count == processes->capacity) {
		size_t capacity = 2 * processes->capacity + 256;
		void *grown = reallocarray(processes->list, capacity, sizeof(*processes->list));

		if (!grown)
			return; /* it lives on; better than none is ended */
		processes->list = grown;
		processes->capacity = capacity;
	}
	processes->list[processes->count++] = *process;
}

/* Everything that was started since the program was. */
static void list_processes(struct hunt *hunt)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	hunt->all.count = 0;
	while (proc && (entry = readdir(proc))) {
		struct process process = { .fd = -1 };
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (pid > 0 && pid != getpid() && read_stat(pid, &process) &&
		    process.start >= hunt->program_start)
			add(&hunt->all, &process);
	}
	if (proc)
		closedir(proc);
}

/* Does `pid` have a map file of `dir` mapped? */
static bool maps_trace(const char *dir, pid_t pid)
{
	char path[64], line[4096 + 256];
	uint64_t inode;
	bool found = false;
	struct stat st;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "re");
	if (!maps)
		return false;
	while (!found && fgets(line, sizeof(line), maps)) {
		const char *name = strrchr(line, '/');
		size_t bytes = name ? strcspn(name, "\n") : 0;
		char *file;

		if (bytes < 4 || strncmp(name + bytes - 4, ".map", 4) ||
		    sscanf(line, "%*s %*s %*s %*s %" SCNu64, &inode) != 1 ||
		    asprintf(&file, "%s%.*s", dir, (int)bytes, name) < 0)
			continue;
		/* The device of maps is the file system's own on overlays and btrfs, st_dev is not: compare the inode. */
		found = !stat(file, &st) && st.st_ino == inode;
		free(file);
	}
	fclose(maps);
	return found;
}

/* Was it started with this run's settings? Those name the trace directory. */
static bool has_settings(const char *settings, pid_t pid)
{
	char path[64], *wanted, *text = malloc(ENVIRONMENT_MAX);
	size_t bytes = 0, length;
	bool found = false;
	ssize_t got = 0;
	int fd;

	if (!text || asprintf(&wanted, "THRUM_OPTIONS=%s", settings) < 0) {
		free(text);
		return false;
	}
	length = strlen(wanted) + 1;
	snprintf(path, sizeof(path), "/proc/%d/environ", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && (got = read(fd, text + bytes, ENVIRONMENT_MAX - bytes)) > 0)
		bytes += (size_t)got;
	if (fd >= 0)
		close(fd);
	for (const char *p = text, *end = text + bytes; !found && p && p + length <= end;
	     p = memchr(p, '\0', (size_t)(end - p)), p = p ? p + 1 : NULL)
		found = !memcmp(p, wanted, length);
	free(wanted);
	free(text);
	return found;
}

/* ---- whose ---- */

static bool was_ended(const struct hunt *hunt, const struct process *process)
{
	for (size_t i = 0; i < hunt->ended.count; i++)
		if (hunt->ended.list[i].pid == process->pid &&
		    hunt->ended.list[i].start == process->start)
			return true;
	return false;
}

static bool is_root(const struct hunt *hunt, const struct process *process)
{
	if (process->pid == hunt->program)
		return true;
	return (hunt->dir && maps_trace(hunt->dir, process->pid)) ||
	       (hunt->settings && has_settings(hunt->settings, process->pid));
}

static bool parent_is_ours(const struct processes *all, const struct process *process)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->list[i].pid == process->ppid)
			return all->list[i].is_ours;
	return false;
}

/* Marks the roots, then what is below them. */
static void mark(struct hunt *hunt)
{
	struct processes *all = &hunt->all;
	bool more = true;

	for (size_t i = 0; i < all->count; i++)
		all->list[i].is_ours = is_root(hunt, &all->list[i]);
	while (more) {
		more = false;
		for (size_t i = 0; i < all->count; i++) {
			if (all->list[i].is_ours || !parent_is_ours(all, &all->list[i]))
				continue;
			all->list[i].is_ours = more = true;
		}
	}
}

/* Takes hold of what is ours, and makes sure that it still is who it was. */
static size_t hold(struct hunt *hunt)
{
	size_t count = 0;

	for (size_t i = 0; i < hunt->all.count; i++) {
		struct process *process = &hunt->all.list[i], now;

		if (!process->is_ours || was_ended(hunt, process))
			continue;
		process->fd = (int)syscall(SYS_pidfd_open, process->pid, 0);
		if (process->fd < 0)
			continue;
		if (read_stat(process->pid, &now) && now.start == process->start) {
			count++;
			continue;
		}
		close(process->fd);
		process->fd = -1;
	}
	return count;
}

/* ---- the end ---- */

static int sample_held(struct hunt *hunt, struct diag *diag)
{
	int error = 0;

	for (size_t i = 0; i < hunt->all.count && hunt->dir; i++)
		if (hunt->all.list[i].fd >= 0 && !error)
			error = hang_sample_write(hunt->dir, hunt->all.list[i].pid, diag);
	return error;
}

static bool any_runs(const struct hunt *hunt)
{
	struct process now;

	for (size_t i = 0; i < hunt->all.count; i++)
		if (hunt->all.list[i].fd >= 0 && read_stat(hunt->all.list[i].pid, &now) &&
		    !now.stopped)
			return true;
	return false;
}

/*
 * The end of one process frees its file locks and closes its pipes: what the others wait for would
 * be there, and the trace would show a hang that resolved itself. So all stand still first.
 */
static void stop_held(struct hunt *hunt)
{
	const struct timespec pause = { .tv_nsec = 1000000 };

	for (size_t i = 0; i < hunt->all.count; i++)
		if (hunt->all.list[i].fd >= 0)
			syscall(SYS_pidfd_send_signal, hunt->all.list[i].fd, SIGSTOP, NULL, 0);
	for (int tries = 0; tries < 200 && any_runs(hunt); tries++)
		nanosleep(&pause, NULL);
}

static void end_held(struct hunt *hunt)
{
	for (size_t i = 0; i < hunt->all.count; i++) {
		struct process *process = &hunt->all.list[i];

		if (process->fd < 0)
			continue;
		syscall(SYS_pidfd_send_signal, process->fd, SIGKILL, NULL, 0);
		close(process->fd);
		process->fd = -1;
		add(&hunt->ended, process);
	}
}

int hang_end(const char *dir, const char *settings, pid_t program, struct diag *diag)
{
	struct hunt hunt = { .dir = dir, .settings = settings, .program = program };
	struct process self;
	int error = 0;

	/* The program is our child and not waited for yet: its number is its own. */
	if (read_stat(program, &self))
		hunt.program_start = self.start;
	else
		hunt.program_start =
			UINT64_MAX; /* a zombie already; what it left is not known by its parent */
	for (int round = 0; round < ROUNDS; round++) {
		list_processes(&hunt);
		mark(&hunt);
		if (!hold(&hunt))
			break;
		/* All are sampled before the first dies: a parent's end wakes its children. */
		if (!round)
			error = sample_held(&hunt, diag);
		stop_held(&hunt);
		end_held(&hunt);
	}
	kill(program, SIGKILL); /* where there is no /proc */
	free(hunt.all.list);
	free(hunt.ended.list);
	return error;
}
