/* SPDX-License-Identifier: MIT */
/*
 * lock_order_class.h - locks of one class that are nested: instances that were made at one place, or elements of one array.
 *
 * transfer(from, to) that locks first one account, then the other is a hazard also where no run had (1, 2) and (2, 1). A hint, never
 * more: see lock_order_class.c for what makes it silent.
 */
#ifndef THRUM_ANALYZER_CHECKERS_LOCK_ORDER_CLASS_H
#define THRUM_ANALYZER_CHECKERS_LOCK_ORDER_CLASS_H

#include "lock_order.h"

/* Notes `fact` where its two locks are of one class. Called for the newest holds of a request that was not met before. */
void lock_class_note(struct lock_order *order, struct analysis *a, struct model_thread *t,
		     const struct lock_fact *fact);

/* At the end of the first pass: the findings. */
void lock_class_search(struct lock_order *order, struct analysis *a);

#endif
