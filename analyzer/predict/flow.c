/* SPDX-License-Identifier: MIT */
/*
 * flow.c - one thread tells another.
 */
#include "flow.h"

#include "room.h"

void flow_make_room(struct flow *flow, const struct predict_sequence *sequence)
{
	uint32_t threads = sequence->threads.count, locks = sequence->locks.count;

	clocks_make_room(&flow->clocks, threads);
	flow->notified = room_zeroed(flow->notified, &flow->notified_count, locks,
				     &flow->notified_capacity, sizeof(*flow->notified));
	flow->waits = room_zeroed(flow->waits, &flow->waits_count, threads, &flow->waits_capacity,
				  sizeof(*flow->waits));
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
	clocks_learn(&flow->clocks, thread, &flow->notified[lock]);
}

static void publish(struct flow *flow, uint32_t thread, struct clock_stamp *stamp)
{
	clocks_publish(&flow->clocks, thread, stamp);
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
