/* SPDX-License-Identifier: MIT */
/*
 * wait_targets.h - the parts of wait_world.c that say what one thread waits for. For wait_world.c
 * and its kin only.
 *
 * All functions that return a node return 0 where the call can proceed, or where nobody knows.
 * Status of all threads (struct wait_party.status) is known before the first call.
 */
#ifndef THRUM_ANALYZER_WAIT_TARGETS_H
#define THRUM_ANALYZER_WAIT_TARGETS_H

#include "wait_world.h"

/* ---- wait_targets.c ---- */

/* Fills target, retake, woken and awaited of the thread's party, whose slot was read. */
void wait_classify(struct wait_world *w, const struct model_thread *t,
		   const struct trace_wait_state *slot);

/* The node in `*slot`, made in this way when it is 0. */
uint32_t wait_add_node(struct wait_world *w, uint32_t *slot, uint32_t object, enum wait_side side);
uint32_t wait_add_target(struct wait_world *w, uint32_t object, enum wait_side side);

/* NULL = private to its process. */
const struct tf_def_identity *wait_identity(const struct wait_world *w, uint32_t object);
bool wait_is_file_lock(const struct wait_world *w, uint32_t object);
/* A lock that belongs to the process as a whole: its own threads do not wait for it. */
bool wait_is_of_process(const struct wait_world *w, uint32_t object);
bool wait_is_robust(const struct model_object *o);

/* ---- wait_outside.c ---- */

uint32_t wait_call_target(struct wait_world *w, const struct wait_party *p);
/* Also fills `awaited`. */
uint32_t wait_one_child_target(struct wait_world *w, struct wait_party *p);
uint32_t wait_any_child_target(struct wait_world *w, uint32_t thread);
uint32_t wait_futex_target(struct wait_world *w, const struct wait_party *p);

#endif
