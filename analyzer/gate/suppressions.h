/* SPDX-License-Identifier: MIT */
/*
 * suppressions.h - files that say which findings are known and accepted: our own lines, and the
 * files of ThreadSanitizer and Valgrind as they are.
 *
 * Own dialect, one entry a line:
 *
 *   RULE:PATTERN[;PATTERN...]  # REASON, expires=YYYY-MM-DD
 *
 * RULE is a rule id or *. All PATTERNs of an entry must match; each against the bare function
 * names, the base names of modules and the source files of the finding's stacks and thread starts,
 * and its locks' symbols. * stands for any characters. On and after the day of `expires` (also
 * "expires: DATE", "Expires DATE") the entry no longer counts.
 *
 * ThreadSanitizer's (https://clang.llvm.org/docs/SanitizerSpecialCaseList.html and the runtime's
 * flags): TYPE:TEMPLATE, where TEMPLATE matches any part of a function, file or module of any
 * stack, ^ and $ anchor it. Valgrind's (manual, section 2.5): blocks in braces, frames innermost
 * first, `...` for any number; frames of Valgrind's own intercepts are stepped over, since our
 * stacks begin at the caller.
 *
 * A file's dialect is told by its content; a line that no dialect knows is an error with its place.
 * Entries for other tools or for kinds of error that thrum does not look for are kept but never
 * count as unused.
 *
 * Not thread-safe. Nothing here prints.
 */
#ifndef THRUM_ANALYZER_GATE_SUPPRESSIONS_H
#define THRUM_ANALYZER_GATE_SUPPRESSIONS_H

#include "../../trace/trace_diag.h"
#include "../finding.h"

enum suppression_state {
	SUPPRESSION_UNUSED,
	SUPPRESSION_USED,
	SUPPRESSION_EXPIRED, /* its day has come: does not count, whatever it matches */
	SUPPRESSION_FOREIGN, /* about another tool or another kind of error */
	SUPPRESSION_OFF,     /* all of its rules are off: nobody looked for what it hides */
};

struct suppression {
	const char *file; /* as given */
	unsigned line;	  /* where it begins, 1-based */
	const char *text; /* the line, or the block's name */
	const char *kind; /* ThreadSanitizer's type, Valgrind's TOOL:KIND; NULL of our own lines */
	const char *reason;  /* NULL = none given */
	const char *expires; /* "YYYY-MM-DD"; NULL = never */
	enum suppression_state state;
	uint64_t hits; /* findings hidden */
};

struct suppressions;

struct suppressions *suppressions_new(void);
void suppressions_free(struct suppressions *s); /* takes NULL */

/*
 * Adds the entries of `path`. `today` is "YYYY-MM-DD". THRUM_EIO where it cannot be read,
 * THRUM_EINVAL with file and line where it is not understood; nothing of it is kept then.
 */
int suppressions_load(struct suppressions *s, const char *path, const char *today,
		      struct diag *diag);

/* The same from memory; `path` only names it. */
int suppressions_parse(struct suppressions *s, const char *path, const char *text, size_t bytes,
		       const char *today, struct diag *diag);

/*
 * Marks every finding that an entry matches: suppressed_by, suppressed_reason. Counts hits. After
 * symbolisation; strings are copied into the list.
 */
void suppressions_apply(struct suppressions *s, struct finding_list *list);

/* Entries whose rules are all off cannot be called unused. Before suppressions_apply. */
void suppressions_keep_rules(struct suppressions *s, const bool on[RULE_COUNT]);

size_t suppressions_count(const struct suppressions *s);
const struct suppression *suppressions_get(const struct suppressions *s, size_t index);

#endif
