/* SPDX-License-Identifier: MIT */
/*
 * gate.h - which findings count: --suppressions and --baseline, and what is said of entries that no longer do.
 */
#ifndef THRUM_CLI_GATE_H
#define THRUM_CLI_GATE_H

#include "../analyzer/gate/baseline.h"
#include "../analyzer/gate/suppressions.h"
#include "options.h"

struct gate {
	const struct options *options;
	struct suppressions *suppressions; /* owns */
	struct baseline baseline;	   /* owns */
};

/*
 * Reads the files of the options; before a long run, so that a bad file is said at once. gate_release after a failure
 * too.
 */
int gate_load(const struct options *options, struct gate *ret_gate, struct diag *diag);
void gate_release(struct gate *gate);

/* Marks what is suppressed and what is known. After findings_finish. */
void gate_apply(struct gate *gate, struct finding_list *findings);

/*
 * How many entries are unused or expired, where that fails the run (--strict-suppressions). After
 * gate_apply.
 */
unsigned gate_count_stale(const struct gate *gate);

/*
 * Says which entries are unused or expired and which findings of the baseline are gone, and
 * which entries of other tools' files are of no use here; quiet says only the first two.
 */
void gate_tell(const struct gate *gate);

#endif
