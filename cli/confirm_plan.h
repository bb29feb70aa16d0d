/* SPDX-License-Identifier: MIT */
/*
 * confirm_plan.h - from a lock-order inversion to the plan that the recorder steers by, and from a deadlock back: is it that one?
 */
#ifndef THRUM_CLI_CONFIRM_PLAN_H
#define THRUM_CLI_CONFIRM_PLAN_H

#include "../analyzer/finding.h"
#include "../trace/trace_diag.h"
#include "../trace/trace_steer.h"

/* THRUM_EINVAL with the reason where this finding has no plan. */
int confirm_plan_make(const struct finding *f, struct steer_plan *ret_plan, struct diag *diag);

/* Do the threads of this deadlock wait where the plan says, each edge by a thread of its own? */
bool confirm_plan_happened(const struct steer_plan *plan, const struct finding *f);

#endif
