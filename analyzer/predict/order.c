/* SPDX-License-Identifier: MIT */
/*
 * order.c - one pass over the digest: its edges go to the logs, its acquires become records.
 */
#include "order.h"

enum { AHEAD = 16 };

struct pass {
	const struct digest *digest;
	struct acquires *acquires;
	struct order *order;
	uint32_t *moment;  /* owns; by thread */
	struct held *held; /* owns; by thread: of kept locks; marks are acquires */
	size_t occurrence; /* the next one */
	uint32_t *filled;  /* owns; by abstract acquire */
};

static uint32_t record(struct pass *p, uint32_t thread, uint32_t lock, uint32_t event,
		       uint32_t place)
{
	const struct held *held = &p->held[thread];
	struct acquires *out = p->acquires;
	struct acquire *a;

	out->acquire = room_for(out->acquire, out->count, 1, &out->capacity, sizeof(*out->acquire));
	a = &out->acquire[out->count];
	*a = (struct acquire){ .event = event,
			       .place = place,
			       .thread = thread,
			       .lock = lock,
			       .abstract = ACQUIRES_NONE,
			       .own = p->moment[thread] };
	a->held = (uint32_t)held->count;
	a->outer = held->count ? held->lock[held->count - 1].mark : ACQUIRES_NONE;
	if (p->occurrence < out->occurrences && out->occurrence[p->occurrence].event == event) {
		a->abstract = out->occurrence[p->occurrence++].abstract;
		out->of_abstract[out->abstract[a->abstract].first + p->filled[a->abstract]++] =
			(uint32_t)out->count;
	}
	return (uint32_t)out->count++;
}

static void acquire(struct pass *p, const struct digest_event *e)
{
	if (p->acquires->keeps[e->object])
		held_add(&p->held[e->thread], e->object,
			 record(p, e->thread, e->object, e->event, e->detail));
}

static void release(struct pass *p, const struct digest_event *e)
{
	struct held *held = &p->held[e->thread];
	size_t at;

	if (!p->acquires->keeps[e->object])
		return;
	at = held_find(held, e->object);
	p->acquires->acquire[held->lock[at].mark].released = p->moment[e->thread];
	held_drop(held, at);
}

static void apply(struct pass *p, const struct digest_event *e)
{
	uint32_t moment = ++p->moment[e->thread];
	struct learnt learnt = { moment, e->object, e->detail };

	switch (e->op) {
	case DIGEST_LEARNS:
		learn_log_add(&p->order->without_reads, e->thread, learnt);
		if (p->order->has_reads)
			learn_log_add(&p->order->with_reads, e->thread, learnt);
		break;
	case DIGEST_SEES:
		learn_log_add(&p->order->with_reads, e->thread, learnt);
		break;
	case DIGEST_ACQUIRE:
	case DIGEST_TRY:
		acquire(p, e);
		break;
	case DIGEST_RELEASE:
		release(p, e);
		break;
	case DIGEST_UNKNOWN:
		if (p->order->limit[e->thread] == UINT32_MAX)
			p->order->limit[e->thread] = moment;
		break;
	case DIGEST_WAKES:
	case DIGEST_WAIT:
	case DIGEST_NOTIFY:
	case DIGEST_FORK:
	case DIGEST_JOIN:
		break;
	}
}

/* Behind all that comes before an abstract acquire. */
static size_t end_of(const struct predict_sequence *s, const struct acquires *a)
{
	return a->made < a->occurrences ? s->count
	       : a->made		? (size_t)a->occurrence[a->made - 1].event + 1
					: 0;
}

static void run(struct pass *p, const struct predict_sequence *sequence)
{
	struct digest_event event[DIGEST_BLOCK];
	size_t end = end_of(sequence, p->acquires);

	for (size_t block = 0; block < digest_blocks(p->digest); block++) {
		size_t count = digest_read(p->digest, block, event);

		digest_tell(sequence, p->digest, block);
		for (size_t i = 0; i < count; i++) {
			if (event[i].event >= end)
				return;
			if (i + AHEAD < count && event[i + AHEAD].op == DIGEST_ACQUIRE)
				__builtin_prefetch(&p->acquires->keeps[event[i + AHEAD].object]);
			apply(p, &event[i]);
		}
	}
}

/* Those that were not made: what they would have been. */
static void add_unmade(struct pass *p)
{
	struct acquires *a = p->acquires;

	while (p->occurrence < a->occurrences) {
		const struct occurrence *o = &a->occurrence[p->occurrence];
		const struct abstract_acquire *b = &a->abstract[o->abstract];

		p->moment[b->thread]++;
		record(p, b->thread, b->lock, o->event, p->digest->thread[b->thread].request.place);
	}
}

void order_build(const struct digest *digest, const struct predict_sequence *sequence,
		 uint32_t spacing, struct acquires *acquires, struct order *ret_order)
{
	uint32_t threads = sequence->threads.count;
	struct pass p = { .digest = digest, .acquires = acquires, .order = ret_order };

	*ret_order = (struct order){ .has_reads = digest->sees,
				     .limit = room_new(threads, sizeof(uint32_t)) };
	memset(ret_order->limit, 0xff, threads * sizeof(*ret_order->limit));
	learn_log_init(&ret_order->without_reads, threads, spacing);
	if (ret_order->has_reads)
		learn_log_init(&ret_order->with_reads, threads, spacing);
	p.moment = room_new(threads, sizeof(*p.moment));
	p.held = held_new(threads);
	p.filled = room_new(acquires->abstract_count, sizeof(*p.filled));
	acquires->of_abstract = room_new(acquires->occurrences, sizeof(*acquires->of_abstract));
	run(&p, sequence);
	add_unmade(&p);
	held_free(p.held, threads);
	free(p.moment);
	free(p.filled);
}

void order_release(struct order *order)
{
	learn_log_release(&order->with_reads);
	learn_log_release(&order->without_reads);
	free(order->limit);
	*order = (struct order){ 0 };
}
