/* SPDX-License-Identifier: MIT */
/*
 * model_internal.h - what the files of the model share; nobody else includes it.
 */
#ifndef THRUM_ANALYZER_MODEL_INTERNAL_H
#define THRUM_ANALYZER_MODEL_INTERNAL_H

#include "model.h"

#include <stdlib.h>
#include <string.h>

/* Room for `needed` elements: doubles, never shrinks, aborts when memory is out. */
static inline void *model_grow(void *array, uint32_t *capacity, uint32_t needed,
			       size_t element_bytes)
{
	size_t wanted = *capacity ? *capacity : 4;

	if (needed <= *capacity)
		return array;
	while (wanted < needed)
		wanted *= 2;
	if (wanted > UINT32_MAX || !(array = realloc(array, wanted * element_bytes)))
		abort();
	*capacity = (uint32_t)wanted;
	return array;
}

static inline void *model_allocate(size_t count, size_t element_bytes)
{
	void *memory = calloc(count ? count : 1, element_bytes);

	if (!memory)
		abort();
	return memory;
}

/* Finaliser of splitmix64: every input bit changes every output bit. */
static inline uint64_t model_mix(uint64_t x)
{
	x ^= x >> 30;
	x *= UINT64_C(0xbf58476d1ce4e5b9);
	x ^= x >> 27;
	x *= UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static inline uint64_t model_hold_hash(const struct model_held *h)
{
	return model_mix(
		((uint64_t)h->object << 33 | (uint64_t)(h->flags & MODEL_HOLD_SHARED) << 32) +
		h->stack + 1);
}

static inline uint64_t model_permit_hash(uint32_t object)
{
	return model_mix(~(uint64_t)object);
}

/* model.c */
struct model_thread *model_touch_thread(struct model *m, uint32_t id);
struct model_detail *model_touch_detail(struct model_object *o);
void model_release_detail(struct model_object *o);
void model_actors_add(struct model_actors *actors, const struct trace_event *event);

/* model_hold.c: held sets. All take the event for stack and time. */
void model_hold_acquire(struct model *m, const struct trace_event *event, struct model_step *step,
			uint32_t flags);
void model_hold_release(struct model *m, const struct trace_event *event, struct model_step *step);
void model_hold_release_odd(struct model *m, const struct trace_event *event,
			    struct model_step *step);
void model_hold_push(struct model_thread *t, struct model_object *o, const struct model_held *hold);
/* Takes the hold at `index` out of the set; returns it. */
struct model_held model_hold_remove(struct model *m, struct model_thread *t, uint32_t index);
/* Nobody holds `o` any more; `step` gets one of the holds. */
void model_hold_drop_all(struct model *m, struct model_object *o, struct model_step *step);
/* The thread's records are missing: forget its holds. */
void model_hold_forget(struct model *m, struct model_thread *t);
/* Bounded mode: what is held is said anew. */
void model_hold_keyframe(struct model *m, struct model_step *step);
void model_hold_held(struct model *m, const struct trace_event *event, struct model_step *step);
static inline uint32_t model_hold_index(const struct model_thread *t, uint32_t object)
{
	for (uint32_t i = t->held_count; i-- > 0;)
		if (t->held[i].object == object)
			return i;
	return UINT32_MAX;
}

/* model_sync.c: condvars, semaphores, barriers, once. */
void model_sync_init(struct model_object *o, uint32_t attributes, bool known);
void model_sync_cond(struct model *m, const struct trace_event *event, struct model_step *step);
void model_sync_sem(struct model *m, const struct trace_event *event, struct model_step *step,
		    uint32_t flags);
void model_sync_barrier(struct model *m, const struct trace_event *event, struct model_step *step);
void model_sync_once(struct model *m, const struct trace_event *event, struct model_step *step);
void model_sync_release(struct model_object *o);
/* The thread is in no wait any more, nobody saw how that came. */
void model_sync_leave(struct model *m, struct model_thread *t, struct model_step *step);
/* A hold of a semaphore that counts. */
void model_sync_held(struct model_thread *t, const struct model_object *o, uint32_t count);
void model_sync_once_held(struct model_object *o, const struct model_site *site);

/* model_threads.c */
void model_thread_apply(struct model *m, const struct trace_event *event, struct model_step *step);
void model_streams_free(struct model_streams *streams);

/* model_tasks.c */
void model_task_apply(struct model *m, const struct trace_event *event, struct model_step *step);
void model_hold_hand_over(struct model *m, const struct trace_event *event,
			  struct model_step *step);
void model_tasks_free(struct model *m);

/* model_order.c */
struct model_order *model_order_new(void);
void model_order_free(struct model_order *order);
/*
 * Something later than the present moment of `t` is ordered after it: the node to draw the edge
 * from.
 */
uint32_t model_order_leave(struct model *m, struct model_thread *t);
/* What `t` does from now on comes after `from`. */
void model_order_enter(struct model *m, struct model_thread *t, uint32_t from);
/* A generation of the barrier is complete: all arrivals before all leaves. */
void model_order_barrier(struct model *m, struct model_barrier *b);
void model_order_late(struct model *m, struct model_barrier *b, struct model_thread *t);

/* model_sets.c */
struct model_sets *model_sets_new(void);
void model_sets_free(struct model_sets *sets);

/* model_loops.c. _step: TASK; _apply: TASK_NEW, TASK_ARM, LOOP, TURN, WOKEN. */
void model_loops_free(struct model_loops *l); /* takes NULL */
/* Records of the thread are missing: which callbacks it is in nobody knows. */
void model_loops_forget(struct model *m, uint32_t thread);
void model_loops_step(struct model *m, const struct trace_event *event, struct model_step *step);
void model_loops_apply(struct model *m, const struct trace_event *event, struct model_step *step);

#endif
