/* SPDX-License-Identifier: MIT */
/*
 * steer_stand.c - who holds what of the plan, who stands before an inner lock, and whether a circle stands.
 *
 * A thread stands from the moment it is about to ask until it has the lock: whoever was let go and blocks for real still stands.
 */
#include "steer_state.h"

#include <errno.h>
#include <linux/futex.h>
#include <time.h>

enum { CHAINS = 4096 }; /* looked at when somebody comes to stand */

struct steer_state *steer_state;

bool steer_stand_arm(void)
{
	steer_state = shim_pages(sizeof(*steer_state));
	return steer_state != NULL;
}

/* Returns how the guard was, for steer_state_leave. */
uint32_t steer_state_enter(struct stream *s)
{
	uint32_t was = s->busy;

	s->busy = BUSY_GUARD;
	atomic_signal_fence(memory_order_seq_cst);
	spin_lock(&steer_state->lock);
	return was;
}

void steer_state_leave(struct stream *s, uint32_t was)
{
	spin_unlock(&steer_state->lock);
	atomic_signal_fence(memory_order_seq_cst);
	s->busy = was;
}

void steer_count_up(uint32_t *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

/* ---- who holds what: under the lock ---- */

void steer_hold_add(uint32_t thread, uintptr_t address, uint32_t edges)
{
	struct hold *free = NULL;

	for (uint32_t i = HOLDS; i-- > 0 && edges;) {
		struct hold *h = &steer_state->hold[i];

		if (h->thread == thread && h->address == address) {
			h->edges |= edges; /* taken again */
			return;
		}
		free = h->thread ? free : h;
	}
	if (free && edges) {
		*free = (struct hold){ thread, edges, address };
	}
}

/* The edges it was held for; 0 = it is not among them. */
uint32_t steer_hold_remove(uint32_t thread, uintptr_t address)
{
	for (uint32_t i = 0; i < HOLDS; i++) {
		if (steer_state->hold[i].thread == thread &&
		    steer_state->hold[i].address == address) {
			steer_state->hold[i].thread = 0;
			return steer_state->hold[i].edges;
		}
	}
	return 0;
}

static bool holds(uint32_t thread, uintptr_t address, uint32_t edge)
{
	for (uint32_t i = 0; i < HOLDS; i++) {
		const struct hold *h = &steer_state->hold[i];

		if (h->thread == thread && h->address == address && h->edges >> edge & 1) {
			return true;
		}
	}
	return false;
}

/* Those of `edges` for which the thread holds a lock other than the one it asks for. */
uint32_t steer_edges_played(uint32_t thread, uint32_t edges, uintptr_t asks)
{
	uint32_t played = 0;

	for (uint32_t i = 0; i < HOLDS; i++) {
		const struct hold *h = &steer_state->hold[i];

		if (h->thread == thread && h->address != asks) {
			played |= h->edges;
		}
	}
	return played & edges;
}

/* Of those edges, the ones that are meant by a lock of that number at the outer place, or at the inner one. */
uint32_t steer_edges_meant(uint32_t edges, uint32_t object, bool is_outer)
{
	for (uint32_t i = 0; i < steer_plan->edges && steer_plan->exact; i++) {
		const struct steer_edge *e = &steer_plan->edge[i];

		if ((is_outer ? e->outer_object : e->inner_object) != object) {
			edges &= ~(1u << i);
		}
	}
	return edges;
}

/* ---- who stands: under the lock ---- */

/* Those of the thread whose frames are gone were left by a jump or a cancellation. */
void steer_standing_drop(uint32_t thread, uintptr_t sp)
{
	for (uint32_t i = 0; i < STANDING; i++) {
		if (steer_state->standing[i].thread == thread &&
		    steer_state->standing[i].sp <= sp) {
			steer_state->standing[i].thread = 0;
		}
	}
}

void steer_thread_drop(uint32_t thread)
{
	steer_standing_drop(thread, UINTPTR_MAX);
	for (uint32_t i = 0; i < HOLDS; i++) {
		if (steer_state->hold[i].thread == thread) {
			steer_state->hold[i].thread = 0;
		}
	}
}

/* NULL: there are too many. */
struct standing *steer_standing_add(struct steer_call *c, uint32_t edges, uintptr_t asks)
{
	for (uint32_t i = 0; i < STANDING; i++) {
		if (!steer_state->standing[i].thread) {
			steer_state->standing[i] = (struct standing){
				.thread = c->s->thread, .edges = edges, .asks = asks, .sp = c->sp
			};
			return &steer_state->standing[i];
		}
	}
	return NULL;
}

static bool is_among(struct standing *const *chosen, uint32_t count, uint32_t thread)
{
	for (uint32_t i = 0; i < count; i++) {
		if (chosen[i]->thread == thread) {
			return true;
		}
	}
	return false;
}

static bool stands_at(const struct standing *s, uint32_t edge)
{
	return s->thread && !s->is_late && s->edges >> edge & 1;
}

static struct standing *find_standing(uint32_t thread, uint32_t edge)
{
	for (uint32_t i = 0; i < STANDING; i++) {
		if (steer_state->standing[i].thread == thread &&
		    stands_at(&steer_state->standing[i], edge)) {
			return &steer_state->standing[i];
		}
	}
	return NULL;
}

static uint32_t circle_grow(struct standing **chosen, uint32_t count, uint32_t *budget);

/* With `s` as the next one of the circle, which may be none. */
static uint32_t circle_with(struct standing **chosen, uint32_t count, struct standing *s,
			    uint32_t *budget)
{
	if (!s || !*budget || is_among(chosen, count, s->thread)) {
		return count;
	}
	--*budget;
	chosen[count] = s;
	return circle_grow(chosen, count + 1, budget);
}

static uint32_t circle_begin(struct standing **chosen, uint32_t *budget)
{
	uint32_t longest = 0;

	for (uint32_t i = 0; i < STANDING && longest < steer_plan->edges; i++) {
		struct standing *s = &steer_state->standing[i];
		uint32_t reached = stands_at(s, 0) ? circle_with(chosen, 0, s, budget) : 0;

		longest = reached > longest ? reached : longest;
	}
	return longest;
}

/*
 * From the last one chosen on: who holds what it asks for plays the next edge. Returns the length of the longest chain. Of a lock that many
 * read there are many: no more than `budget` parts are tried.
 */
static uint32_t circle_grow(struct standing **chosen, uint32_t count, uint32_t *budget)
{
	uintptr_t asks = chosen[count - 1]->asks;
	uint32_t longest = count;

	if (count == steer_plan->edges) {
		return holds(chosen[0]->thread, asks, 0) ? count : count - 1;
	}
	for (uint32_t i = 0; i < HOLDS && longest < steer_plan->edges; i++) {
		const struct hold *h = &steer_state->hold[i];
		uint32_t reached;

		if (!h->thread || h->address != asks || !(h->edges >> count & 1)) {
			continue;
		}
		reached = circle_with(chosen, count, find_standing(h->thread, count), budget);
		longest = reached > longest ? reached : longest;
	}
	return longest;
}

static void turn_changed(void)
{
	atomic_fetch_add(&steer_state->turn, 1);
	sys3(SYS_futex, (uintptr_t)&steer_state->turn, FUTEX_WAKE_PRIVATE, INT32_MAX);
}

/* Who came too early for its outer lock may take it when all others stand. */
void steer_late_look(void)
{
	uint32_t all = (1u << steer_plan->edges) - 1, stand = 0;

	for (uint32_t i = 0; i < STANDING; i++) {
		const struct standing *s = &steer_state->standing[i];

		stand |= s->thread && !s->is_late ? s->edges : 0;
	}
	for (uint32_t i = 0; i < STANDING; i++) {
		struct standing *s = &steer_state->standing[i];

		if (s->thread && s->is_late && (stand | s->edges) == all) {
			s->go = true;
			turn_changed();
		}
	}
}

/* All of a circle stand: all may go. */
void steer_circle_look(void)
{
	struct standing *chosen[STEER_EDGES];
	uint32_t budget = CHAINS, length = circle_begin(chosen, &budget);

	if (length > __atomic_load_n(&steer_plan->most, __ATOMIC_RELAXED)) {
		__atomic_store_n(&steer_plan->most, length, __ATOMIC_RELAXED);
	}
	if (length < steer_plan->edges) {
		return;
	}
	steer_count_up(&steer_plan->met);
	for (uint32_t i = 0; i < length; i++) {
		chosen[i]->go = true;
	}
	turn_changed();
}
