/* SPDX-License-Identifier: MIT */
/*
 * hang_watch.c - ages the wait slots of a live trace, decides when an analysis is worth it, and runs it in a child.
 */
#include "hang_watch.h"

#include "../trace/trace_look.h"
#include "cli.h"
#include "hang_report.h"
#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOK_MIN_NS 20000000u
#define LOOK_MAX_NS 500000000u
#define PAUSE_FACTOR 10u
#define NICE 10

/* An entry and since when it has been as it is. */
struct aged {
	struct trace_look_entry entry;
	uint64_t since_ns;
};

struct hang_watch {
	const char *dir;	       /* borrowed */
	const struct options *options; /* borrowed */
	struct trace_look look;	       /* newest glance */
	struct aged *aged;	       /* owns; as the glance before it, sorted alike */
	size_t aged_count;
	uint64_t next_ns, not_before_ns;
	uint64_t analysed; /* hash of the set of stuck threads that was analysed last */
	struct hang_known known;
	/* The analysis under way; pid 0 = none. */
	pid_t pid;
	int fd; /* owns: its answer */
	uint64_t started_ns;
};

static uint64_t look_interval_ns(const struct hang_watch *watch)
{
	uint64_t ns = watch->options->hang_after_ns / 8;

	return ns < LOOK_MIN_NS ? LOOK_MIN_NS : ns > LOOK_MAX_NS ? LOOK_MAX_NS : ns;
}

struct hang_watch *hang_watch_new(const char *dir, const struct options *options)
{
	struct hang_watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return NULL;
	watch->dir = dir;
	watch->options = options;
	watch->fd = -1;
	watch->next_ns = launch_now_ns() + look_interval_ns(watch);
	return watch;
}

uint64_t hang_watch_next_ns(const struct hang_watch *watch)
{
	return watch->next_ns;
}

/* ---- who has not moved ---- */

static int compare_place(const struct trace_look_entry *a, const struct trace_look_entry *b)
{
	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	if (a->image != b->image)
		return a->image < b->image ? -1 : 1;
	return a->stream < b->stream ? -1 : a->stream > b->stream;
}

/* Takes a new glance; what is as it was keeps its age. */
static bool look_again(struct hang_watch *watch, uint64_t now_ns)
{
	struct aged *aged;
	size_t old = 0;
	struct diag diag;

	if (trace_look_take(&watch->look, watch->dir, &diag))
		return false;
	aged = calloc(watch->look.count + 1, sizeof(*aged));
	if (!aged)
		return false;
	for (size_t i = 0; i < watch->look.count; i++) {
		const struct trace_look_entry *entry = &watch->look.entries[i];

		aged[i] = (struct aged){ .entry = *entry, .since_ns = now_ns };
		while (old < watch->aged_count && compare_place(&watch->aged[old].entry, entry) < 0)
			old++;
		if (old < watch->aged_count && trace_look_is_same(&watch->aged[old].entry, entry))
			aged[i].since_ns = watch->aged[old].since_ns;
	}
	free(watch->aged);
	watch->aged = aged;
	watch->aged_count = watch->look.count;
	return true;
}

static bool is_aged(const struct hang_watch *watch, const struct aged *aged, uint64_t now_ns)
{
	return aged->entry.wait.kind != TRACE_WAIT_NONE &&
	       !(aged->entry.wait.mode & TRACE_MODE_TIMED) &&
	       now_ns - aged->since_ns >= watch->options->hang_after_ns;
}

/* ---- can they be waiting in a cycle? ---- */

/* What a kind of wait needs so that an analysis is worth its cost. */
enum worth {
	WORTH_NEVER,  /* comes back by itself */
	WORTH_CLOSED, /* anybody may end it: only where nobody is left to */
	WORTH_ALONE,  /* somebody in particular must end it */
};

static enum worth wait_worth(const struct trace_wait *wait)
{
	switch ((enum trace_wait_kind)wait->kind) {
	case TRACE_WAIT_LOCK:
	case TRACE_WAIT_SEM:
	case TRACE_WAIT_ONCE:
	case TRACE_WAIT_FUTEX:
		return WORTH_ALONE;
	case TRACE_WAIT_COND:
	case TRACE_WAIT_BARRIER:
	case TRACE_WAIT_JOIN:
	case TRACE_WAIT_CHILD:
		return WORTH_CLOSED;
	case TRACE_WAIT_CALL:
		return wait->object ? WORTH_CLOSED : WORTH_NEVER;
	case TRACE_WAIT_NONE:
		break;
	}
	return WORTH_NEVER;
}

/* Does the wait for a child have a recorded child that still moves? Or none at all, which nothing is known about. */
static bool waits_for_mover(const struct hang_watch *watch, const struct aged *aged,
			    uint64_t now_ns)
{
	bool any = false;

	if (aged->entry.wait.kind != TRACE_WAIT_CHILD)
		return false;
	for (size_t i = 0; i < watch->aged_count; i++) {
		const struct aged *other = &watch->aged[i];

		if (other->entry.ppid != aged->entry.pid)
			continue;
		any = true;
		if (!is_aged(watch, other, now_ns))
			return true;
	}
	return !any;
}

