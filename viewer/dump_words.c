/* SPDX-License-Identifier: MIT */
/*
 * dump_words.c - words for the numbers of records. Knows no stream and no process.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* strerrorname_np, sigabbrev_np */
#endif
#include "dump_words.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#define SIGNALS 64u

const struct dump_bit dump_mode_bits[] = {
	{ TRACE_MODE_SHARED, "shared" },
	{ TRACE_MODE_TRY, "try" },
	{ TRACE_MODE_TIMED, "timed" },
	{ TRACE_MODE_UNLOCKED, "mutex-not-held" },
	{ 0, NULL },
};

void dump_put_bits(FILE *out, uint64_t value, const struct dump_bit *bits)
{
	const char *separator = "";

	for (; bits->word; bits++) {
		if (value & bits->bit) {
			fprintf(out, "%s%s", separator, bits->word);
			separator = "|";
			value &= ~bits->bit;
		}
	}
	if (value || !*separator) {
		fprintf(out, "%s%#" PRIx64, separator, value);
	}
}

void dump_put_signal(FILE *out, unsigned signal)
{
	const char *name = signal < SIGNALS ? sigabbrev_np((int)signal) : NULL;

	if (name) {
		fputs(name, out);
	} else if (signal >= (unsigned)SIGRTMIN && signal <= (unsigned)SIGRTMAX) {
		fprintf(out, "RTMIN+%u", signal - (unsigned)SIGRTMIN);
	} else {
		fprintf(out, "%u", signal);
	}
}

static void put_set(FILE *out, uint64_t mask)
{
	const char *separator = "";

	for (unsigned signal = 1; signal <= SIGNALS; signal++) {
		if (mask >> (signal - 1) & 1) {
			fputs(separator, out);
			dump_put_signal(out, signal);
			separator = ",";
		}
	}
}

void dump_put_signals(FILE *out, uint64_t mask)
{
	/* KILL, STOP and the two that libc keeps for itself can never be blocked. */
	uint64_t never = 1ull << (SIGKILL - 1) | 1ull << (SIGSTOP - 1) | 3ull << 31;
	uint64_t open = ~mask & ~never;

	if (!mask) {
		fputs("none", out);
	} else if (!open) {
		fputs("all", out);
	} else if (__builtin_popcountll(open) < 16) {
		fputs("all but ", out);
		put_set(out, open);
	} else {
		put_set(out, mask);
	}
}

void dump_put_errno(FILE *out, int error)
{
	const char *name = error > 0 ? strerrorname_np(error) : NULL;

	if (name) {
		fputs(name, out);
	} else {
		fprintf(out, "%d", error);
	}
}

void dump_put_wait_status(FILE *out, int status)
{
	if (WIFEXITED(status)) {
		fprintf(out, "exit %d", WEXITSTATUS(status));
	} else if (WIFCONTINUED(status)) {
		fputs("continued", out);
	} else if (WIFSIGNALED(status)) {
		fputs("killed by ", out);
		dump_put_signal(out, (unsigned)WTERMSIG(status));
	} else {
		fputs("stopped by ", out);
		dump_put_signal(out, (unsigned)WSTOPSIG(status));
	}
}

static void put_range(FILE *out, const struct tf_def_identity *id)
{
	if (!id->length && !id->offset) {
		fputs("all", out);
	} else if (!id->length) {
		fprintf(out, "bytes from %" PRIu64, id->offset);
	} else {
		fprintf(out, "bytes %" PRIu64 " to %" PRIu64, id->offset,
			id->offset + id->length - 1);
	}
}

static void put_inode(FILE *out, const struct tf_def_identity *id)
{
	fprintf(out, "inode %u:%u/%" PRIu64, major(id->dev), minor(id->dev), id->ino);
}

void dump_put_identity(FILE *out, const struct tf_def_identity *id)
{
	switch ((enum tf_identity_space)id->space) {
	case TF_IDENTITY_MEMORY:
		fprintf(out, "offset %#" PRIx64 " of ", id->offset);
		put_inode(out, id);
		return;
	case TF_IDENTITY_FLOCK:
		fputs("flock of ", out);
		put_inode(out, id);
		return;
	case TF_IDENTITY_POSIX_LOCK:
	case TF_IDENTITY_OFD_LOCK:
		fputs(id->space == TF_IDENTITY_OFD_LOCK ? "OFD lock of " : "POSIX lock of ", out);
		put_range(out, id);
		fputs(" of ", out);
		put_inode(out, id);
		return;
	case TF_IDENTITY_SYSV_SEM:
		fprintf(out, "System V semaphore %" PRIu64 " of set %" PRIu64, id->offset, id->ino);
		return;
	case TF_IDENTITY_PIPE:
		fprintf(out, "pipe %" PRIu64, id->ino);
		return;
	case TF_IDENTITY_SOCKET:
		fprintf(out, "socket %" PRIu64, id->ino);
		if (id->length) {
			fprintf(out, ", peer %" PRIu64, id->length);
		}
		return;
	case TF_IDENTITY_QUEUE:
		if (id->dev == UINT64_MAX) {
			fprintf(out, "System V queue %" PRIu64, id->ino);
			return;
		}
		fputs("queue of ", out);
		put_inode(out, id);
		return;
	}
	fprintf(out, "space %" PRIu32, id->space);
}
