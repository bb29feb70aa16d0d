/* SPDX-License-Identifier: MIT */
/*
 * lock_order.c - a set of edges, then Tarjan's components by cycle.h.
 *
 * Only edges from the lock that a thread took last: from any other one that it has there is a path to that one, so the components are
 * the same. One that was only tried has no edge to it: then from the one before, too.
 */
#include "lock_order.h"

#include "../cycle.h"
#include "held.h"

#define FIRST_SLOTS 4096u
#define TRIED 1u /* mark */
#define MULTIPLIER UINT64_C(0x9e3779b97f4a7c15)

struct edges {
	uint64_t *slot; /* owns; from << 32 | to, + 1; open addressing, at most half full */
	size_t mask;
	size_t count;
};

static size_t place_of(const struct edges *edges, uint64_t key)
{
	uint64_t hash = key * MULTIPLIER;

	return (size_t)((hash ^ hash >> 29) * MULTIPLIER >> 20) & edges->mask;
}

static void insert(struct edges *edges, uint64_t key)
{
	size_t at = place_of(edges, key);

	while (edges->slot[at] && edges->slot[at] != key)
		at = (at + 1) & edges->mask;
	edges->count += !edges->slot[at];
	edges->slot[at] = key;
}

static void grow(struct edges *edges)
{
	struct edges old = *edges;

	edges->mask = old.slot ? old.mask * 2 + 1 : FIRST_SLOTS - 1;
	edges->slot = room_new(edges->mask + 1, sizeof(*edges->slot));
	edges->count = 0;
	for (size_t i = 0; old.slot && i <= old.mask; i++)
		if (old.slot[i])
			insert(edges, old.slot[i]);
	free(old.slot);
}

static void add_edge(struct edges *edges, const struct held *held, uint32_t lock)
{
	for (size_t i = held->count; i-- > 0;) {
		if (edges->count >= edges->mask / 2)
			grow(edges);
		insert(edges, ((uint64_t)held->lock[i].lock << 32 | lock) + 1);
		if (held->lock[i].mark != TRIED)
			break;
	}
}

static void find_components(struct lock_order *order, const struct edges *edges, uint32_t locks)
{
	uint32_t count = 0, found, *from = room_new(edges->count, sizeof(*from)),
		 *to = room_new(edges->count, sizeof(*to)), *first = room_new(locks + 1, 4), *size;

	for (size_t i = 0; edges->slot && i <= edges->mask; i++)
		if (edges->slot[i])
			first[((edges->slot[i] - 1) >> 32) + 1]++;
	for (uint32_t l = 0; l < locks; l++)
		first[l + 1] += first[l];
	for (size_t i = 0; edges->slot && i <= edges->mask; i++) {
		if (!edges->slot[i])
			continue;
		count = first[(edges->slot[i] - 1) >> 32]++;
		from[count] = (uint32_t)((edges->slot[i] - 1) >> 32);
		to[count] = (uint32_t)(edges->slot[i] - 1);
	}
	order->edges = (uint32_t)edges->count;
	found = cycle_components(&(struct cycle_graph){ locks, order->edges, from, to },
				 order->component);
	size = room_new(found, sizeof(*size));
	for (uint32_t l = 0; l < locks; l++)
		order->components += ++size[order->component[l]] == 2;
	for (uint32_t l = 0; l < locks; l++)
		if (size[order->component[l]] < 2)
			order->component[l] = LOCK_ORDER_NONE;
	free(from);
	free(to);
	free(first);
	free(size);
}

/* A thread that goes on is not stuck in what it requested: looked at from the end, since only few ever are. */
static void drop_granted(const struct predict_sequence *s, size_t *stuck)
{
	uint32_t left = 0;
	bool *seen = room_new(s->threads.count, sizeof(*seen));

	for (uint32_t t = 0; t < s->threads.count; t++)
		left += stuck[t] > 0;
	for (size_t i = s->count; i-- > 0 && left;) {
		uint32_t t = s->event[i].thread;

		if (!stuck[t] || seen[t])
			continue;
		seen[t] = true;
		left--;
		if (stuck[t] != i + 1)
			stuck[t] = 0;
	}
	free(seen);
}

static void collect(const struct predict_sequence *s, struct lock_order *order, struct held *held,
		    struct edges *edges)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct predict_event *e = &s->event[i];
		struct held *h = &held[e->thread];

		predict_sequence_pass(s, i);
		switch ((enum predict_op)e->op) {
		case PREDICT_READ:
		case PREDICT_WRITE:
		case PREDICT_UNKNOWN:
			continue;
		case PREDICT_ACQUIRE:
		case PREDICT_TRY:
			order->stuck[e->thread] = 0;
			if (h->count && e->op == PREDICT_ACQUIRE) {
				order->nested++;
				add_edge(edges, h, e->object);
			}
			held_add(h, e->object, e->op == PREDICT_TRY ? TRIED : 0);
			break;
		case PREDICT_RELEASE:
			held_drop(h, held_find(h, e->object));
			break;
		case PREDICT_REQUEST:
			order->stuck[e->thread] = i + 1;
			break;
		case PREDICT_JOIN: /* it ended */
			order->stuck[e->object] = 0;
			break;
		case PREDICT_WAIT:
		case PREDICT_NOTIFY:
		case PREDICT_FORK:
			break;
		}
	}
}

int lock_order_build(const struct predict_sequence *sequence, struct lock_order *ret_order,
		     struct diag *diag)
{
	uint32_t threads = sequence->threads.count, locks = sequence->locks.count;
	struct edges edges = { 0 };
	struct held *held;

	*ret_order = (struct lock_order){ 0 };
	if (sequence->count >= UINT32_MAX)
		return diag_set(diag, THRUM_EFORMAT, "more than 4 G events");
	ret_order->component = room_new(locks, sizeof(*ret_order->component));
	ret_order->stuck = room_new(threads, sizeof(*ret_order->stuck));
	held = held_new(threads);
	grow(&edges);
	collect(sequence, ret_order, held, &edges);
	drop_granted(sequence, ret_order->stuck);
	for (uint32_t t = 0; t < threads; t++) {
		if (!ret_order->stuck[t] || !held[t].count)
			continue;
		ret_order->nested++;
		add_edge(&edges, &held[t], sequence->event[ret_order->stuck[t] - 1].object);
	}
	find_components(ret_order, &edges, locks);
	held_free(held, threads);
	free(edges.slot);
	return 0;
}

void lock_order_release(struct lock_order *order)
{
	free(order->component);
	free(order->stuck);
	*order = (struct lock_order){ 0 };
}
