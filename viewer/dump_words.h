/* SPDX-License-Identifier: MIT */
/*
 * dump_words.h - numbers of records as the words people know: modes, signals, wait statuses,
 * identities. Writes to the FILE it is given.
 */
#ifndef THRUM_VIEWER_DUMP_WORDS_H
#define THRUM_VIEWER_DUMP_WORDS_H

#include "../trace/trace_reader.h"

#include <stdint.h>
#include <stdio.h>

struct dump_bit {
	uint64_t bit;
	const char *word;
};

/* "shared|timed"; what has no word in hexadecimal. The table ends with a NULL word. */
void dump_put_bits(FILE *out, uint64_t value, const struct dump_bit *bits);

extern const struct dump_bit dump_mode_bits[];

/* "TERM", "RTMIN+2". */
void dump_put_signal(FILE *out, unsigned signal);

/* "INT,TERM"; "none"; "all but KILL,STOP" where that is shorter. Bit n - 1 = signal n. */
void dump_put_signals(FILE *out, uint64_t mask);

/* "EAGAIN", or the number. */
void dump_put_errno(FILE *out, int error);

/* Of waitpid: "exit 3", "killed by SEGV", "stopped by STOP", "continued". */
void dump_put_wait_status(FILE *out, int status);

/* "flock of inode 8:123", "bytes 0 to 9 of inode 8:123 (POSIX lock)", "pipe 4711". */
void dump_put_identity(FILE *out, const struct tf_def_identity *identity);

#endif
