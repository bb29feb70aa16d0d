/* SPDX-License-Identifier: MIT */
/*
 * memory_proofs.h - which lock-order inversions that were found are proven by the accesses that were recorded: with a witness.
 *
 * Makes no findings: of those of lock_order, which comes before, a potential one becomes proven. What lock_order ruled out stays so.
 */
#ifndef THRUM_ANALYZER_CHECKERS_MEMORY_PROOFS_H
#define THRUM_ANALYZER_CHECKERS_MEMORY_PROOFS_H

#include "../checker.h"
#include "../predict/predict.h"
#include "../recorded/recorded.h"

/* The end of a witness as steps of a finding. `steps` are of the sequence of `recorded`. */
void memory_proofs_add_steps(struct analysis *a, struct trace_memory *memory,
			     const struct recorded *recorded, struct finding *f,
			     const struct witness_step *step, uint32_t steps,
			     uint64_t events_before);
/* "… after 20 events (1) thread 2 does 3 events, from … to …; " */
const char *memory_proofs_step_words(struct analysis *a, const struct finding *f);

/* After the last event of the image; `recorded` was fed all of it. */
void memory_proofs_tell(struct analysis *a, struct trace_memory *memory, struct recorded *recorded);

#endif
