/* SPDX-License-Identifier: MIT */
/*
 * order.c - one pass over the sequence with a clock for each thread.
 */
#include "order.h"

#include "room.h"

struct pass {
	struct order *out;
	unsigned ignore;
	struct clock_stamp *written; /* owns; by variable: its newest write */
	struct clock_stamp
		*notified; /* owns; by lock: all notifications so far, as known to the newest */
	uint32_t *waits;   /* owns; by thread: lock + 1 it waits through */
	uint32_t *has;	   /* owns; by lock: its newest acquire */
	uint32_t acquires;
};

static void notify(struct pass *p, const struct predict_event *e)
{
	struct clocks *clocks = &p->out->clocks;

	if (p->ignore & PREDICT_IGNORE_WAITS)
		return;
	/* Which notification woke whom is not told: all of them before it. */
	clocks_learn(clocks, e->thread, &p->notified[e->object]);
	p->notified[e->object] = clocks_stamp(clocks, e->thread);
}

/* Whatever a thread does after a wait, it does after the notification. */
static void end_wait(struct pass *p, uint32_t thread)
{
	uint32_t lock = p->waits[thread] - 1;

	p->waits[thread] = 0;
	if (!(p->ignore & PREDICT_IGNORE_WAITS))
		clocks_learn(&p->out->clocks, thread, &p->notified[lock]);
}

static void apply(struct pass *p, const struct predict_event *e)
{
	struct clocks *clocks = &p->out->clocks;
	struct clock_stamp forked;

	/* A request is no progress: the notification may come while the thread stands there. */
	if (p->waits[e->thread] && e->op != PREDICT_REQUEST)
		end_wait(p, e->thread);
	if (order_ticks(e->op))
		clocks_tick(clocks, e->thread);
	switch ((enum predict_op)e->op) {
	case PREDICT_READ:
		if (!(p->ignore & PREDICT_IGNORE_READS))
			clocks_learn(clocks, e->thread, &p->written[e->object]);
		break;
	case PREDICT_WRITE:
		if (!(p->ignore & PREDICT_IGNORE_READS))
			p->written[e->object] = clocks_stamp(clocks, e->thread);
		break;
	case PREDICT_ACQUIRE:
		p->has[e->object] = p->acquires;
		p->out->acquired[p->acquires++] = clocks_stamp(clocks, e->thread);
		break;
	case PREDICT_RELEASE:
		p->out->released[p->has[e->object]] = clocks_stamp(clocks, e->thread);
		break;
	case PREDICT_NOTIFY:
		notify(p, e);
		break;
	case PREDICT_WAIT:
		p->waits[e->thread] = e->object + 1;
		break;
	case PREDICT_REQUEST:
		break;
	case PREDICT_FORK:
		forked = clocks_stamp(clocks, e->thread);
		clocks_learn(clocks, e->object, &forked);
		break;
	case PREDICT_JOIN: /* what it read last came after its newest moment: the end is one of its own */
		clocks_tick(clocks, e->object);
		forked = clocks_stamp(clocks, e->object);
		clocks_learn(clocks, e->thread, &forked);
		break;
	}
}

void order_build(const struct predict_sequence *sequence, const struct acquires *acquires,
		 unsigned ignore, struct order *ret_order)
{
	struct pass p = { .out = ret_order, .ignore = ignore };

	clocks_init(&ret_order->clocks, sequence->threads.count);
	ret_order->acquired = clock_stamps_new(acquires->count);
	ret_order->released = clock_stamps_new(acquires->count);
	p.written = clock_stamps_new(sequence->variables.count);
	p.notified = clock_stamps_new(sequence->locks.count);
	p.waits = room_new(sequence->threads.count, sizeof(*p.waits));
	p.has = room_new(sequence->locks.count, sizeof(*p.has));
	for (size_t i = 0; i < sequence->count; i++)
		apply(&p, &sequence->event[i]);
	/* Those that were not made: what they would have been. */
	for (uint32_t i = p.acquires; i < acquires->count; i++) {
		clocks_tick(&ret_order->clocks, acquires->acquire[i].thread);
		ret_order->acquired[i] =
			clocks_stamp(&ret_order->clocks, acquires->acquire[i].thread);
	}
	free(p.written);
	free(p.notified);
	free(p.waits);
	free(p.has);
}

void order_release(struct order *order)
{
	clocks_release(&order->clocks);
	free(order->acquired);
	free(order->released);
	*order = (struct order){ 0 };
}
