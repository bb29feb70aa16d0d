/* SPDX-License-Identifier: MIT */
/*
 * words.h - how reports call threads, locks, places and amounts: the same words in every sink made
 * for people.
 *
 * Functions that take a buffer write at most `bytes` - 1 characters and NUL and return the buffer.
 * What they write is not escaped yet: names come from the recorded program.
 */
#ifndef THRUM_ANALYZER_REPORT_WORDS_H
#define THRUM_ANALYZER_REPORT_WORDS_H

#include "sink.h"

#define WORDS_BYTES 512

/*
 * "Leaked thread: main thread …": the finding's title after its rule's, unless it begins with a
 * headline of its own.
 */
const char *words_title(const struct finding *f, char *buffer, size_t bytes);

/*
 * The message without sentences at its beginning that the title or a line of words_wait says
 * already; NULL = it says no more than they do. Borrowed.
 */
const char *words_message(const struct finding *f);

/* "main thread", "thread 3 \"worker\"", "thread 3"; "a thread" for id 0. */
const char *words_thread(const struct finding *f, uint32_t id, char *buffer, size_t bytes);

/*
 * "mutex g_lock"; "mutex #2" where it has no name, by its place in the finding's list, as
 * finding_expand_names says it in titles; "lock 7" where the finding does not list it; "a lock" for
 * id 0.
 */
const char *words_lock(const struct finding *f, uint32_t id, char *buffer, size_t bytes);

/* "mutex g_a, rwlock g_b and mutex g_c" */
const char *words_held(const struct finding *f, const struct finding_stack *stack, char *buffer,
		       size_t bytes);

/*
 * True where the heading is a remark ("the second join") rather than a verb, and a comma belongs
 * before it.
 */
bool words_is_remark(const struct finding_stack *stack);

/* True where the stack's own line is not to blame: where a collector freed something, where a task came to wait after it was slow, who posted it. */
bool words_is_aside(const struct finding *f, const struct finding_stack *stack);

/* What the thread of a stack did there: "waits for mutex g_lock (since 2 s)", "the second join". */
const char *words_heading(const struct finding *f, const struct finding_stack *stack, char *buffer,
			  size_t bytes);

/*
 * One line of who waits for what: "thread 2 waits for mutex g_lock, held by thread 3 (since 2 s)",
 * "thread 2 takes mutex g_a, then mutex g_b". False where the stack says nothing of the kind.
 */
bool words_wait(const struct finding *f, const struct finding_stack *stack, char *buffer,
		size_t bytes);

/*
 * Function of a frame, long C++ names bare; "libfoo.so+0x1234" where unknown, "unknown code" where
 * nothing is.
 */
const char *words_function(const struct frame *frame, char *buffer, size_t bytes);

/* "bank.c:41", "libfoo.so+0x1234"; "" where the function already says it all. */
const char *words_place(const struct frame *frame, char *buffer, size_t bytes);

/*
 * Innermost three frames of the program on one line: "init bank.c:9 <- main bank.c:30"; "" =
 * unknown.
 */
const char *words_site(const struct frames *frames, char *buffer, size_t bytes);

/* "stats.c:12", where a variable is declared; "" = unknown, or no variable. */
const char *words_declared(const struct finding_lock *lock, char *buffer, size_t bytes);
/* What its first_seen is: "allocated", "first seen". */
const char *words_first_seen(const struct finding_lock *lock);

/* "observed: it happened in this run" */
const char *words_confidence(const struct finding *f);

/* "1,234,567 events", "1 event" (`plural` NULL = singular + "s"). */
const char *words_count(uint64_t count, const char *singular, const char *plural, char *buffer,
			size_t bytes);

/* "2 errors, 1 warning" of a report. "" where there are none. */
const char *words_levels(const struct report *report, char *buffer, size_t bytes);

#define UNRECORDED_BYTES 1200

/* "4 threads, 12 locks, 1,234,567 events in 2 processes"; how much memory was watched: coverage.h */
const char *words_seen(const struct report *report, char *buffer, size_t bytes);

/* "12 events, 3 chunks"; "" = nothing was lost. */
const char *words_lost(const struct report *report, char *buffer, size_t bytes);

/* "2 suppressions match nothing or have expired, which fails the run"; "" where it does not. */
const char *words_stale(const struct report *report, char *buffer, size_t bytes);

/*
 * Line `index` about programs that did not record themselves; NULL after the last: three are named, the others
 * counted.
 */
const char *words_unrecorded(const struct report *report, size_t index, char *buffer, size_t bytes);

/* "2 deadlock, 1 stuck-wait": rule ids in the order of the findings. */
const char *words_rules(const struct report *report, char *buffer, size_t bytes);

/*
 * Where it was, when the run has several processes: "in process 12 CMD…" or "in processes 12 and 13";
 * empty when there is one. The command is not escaped.
 */
const char *words_processes(const struct report *report, const struct finding *f, char *buffer,
			    size_t bytes);

#endif
