/* SPDX-License-Identifier: MIT */
/*
 * shim_task_slot.h - bounded mode: numbers of tasks and their definitions, given out again.
 *
 * A service makes tasks for ever, a thousand a second. So in bounded mode that a task was made, was armed, or is over is no fact: it is in its
 * definition (struct tf_task_live), a slot in the map that belongs to its number. When the task is over, and no fact and no definition that
 * stays names it, the number waits until SLOTS_WAIT others are over too, so that the rings have forgotten it, and then is the next task's.
 * What is alive at the end is in the slots, however long ago it was made.
 *
 * Safety: SLOW, the guard held, unless it says otherwise.
 */
#ifndef THRUM_SHIM_TASK_SLOT_H
#define THRUM_SHIM_TASK_SLOT_H

#include "shim_emit.h"

/* A number for a task that is made now; *ret_slotted: it has a slot, which is to be filled after its record. */
uint32_t task_slot_number(bool *ret_slotted);
/* After the record: who made it is the thread of `s`, and its task. */
void task_slot_made(const struct stream *s, uint32_t task, unsigned kind, uint32_t loop,
		    uint32_t stack);
/* False: it has no slot. */
bool task_slot_is_there(uint32_t task);
bool task_slot_named(uint32_t task, const char *text, uint32_t bytes);
void task_slot_armed(const struct stream *s, uint32_t task, uint32_t loop, uint32_t stack,
		     uint32_t callback);
/* After the record of its end. */
void task_slot_over(const struct stream *s, uint32_t task, enum trace_task_step step);
/* HOT: a fact or a definition that stays names it. */
void task_slot_pin(uint32_t task);

#endif
