/* SPDX-License-Identifier: MIT */
/* engage_annotate.h - exercises of what include/thrum.h calls. A definition counts as a record. */
#ifndef THRUM_TESTS_ENGAGE_ANNOTATE_H
#define THRUM_TESTS_ENGAGE_ANNOTATE_H

#include "../../include/thrum.h"

static uint32_t own_lock, own_task;

SIMPLE(thrum__lock_name, 1, thrum_lock_name(&m, "engaged"))
SIMPLE(thrum__lock_class, 1, thrum_lock_class(&m, "engagement"))
SIMPLE(thrum__lock_order, 1, thrum_lock_order(&m, &l))
SIMPLE(thrum__class_order, 5, thrum_class_order("engagement", "other"))
SIMPLE(thrum__lock_init, 1, thrum_lock_init(&own_lock, 0))
SIMPLE(thrum__lock_acquired, 1, thrum_lock_acquired(&own_lock, THRUM_TRY))
SIMPLE(thrum__lock_acquiring, 2, thrum_lock_acquiring(&own_lock, 0);
       thrum_lock_acquired(&own_lock, 0); thrum_lock_releasing(&own_lock))
SIMPLE(thrum__lock_releasing, 2, thrum_lock_acquired(&own_lock, 0); thrum_lock_releasing(&own_lock))
SIMPLE(thrum__lock_destroy, 1, thrum_lock_destroy(&own_lock))
SIMPLE(thrum__lock_hand_over, 2, pthread_mutex_lock(&m); thrum_lock_hand_over(&m);
       pthread_mutex_unlock(&m))
static int exercise_thrum__task_create(void)
{
	own_task = thrum_task_create("engaged", 7);
	return own_task ? 2 : 1000;
}
SIMPLE(thrum__task_step, 2, thrum_task_start(own_task); thrum_task_finish(own_task))
SIMPLE(thrum__fiber_switch, 2, thrum_fiber_switch(own_task); thrum_fiber_switch(0))
SIMPLE(thrum__benign, 2, thrum_benign_begin(); thrum_benign_end())

#endif
