/* SPDX-License-Identifier: MIT */
/*
 * memory_proofs.h - which lock-order inversions that were found are proven by the accesses that were recorded: with a witness.
 *
 * Makes no findings: of those of lock_order, which comes before, a potential one becomes proven. What lock_order ruled out stays so.
 */
#ifndef THRUM_ANALYZER_CHECKERS_MEMORY_PROOFS_H
#define THRUM_ANALYZER_CHECKERS_MEMORY_PROOFS_H

#include "../checker.h"
#include "../recorded/recorded.h"

/* After the last event of the image; `recorded` was fed all of it, and is finished here. */
void memory_proofs_tell(struct analysis *a, struct trace_memory *memory, struct recorded *recorded);

#endif
