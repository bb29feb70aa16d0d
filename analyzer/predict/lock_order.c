/* SPDX-License-Identifier: MIT */
/*
 * lock_order.c - a set of edges, then Tarjan's components by cycle.h.
 *
 * Only edges from the lock that a thread took last: from any other one that it has there is a path to that one, so the components are
 * the same. One that was only tried has no edge to it: then from the one before, too.
 */
#include "lock_order.h"

#include "../cycle.h"
#include "room.h"

#define FIRST_SLOTS 4096u
#define TRIED 1u /* mark */
#define MULTIPLIER UINT64_C(0x9e3779b97f4a7c15)

static size_t place_of(const struct lock_edges *edges, uint64_t key)
{
	uint64_t hash = key * MULTIPLIER;

	return (size_t)((hash ^ hash >> 29) * MULTIPLIER >> 20) & edges->mask;
}

static void insert(struct lock_edges *edges, uint64_t key)
{
	size_t at = place_of(edges, key);

	while (edges->slot[at] && edges->slot[at] != key)
		at = (at + 1) & edges->mask;
	edges->count += !edges->slot[at];
	edges->slot[at] = key;
}

static void grow(struct lock_edges *edges)
{
	struct lock_edges old = *edges;

	edges->mask = old.slot ? old.mask * 2 + 1 : FIRST_SLOTS - 1;
	edges->slot = room_new(edges->mask + 1, sizeof(*edges->slot));
	edges->count = 0;
	for (size_t i = 0; old.slot && i <= old.mask; i++)
		if (old.slot[i])
			insert(edges, old.slot[i]);
	free(old.slot);
}

/* Soon: the slot is seldom in a cache where there are many. */
static void insert_soon(struct lock_edges *edges, uint64_t key)
{
	uint64_t *waiting = &edges->waiting[edges->next++ % LOCK_ORDER_WAITING];

	if (edges->count >= edges->mask / 2)
		grow(edges);
	if (*waiting)
		insert(edges, *waiting);
	*waiting = key;
	if (key)
		__builtin_prefetch(&edges->slot[place_of(edges, key)], 1);
}

static void add_edge(struct lock_edges *edges, const struct held *held, uint32_t lock)
{
	for (size_t i = held->count; i-- > 0;) {
		insert_soon(edges, ((uint64_t)held->lock[i].lock << 32 | lock) + 1);
		if (held->lock[i].mark != TRIED)
			break;
	}
}

static void find_components(struct lock_order *order, const struct lock_edges *edges,
			    uint32_t locks)
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

static void apply(struct lock_order *order, const struct predict_event *e)
{
	struct held *h = &order->held[e->thread];

	switch ((enum predict_op)e->op) {
	case PREDICT_ACQUIRE:
		if (h->count) {
			order->nested++;
			add_edge(&order->set, h, e->object);
		}
		held_add(h, e->object, 0);
		break;
	case PREDICT_TRY:
		held_add(h, e->object, TRIED);
		break;
	case PREDICT_RELEASE:
		held_drop(h, held_find(h, e->object));
		break;
	case PREDICT_READ:
	case PREDICT_WRITE:
	case PREDICT_UNKNOWN:
	case PREDICT_REQUEST:
	case PREDICT_JOIN:
	case PREDICT_WAIT:
	case PREDICT_NOTIFY:
	case PREDICT_FORK:
		break;
	}
}

static void make_room(struct lock_order *order, uint32_t threads)
{
	order->held = room_zeroed(order->held, &order->threads, threads, &order->thread_capacity,
				  sizeof(*order->held));
	if (!order->set.slot)
		grow(&order->set);
}

void lock_order_add(struct lock_order *order, const struct predict_sequence *sequence,
		    const struct predict_event *event, size_t count)
{
	make_room(order, sequence->threads.count);
	for (size_t i = 0; i < count; i++)
		if (event[i].op >= PREDICT_ACQUIRE)
			apply(order, &event[i]);
}

void lock_order_end(struct lock_order *order, const struct predict_sequence *sequence,
		    const struct digest *digest)
{
	uint32_t locks = sequence->locks.count;

	make_room(order, sequence->threads.count);
	for (size_t t = 0; t < digest->threads; t++) {
		const struct digest_request *request = &digest->thread[t].request;

		if (!request->event || !order->held[t].count)
			continue;
		order->nested++;
		add_edge(&order->set, &order->held[t], request->lock);
	}
	for (int i = 0; i < LOCK_ORDER_WAITING; i++)
		insert_soon(&order->set, 0);
	order->component = room_new(locks, sizeof(*order->component));
	find_components(order, &order->set, locks);
	free(order->set.slot);
	order->set = (struct lock_edges){ 0 };
}

void lock_order_release(struct lock_order *order)
{
	if (order->held)
		held_free(order->held, (uint32_t)order->threads);
	free(order->set.slot);
	free(order->component);
	*order = (struct lock_order){ 0 };
}
