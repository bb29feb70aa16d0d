/* SPDX-License-Identifier: MIT */
/*
 * stuck_wait_report.h - one stuck-wait finding: its words and stacks, from the objects that
 * stuck_wait.c found to be the cause.
 */
#ifndef THRUM_ANALYZER_STUCK_WAIT_REPORT_H
#define THRUM_ANALYZER_STUCK_WAIT_REPORT_H

#include "wait_story.h"

/* The cause, and who is behind it. */
struct stuck {
	struct wait_report *r;
	enum confidence confidence;
	const uint32_t *
		targets; /* nodes of the objects waited for, the most telling one first; borrowed */
	uint32_t target_count;
	bool main_behind; /* the main thread joins, or needs a lock of, one of the waiters */
	uint32_t others_behind;
	/* Filled and freed by stuck_report: all threads that wait at the targets, by id. */
	uint32_t *waiter;
	uint32_t waiter_count;
};

/* Reports it, unless nobody waits there or the rule is switched off. */
void stuck_report(struct stuck *s);

#endif
