/* SPDX-License-Identifier: MIT */
/*
 * fingerprint.h - which findings are the same one: a stable key, the merge of equals, the line that
 * suppresses them.
 *
 * Fingerprint = 32 hex digits of XXH3-128 over the rule id and the sorted set of the finding's
 * parties. A party is
 *
 *   a stack      role, kind and symbol of its lock, frames
 *   a lock       kind and symbol, where no stack mentions it
 *   a thread     start function and frames of its creation, where no stack mentions it
 *
 * and its frames are the innermost FINGERPRINT_FRAMES ones of the program, after what comes and
 * goes with compilers and libraries is left out: frames of the runtime at the outer end, inlined
 * plumbing of the standard libraries, repetitions of a recursion. A frame is its function's bare
 * name (no parameters, template arguments, clone suffixes or hashes) and the base name of its
 * module without version; only the module where the function is unknown.
 *
 * So no address, line, path, pid or thread number is in it, and neither the rotation of a cycle nor
 * which thread played which part matters. A symbol's offset or index ("accounts+40",
 * "node[3].lock") is left out: elements of an array are one class.
 *
 * A second, looser key, `place`, is made of the rule and of where the finding's locks and threads
 * came from: equal places with different fingerprints are a finding whose code moved.
 */
#ifndef THRUM_ANALYZER_FINGERPRINT_H
#define THRUM_ANALYZER_FINGERPRINT_H

#include "finding.h"

#define FINGERPRINT_FRAMES 5

/*
 * After symbolisation: fills `fingerprint`, `place` and `suppression` of every finding, then merges findings
 * of equal rule and fingerprint, across processes too: counts are added, what one report hides and another does not
 * is listed, and the one with the higher level or confidence stays, then the earlier one. Keeps the order of the list but for that. Findings that have
 * their keys (report_read.h) keep them. Commutative and associative: parts may be merged in any order.
 */
void findings_finish(struct finding_list *list);

/*
 * The bare name of a demangled function: "std::map<int, foo>::at(int const&) const" gives
 * "std::map::at", "work(int) [clone .isra.0]" gives "work",
 * "main::{lambda(int)#2}::operator()(int)" gives "main::{lambda}::operator()". Writes at most
 * `bytes` - 1 characters and NUL; `bytes` > 0. Always shorter than or as long as the input.
 */
void function_bare_name(const char *function, char *ret_name, size_t bytes);

/* That, or the name as it is where nothing is left of it. */
void function_key_name(const char *function, char *ret_name, size_t bytes);

/* What names a lock's class: "accounts" of "accounts+40", "node[].lock" of "node[17].lock", "rooms[]" of "rooms["anna"]". `bytes` > 0. */
void symbol_class(const char *name, char *ret_class, size_t bytes);

/*
 * The line to paste into a suppressions file, one finding a line:
 *
 *   RULE:PATTERN[;PATTERN...]  # REASON, expires=YYYY-MM-DD
 *
 * RULE is a rule id. All PATTERNs must match; a PATTERN is the bare name of a function that a stack of the finding holds or
 * that one of its threads runs, the base name of a module, or the symbol of a lock; * where nothing
 * has a name. What follows '#' is for people, but for expires=: after that day the line no longer
 * counts. findings_finish calls this; the list owns the result.
 */
const char *finding_make_suppression(struct finding_list *list, const struct finding *f);

#endif
