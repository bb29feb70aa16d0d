/* SPDX-License-Identifier: MIT */
/*
 * order.c - one pass over the sequence with two clocks for each thread.
 */
#include "order.h"

struct pass {
	const struct predict_sequence *sequence;
	struct acquires *acquires;
	struct flow with, without; /* reads */
	struct flow *main;	   /* the one of these whose own entries are the moments */
	struct clock_stamp
		*written;  /* owns; by variable: its newest write; NULL where reads are ignored */
	struct held *held; /* owns; by thread: of kept locks; marks are acquires */
	size_t occurrence; /* the next one */
	uint32_t *filled;  /* owns; by abstract acquire */
	uint32_t *limit;   /* of the order */
};

static uint32_t record(struct pass *p, uint32_t thread, uint32_t lock, size_t event)
{
	const struct held *held = &p->held[thread];
	struct acquires *out = p->acquires;
	struct acquire *a;

	out->acquire = room_for(out->acquire, out->count, 1, &out->capacity, sizeof(*out->acquire));
	a = &out->acquire[out->count];
	*a = (struct acquire){ .event = (uint32_t)event,
			       .thread = thread,
			       .lock = lock,
			       .abstract = ACQUIRES_NONE,
			       .own = *clocks_own(&p->main->clocks, thread) };
	a->held = (uint32_t)held->count;
	a->outer = held->count ? held->lock[held->count - 1].mark : ACQUIRES_NONE;
	if (p->occurrence < out->occurrences && out->occurrence[p->occurrence].event == event) {
		a->abstract = out->occurrence[p->occurrence++].abstract;
		out->of_abstract[out->abstract[a->abstract].first + p->filled[a->abstract]++] =
			(uint32_t)out->count;
	}
	return (uint32_t)out->count++;
}

static void acquire(struct pass *p, const struct predict_event *e, size_t index)
{
	if (p->acquires->keeps[e->object])
		held_add(&p->held[e->thread], e->object, record(p, e->thread, e->object, index));
}

static void release(struct pass *p, const struct predict_event *e)
{
	struct held *held = &p->held[e->thread];
	size_t at;

	if (!p->acquires->keeps[e->object])
		return;
	at = held_find(held, e->object);
	p->acquires->acquire[held->lock[at].mark].released =
		*clocks_own(&p->main->clocks, e->thread);
	held_drop(held, at);
}

/* The other flow, which nobody ticks: its threads are where those of the main one are. */
static struct flow *beside(struct pass *p, const struct predict_event *e)
{
	struct flow *flow = &p->without;

	*clocks_own(&flow->clocks, e->thread) = *clocks_own(&p->main->clocks, e->thread);
	if (e->op == PREDICT_FORK || e->op == PREDICT_JOIN)
		*clocks_own(&flow->clocks, e->object) = *clocks_own(&p->main->clocks, e->object);
	return flow;
}

static void apply(struct pass *p, const struct predict_event *e, size_t index)
{
	struct clocks *clocks = &p->main->clocks;
	bool twice = p->main != &p->without &&
		     (flow_is_sync((enum predict_op)e->op) || p->main->waits[e->thread]);

	if (twice)
		flow_begin(beside(p, e), e);
	flow_begin(p->main, e);
	if (order_ticks((enum predict_op)e->op))
		clocks_tick(clocks, e->thread);
	else if (e->op == PREDICT_JOIN)
		/* What it read last came after its newest moment: the end is one of its own. */
		clocks_tick(clocks, e->object);
	if (twice)
		flow_apply(beside(p, e), e);
	switch ((enum predict_op)e->op) {
	case PREDICT_READ:
		if (p->written)
			clocks_learn(clocks, e->thread, &p->written[e->object]);
		break;
	case PREDICT_WRITE:
		if (p->written)
			clocks_publish(clocks, e->thread, &p->written[e->object]);
		break;
	case PREDICT_UNKNOWN:
		p->limit[e->thread] = p->limit[e->thread] == UINT32_MAX
					      ? *clocks_own(clocks, e->thread)
					      : p->limit[e->thread];
		break;
	case PREDICT_ACQUIRE:
	case PREDICT_TRY:
		acquire(p, e, index);
		break;
	case PREDICT_RELEASE:
		release(p, e);
		break;
	case PREDICT_REQUEST:
		break;
	case PREDICT_WAIT:
	case PREDICT_NOTIFY:
	case PREDICT_FORK:
	case PREDICT_JOIN:
		flow_apply(p->main, e);
		break;
	}
}

static void start_flow(struct pass *p, struct flow *flow, struct learn_log *log,
		       const struct order_options *options)
{
	flow_init(flow, p->sequence, false);
	flow->ignores_waits = options->ignore & PREDICT_IGNORE_WAITS;
	learn_log_init(log, p->sequence->threads.count, flow->clocks.width, options->spacing);
	flow->clocks.log = log;
}

static void start(struct pass *p, const struct order_options *options, struct order *order)
{
	const struct predict_sequence *s = p->sequence;
	struct acquires *a = p->acquires;

	*order = (struct order){
		.has_reads = s->variables.count && !(options->ignore & PREDICT_IGNORE_READS),
		.limit = room_new(s->threads.count, sizeof(*order->limit)),
	};
	p->limit = order->limit;
	memset(order->limit, 0xff, s->threads.count * sizeof(*order->limit));
	start_flow(p, &p->without, &order->without_reads, options);
	p->main = &p->without;
	if (order->has_reads) {
		start_flow(p, &p->with, &order->with_reads, options);
		p->main = &p->with;
		p->written = clock_stamps_new(s->variables.count);
	}
	p->held = held_new(s->threads.count);
	p->filled = room_new(a->abstract_count, sizeof(*p->filled));
	a->of_abstract = room_new(a->occurrences, sizeof(*a->of_abstract));
}

/* Behind all that comes before an abstract acquire. */
static size_t end_of(const struct predict_sequence *s, const struct acquires *a)
{
	return a->made < a->occurrences ? s->count
	       : a->made		? (size_t)a->occurrence[a->made - 1].event + 1
					: 0;
}

void order_build(const struct predict_sequence *sequence, const struct order_options *options,
		 struct acquires *acquires, struct order *ret_order)
{
	struct pass p = { .sequence = sequence, .acquires = acquires };
	size_t end = end_of(sequence, acquires);

	start(&p, options, ret_order);
	for (size_t i = 0; i < end; i++) {
		predict_sequence_pass(sequence, i);
		apply(&p, &sequence->event[i], i);
	}
	/* Those that were not made: what they would have been. */
	while (p.occurrence < acquires->occurrences) {
		const struct predict_event *e =
			&sequence->event[acquires->occurrence[p.occurrence].event];

		clocks_tick(&p.main->clocks, e->thread);
		record(&p, e->thread, e->object, acquires->occurrence[p.occurrence].event);
	}
	flow_release(&p.without);
	flow_release(&p.with);
	held_free(p.held, sequence->threads.count);
	free(p.written);
	free(p.filled);
}

void order_release(struct order *order)
{
	learn_log_release(&order->with_reads);
	learn_log_release(&order->without_reads);
	free(order->limit);
	*order = (struct order){ 0 };
}
