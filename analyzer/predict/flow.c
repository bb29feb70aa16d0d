/* SPDX-License-Identifier: MIT */
/*
 * flow.c - one thread tells another.
 */
#include "flow.h"

#include "room.h"

void flow_init(struct flow *flow, const struct predict_sequence *sequence, bool ticks)
{
	*flow = (struct flow){ .ticks = ticks, .given = { .thread = CLOCK_STAMP_NONE } };
	clocks_init(&flow->clocks, sequence->threads.count);
	flow->notified = clock_stamps_new(sequence->locks.count);
	flow->waits = room_new(sequence->threads.count, sizeof(*flow->waits));
}

void flow_release(struct flow *flow)
{
	clocks_release(&flow->clocks);
	free(flow->notified);
	free(flow->waits);
	*flow = (struct flow){ 0 };
}

/* Whatever a thread does after a wait, it does after the notification. */
void flow_end_wait(struct flow *flow, uint32_t thread)
{
	uint32_t lock = flow->waits[thread] - 1;

	flow->waits[thread] = 0;
	if (!flow->ignores_waits)
		clocks_learn(&flow->clocks, thread, &flow->notified[lock]);
}

static void publish(struct flow *flow, uint32_t thread, struct clock_stamp *stamp)
{
	clocks_publish(&flow->clocks, thread, stamp);
	if (flow->ticks)
		clocks_tick(&flow->clocks, thread);
}

/* `from` has done all so far before what `to` does from now on. */
static void give(struct flow *flow, uint32_t from, uint32_t to)
{
	publish(flow, from, &flow->given);
	clocks_learn(&flow->clocks, to, &flow->given);
}

void flow_apply_sync(struct flow *flow, const struct predict_event *event)
{
	switch ((enum predict_op)event->op) {
	case PREDICT_NOTIFY:
		if (!flow->ignores_waits)
			publish(flow, event->thread, &flow->notified[event->object]);
		break;
	case PREDICT_WAIT:
		flow->waits[event->thread] = event->object + 1;
		break;
	case PREDICT_FORK:
		give(flow, event->thread, event->object);
		break;
	case PREDICT_JOIN:
		give(flow, event->object, event->thread);
		break;
	case PREDICT_READ:
	case PREDICT_WRITE:
	case PREDICT_ACQUIRE:
	case PREDICT_TRY:
	case PREDICT_UNKNOWN:
	case PREDICT_RELEASE:
	case PREDICT_REQUEST:
		break;
	}
}