/* Entries [first, end) are one image. */
static bool image_is_worth_it(const struct hang_watch *watch, size_t first, size_t end,
			      uint64_t now_ns)
{
	bool closed = true, joins = false;

	for (size_t i = first; i < end; i++) {
		const struct aged *aged = &watch->aged[i];
		enum worth worth = is_aged(watch, aged, now_ns) ? wait_worth(&aged->entry.wait)
								: WORTH_NEVER;

		if (worth == WORTH_ALONE)
			return true;
		closed = closed && worth != WORTH_NEVER && !waits_for_mover(watch, aged, now_ns);
		/* Threads that join each other need nobody else. */
		joins = joins || (worth == WORTH_CLOSED &&
				  aged->entry.wait.kind == TRACE_WAIT_JOIN && end - first > 1);
	}
	return closed || joins;
}

/* FNV-1a over what makes the set of stuck threads; 0 = there is nothing to analyse. */
static uint64_t stuck_set(const struct hang_watch *watch, uint64_t now_ns)
{
	uint64_t hash = 0xcbf29ce484222325u;
	bool worth = false;

	for (size_t i = 0, end; i < watch->aged_count; i = end) {
		for (end = i + 1; end < watch->aged_count &&
				  watch->aged[end].entry.pid == watch->aged[i].entry.pid &&
				  watch->aged[end].entry.image == watch->aged[i].entry.image;
		     end++)
			;
		worth = worth || image_is_worth_it(watch, i, end, now_ns);
	}
	if (!worth)
		return 0;
	for (size_t i = 0; i < watch->aged_count; i++) {
		const struct trace_look_entry *e = &watch->aged[i].entry;
		const uint64_t parts[] = { e->pid,	   e->image,	  e->stream,
					   e->chunk,	   e->events,	  e->wait.kind,
					   e->wait.object, e->wait.stack, e->wait.ticks };

		for (size_t k = 0; is_aged(watch, &watch->aged[i], now_ns) &&
				   k < sizeof(parts) / sizeof(parts[0]);
		     k++)
			hash = (hash ^ parts[k]) * 0x100000001b3u;
	}
	return hash ? hash : 1;
}

/* ---- the analysis ---- */

/* Half of what the machine has: a trace that needs more is analysed when the program is over. */
static void limit_self(void)
{
	uint64_t half = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE) / 2;
	struct rlimit limit = { half, half };

	setrlimit(RLIMIT_AS, &limit);
	setpriority(PRIO_PROCESS, 0, NICE);
}

__attribute__((noreturn)) static void analysis_main(const struct hang_watch *watch, int fd,
						    uint64_t now_ns)
{
	struct hang_stuck stuck = { 0 };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	limit_self();
	stuck.entries = calloc(watch->aged_count + 1, sizeof(*stuck.entries));
	for (size_t i = 0; stuck.entries && i < watch->aged_count; i++)
		if (is_aged(watch, &watch->aged[i], now_ns))
			stuck.entries[stuck.count++] = watch->aged[i].entry;
	if (stuck.entries)
		hang_report(watch->dir, watch->options, &stuck, &watch->known, fd);
	_exit(0);
}

static void analysis_start(struct hang_watch *watch, uint64_t now_ns)
{
	int pair[2];

	if (pipe2(pair, O_CLOEXEC))
		return;
	fflush(NULL);
	watch->pid = fork();
	if (watch->pid == 0) {
		close(pair[0]);
		analysis_main(watch, pair[1], now_ns);
	}
	close(pair[1]);
	watch->fd = pair[0];
	watch->started_ns = now_ns;
	if (watch->pid > 0)
		return;
	watch->pid = 0;
	close(watch->fd);
}

/* Takes the answer of a child that has ended. Returns true when it reported something. */
static bool analysis_end(struct hang_watch *watch, uint64_t now_ns)
{
	bool reported = false;
	struct hang_fingerprint fingerprint;

	while (read(watch->fd, &fingerprint, sizeof(fingerprint)) == sizeof(fingerprint))
		reported |= hang_known_add(&watch->known, &fingerprint);
	close(watch->fd);
	watch->pid = 0;
	watch->not_before_ns = now_ns + PAUSE_FACTOR * (now_ns - watch->started_ns);
	return reported;
}

static bool analysis_poll(struct hang_watch *watch, uint64_t now_ns)
{
	pid_t got = waitpid(watch->pid, NULL, WNOHANG);

	return got == watch->pid || (got < 0 && errno == ECHILD) ? analysis_end(watch, now_ns)
								 : false;
}

bool hang_watch_look(struct hang_watch *watch)
{
	uint64_t now_ns = launch_now_ns(), set;

	watch->next_ns = now_ns + look_interval_ns(watch);
	if (!look_again(watch, now_ns))
		return false;
	if (watch->pid)
		return analysis_poll(watch, now_ns);
	set = stuck_set(watch, now_ns);
	if (!set || set == watch->analysed || now_ns < watch->not_before_ns)
		return false;
	watch->analysed = set;
	analysis_start(watch, now_ns);
	return false;
}

void hang_watch_free(struct hang_watch *watch)
{
	if (!watch)
		return;
	if (watch->pid) {
		kill(watch->pid, SIGKILL);
		while (waitpid(watch->pid, NULL, 0) < 0 && errno == EINTR)
			;
		close(watch->fd);
	}
	trace_look_release(&watch->look);
	hang_known_release(&watch->known);
	free(watch->aged);
	free(watch);
}
