/* SPDX-License-Identifier: MIT */
/*
 * happens_before.h - which of two moments of a run came first by its synchronisation, as vector clocks.
 *
 * Unlike model_is_before, which knows the order of every schedule, this is the order of this run: a lock orders what was done under
 * it before with what is done under it now. What is unordered here could have happened at the same time; what is ordered may be so
 * by accident. Edges: create and begin, end and join, release and acquire of any lock, semaphore post and take, condition signal and
 * wake-up, barrier, once, futex wake, a task that is made, armed or worked and its callback, and what a queue hands over.
 *
 * Who shares a lock is ordered by those that exclude it, not by others that share.
 *
 * Where records are missing, what came before the gap counts as ordered before what follows.
 *
 * Feed every event of one image after the model applied it. Memory: a clock for each thread and each object that was released.
 */
#ifndef THRUM_ANALYZER_HAPPENS_BEFORE_H
#define THRUM_ANALYZER_HAPPENS_BEFORE_H

#include "model/model.h"

struct happens_before;

struct happens_before *happens_before_new(const struct trace_process *process);
void happens_before_free(struct happens_before *hb); /* takes NULL */

void happens_before_apply(struct happens_before *hb, const struct trace_event *event);

/*
 * For a lock that stands for more than one hand-over, instead of its events: what a thread did so far goes into a lane (0 or 1) of the
 * object, and comes before what those do who obtain from that lane.
 */
enum { HAPPENS_BEFORE_LANES = 2 };
void happens_before_publish(struct happens_before *hb, uint32_t thread, uint32_t object,
			    unsigned lane);
void happens_before_obtain(struct happens_before *hb, uint32_t thread, uint32_t object,
			   unsigned lane);
/*
 * What the atomics of a memory trace order, and the annotations that stand for them: what `thread` did is released at `address`,
 * what was released there came before what `thread` does from now on. Of relaxed ones the release is what the thread did before its
 * newest release fence, the acquire counts from its next acquire fence on.
 */
void happens_before_release_at(struct happens_before *hb, uint32_t thread, uint64_t address);
void happens_before_acquire_at(struct happens_before *hb, uint32_t thread, uint64_t address);
void happens_before_may_release_at(struct happens_before *hb, uint32_t thread, uint64_t address);
void happens_before_may_acquire_at(struct happens_before *hb, uint32_t thread, uint64_t address);
void happens_before_fence(struct happens_before *hb, uint32_t thread, bool acquires, bool releases);

/* The clock of a thread, by thread: what lies beyond `ret_count` is 0. Valid until the next call. NULL = no such thread. */
const uint32_t *happens_before_clock(struct happens_before *hb, uint32_t thread,
				     uint32_t *ret_count);

/* Something of `thread` is missing here: as TRACE_LOST. */
void happens_before_gap(struct happens_before *hb, uint32_t thread);

/* The present moment of a thread: equal for all between two of its releases. */
uint32_t happens_before_now(struct happens_before *hb, uint32_t thread);
/* Did that moment of `thread` come before the present one of `other`? */
bool happens_before_is(struct happens_before *hb, uint32_t thread, uint32_t moment, uint32_t other);

#endif
