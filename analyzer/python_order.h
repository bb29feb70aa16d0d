/* SPDX-License-Identifier: MIT */
/*
 * python_order.h - what a lock of Python's standard library says about order, by where it is taken.
 *
 * The library takes locks of its own whenever a thread starts or ends, an item goes to a pool, a line is logged. They put one thread after
 * another by accident of a run and hand nothing over: two threads whose work is short would never be unordered. And the one lock of a
 * queue.Queue stands for two things that are handed over, and for nothing between those who put or those who get.
 */
#ifndef THRUM_ANALYZER_PYTHON_ORDER_H
#define THRUM_ANALYZER_PYTHON_ORDER_H

#include "happens_before.h"

struct python_order;

struct python_order *python_order_new(const struct trace_process *process); /* keeps it */
void python_order_free(struct python_order *o);				    /* takes NULL */

/* happens_before_apply() for a process with an interpreter. */
void python_order_apply(struct python_order *o, struct happens_before *hb,
			const struct trace_event *event);

#endif
