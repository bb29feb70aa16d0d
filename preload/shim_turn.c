/* SPDX-License-Identifier: MIT */
/*
 * shim_turn.c - turns of loops, and what they are spent on: the processor's clock, blocking calls. It knows no tasks.
 */
#include "shim_task.h"

#include <time.h>

/* ---- how much of it was processor time? ---- */

static bool is_long(uint64_t since)
{
	return (int64_t)(arch_ticks() - since) > TASK_BUSY_TICKS;
}

static uint64_t processor_us(void)
{
	struct timespec t = { 0 };

	sys2(SYS_clock_gettime, CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/*
 * Looks at the clock of the thread; says what went by since the last look, until then or (0) until now, when that was long. The
 * system may give the processor to another at the end of the call: that is before now.
 */
static void look_at_processor(struct stream *s, uint64_t until)
{
	uint64_t us = processor_us(), now = arch_ticks();

	until = until ? until : now;
	if (s->busy_ticks && (int64_t)(until - s->busy_ticks) > TASK_BUSY_TICKS) {
		emit_plain(s, TRACE_BUSY, 2, region_ticks_us(until - s->busy_ticks),
			   encode_zigzag((int64_t)(us - s->busy_us)), 0);
	}
	s->busy_ticks = now;
	s->busy_us = us;
}

void task_took_long(struct stream *s, uint64_t since)
{
	if (unlikely(is_long(since))) {
		look_at_processor(s, 0);
	}
}

void task_loop_step(struct call *c, uint32_t loop, enum trace_loop_step step, int64_t result)
{
	/* So that the first turn is not measured together with what was before the loop was driven. */
	if (step == TRACE_LOOP_RUN) {
		task_took_long(c->s, c->s->busy_ticks);
	}
	emit_osar(c->s, TRACE_LOOP, loop, c->stack, step, result);
}

/* ---- blocking calls inside a callback ---- */

enum { BLOCKED_TICKS = 100000 >> TF_TICK_SHIFT }; /* about 0.1 ms */

void task_blocked(struct arch_caller caller, unsigned number, uint32_t object, uint64_t since,
		  uint64_t most_us)
{
	uint64_t us, ticks = arch_ticks() - since;
	struct call call;

	if (shim_stream) {
		shim_stream->blocks = 0;
	}
	if ((int64_t)ticks < BLOCKED_TICKS || !shim_enter_with(&call, caller, ROOM_EARLY)) {
		return;
	}
	call.stack = stack_id(&call);
	us = region_ticks_us(ticks);
	emit_osar(call.s, TRACE_BLOCKED, object, call.stack, number,
		  (int64_t)(us < most_us ? us : most_us));
	shim_leave(&call);
}

/* ---- turns of loops ---- */

void task_turn(struct arch_caller caller, uint64_t since, bool endless, int64_t result)
{
	uint64_t now = arch_ticks();
	struct call call;

	if (!shim_stream || (int64_t)(now - shim_stream->turn_ticks) < TASK_TURN_TICKS ||
	    !shim_enter_with(&call, caller, ROOM_EARLY)) {
		return;
	}
	call.stack = stack_id(&call);
	call.s->turn_ticks = now;
	task_drop_left(call.s, caller.sp);
	look_at_processor(call.s, since);
	/* Until now: what the look took, and whoever ran instead, is no time of the next turn. */
	emit_plain(call.s, TRACE_TURN, 3, call.stack,
		   region_ticks_us(arch_ticks() - since) << 1 | endless, encode_zigzag(result));
	shim_leave(&call);
}
