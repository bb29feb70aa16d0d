/* SPDX-License-Identifier: MIT */
/*
 * steer_stand.c - who holds what of the plan and who stands before an inner lock: holds threads back until all of a circle stand.
 *
 * A thread stands from the moment it is about to ask until it has the lock: whoever was let go and blocks for real still stands.
 */
#include "steer.h"

#include <errno.h>
#include <linux/futex.h>
#include <time.h>

enum {
	HOLDS = 1024,
	STANDING = 128,
	PATIENCE =
		8, /* as many times hold_ms is lost at most, by all threads of a process together */
};

/* A lock that was taken at an outer place. */
struct hold {
	uint32_t thread; /* 0 = free */
	uint32_t edges;
	uintptr_t address;
};

struct standing {
	uint32_t thread; /* 0 = free */
	uint32_t edges;
	uintptr_t asks, sp;
	bool go;
	bool is_late; /* before its outer lock, until the others stand */
};

/* In wiped memory. */
static struct steer_state {
	spin_t lock; /* the arrays; taken with the guard held, nothing is taken under it */
	_Atomic uint32_t turn; /* a futex: changes when somebody may go */
	_Atomic uint32_t spent_ms;
	struct hold hold[HOLDS];
	struct standing standing[STANDING];
} * state;

bool steer_stand_arm(void)
{
	state = shim_pages(sizeof(*state));
	return state != NULL;
}

/* Returns how the guard was, for state_leave. */
static uint32_t state_enter(struct stream *s)
{
	uint32_t was = s->busy;

	s->busy = BUSY_GUARD;
	atomic_signal_fence(memory_order_seq_cst);
	spin_lock(&state->lock);
	return was;
}

static void state_leave(struct stream *s, uint32_t was)
{
	spin_unlock(&state->lock);
	atomic_signal_fence(memory_order_seq_cst);
	s->busy = was;
}

static void count_up(uint32_t *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

/* ---- who holds what: under the lock ---- */

static void hold_add(uint32_t thread, uintptr_t address, uint32_t edges)
{
	struct hold *free = NULL;

	for (uint32_t i = HOLDS; i-- > 0 && edges;) {
		struct hold *h = &state->hold[i];

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
static uint32_t hold_remove(uint32_t thread, uintptr_t address)
{
	for (uint32_t i = 0; i < HOLDS; i++) {
		if (state->hold[i].thread == thread && state->hold[i].address == address) {
			state->hold[i].thread = 0;
			return state->hold[i].edges;
		}
	}
	return 0;
}

static bool holds(uint32_t thread, uintptr_t address, uint32_t edge)
{
	for (uint32_t i = 0; i < HOLDS; i++) {
		const struct hold *h = &state->hold[i];

		if (h->thread == thread && h->address == address && h->edges >> edge & 1) {
			return true;
		}
	}
	return false;
}

/* Those of `edges` for which the thread holds a lock other than the one it asks for. */
static uint32_t edges_played(uint32_t thread, uint32_t edges, uintptr_t asks)
{
	uint32_t played = 0;

	for (uint32_t i = 0; i < HOLDS; i++) {
		const struct hold *h = &state->hold[i];

		if (h->thread == thread && h->address != asks) {
			played |= h->edges;
		}
	}
	return played & edges;
}

/* Of those edges, the ones that are meant by a lock of that number at the outer place, or at the inner one. */
static uint32_t edges_meant(uint32_t edges, uint32_t object, bool is_outer)
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
static void standing_drop_left(uint32_t thread, uintptr_t sp)
{
	for (uint32_t i = 0; i < STANDING; i++) {
		if (state->standing[i].thread == thread && state->standing[i].sp <= sp) {
			state->standing[i].thread = 0;
		}
	}
}

/* NULL: there are too many. */
static struct standing *standing_add(struct steer_call *c, uint32_t edges, uintptr_t asks)
{
	for (uint32_t i = 0; i < STANDING; i++) {
		if (!state->standing[i].thread) {
			state->standing[i] = (struct standing){
				.thread = c->s->thread, .edges = edges, .asks = asks, .sp = c->sp
			};
			return &state->standing[i];
		}
	}
	return NULL;
}

static bool is_among(const struct standing *const *chosen, uint32_t count, uint32_t thread)
{
	for (uint32_t i = 0; i < count; i++) {
		if (chosen[i]->thread == thread) {
			return true;
		}
	}
	return false;
}

/* From the last one chosen on: who holds what it asks for plays the next edge. Returns the length of the longest chain. */
static uint32_t circle_grow(struct standing **chosen, uint32_t count)
{
	const struct steer_plan *p = steer_plan;
	uint32_t longest = count;

	if (count == p->edges) {
		return holds(chosen[0]->thread, chosen[count - 1]->asks, 0) ? count : count - 1;
	}
	for (uint32_t i = 0; i < STANDING && longest < p->edges; i++) {
		struct standing *s = &state->standing[i];
		uint32_t reached;

		if (!s->thread || s->is_late || !(s->edges >> count & 1) ||
		    is_among((const struct standing *const *)chosen, count, s->thread) ||
		    (count && !holds(s->thread, chosen[count - 1]->asks, count))) {
			continue;
		}
		chosen[count] = s;
		reached = circle_grow(chosen, count + 1);
		longest = reached > longest ? reached : longest;
	}
	return longest;
}

static void turn_changed(void)
{
	atomic_fetch_add(&state->turn, 1);
	sys3(SYS_futex, (uintptr_t)&state->turn, FUTEX_WAKE_PRIVATE, INT32_MAX);
}

/* Who came too early for its outer lock may take it when all others stand. */
static void late_look(void)
{
	uint32_t all = (1u << steer_plan->edges) - 1, stand = 0;

	for (uint32_t i = 0; i < STANDING; i++) {
		const struct standing *s = &state->standing[i];

		stand |= s->thread && !s->is_late ? s->edges : 0;
	}
	for (uint32_t i = 0; i < STANDING; i++) {
		struct standing *s = &state->standing[i];

		if (s->thread && s->is_late && (stand | s->edges) == all) {
			s->go = true;
			turn_changed();
		}
	}
}

/* All of a circle stand: all may go. */
static void circle_look(void)
{
	struct standing *chosen[STEER_EDGES];
	uint32_t length = circle_grow(chosen, 0);

	if (length > __atomic_load_n(&steer_plan->most, __ATOMIC_RELAXED)) {
		__atomic_store_n(&steer_plan->most, length, __ATOMIC_RELAXED);
	}
	if (length < steer_plan->edges) {
		return;
	}
	count_up(&steer_plan->met);
	for (uint32_t i = 0; i < length; i++) {
		chosen[i]->go = true;
	}
	turn_changed();
}

/* ---- holding back ---- */

static uint64_t now_ms(void)
{
	return region_mono_ns() / 1000000;
}

static void wait_for_turn(uint32_t seen, uint64_t ms)
{
	struct timespec most = { .tv_sec = (time_t)(ms / 1000),
				 .tv_nsec = (long)(ms % 1000) * 1000000 };

	sys4(SYS_futex, (uintptr_t)&state->turn, FUTEX_WAIT_PRIVATE, seen, (uintptr_t)&most);
}

/* Until the others came. False: the time was up. Its wait slot is empty meanwhile, and as it was after. */
static bool hold_back(struct steer_call *c, const struct standing *me)
{
	struct trace_wait *slot = &c->s->segment->wait, saved = *slot;
	uintptr_t saved_sp = c->s->wait_sp;
	uint64_t from = now_ms(), end = from + steer_plan->hold_ms, now = from;
	bool go;

	__atomic_store_n(&slot->kind, TRACE_WAIT_NONE, __ATOMIC_RELEASE);
	for (;;) {
		uint32_t seen = atomic_load(&state->turn);

		go = __atomic_load_n(&me->go, __ATOMIC_ACQUIRE);
		if (go || now >= end) {
			break;
		}
		wait_for_turn(seen, end - now);
		now = now_ms();
	}
	if (!go) {
		atomic_fetch_add(&state->spent_ms, (uint32_t)(now - from));
	}
	slot = &c->s->segment->wait; /* a handler may have gone on to another segment */
	slot->mode = saved.mode;
	slot->object = saved.object;
	slot->other = saved.other;
	slot->stack = saved.stack;
	slot->thread = saved.thread;
	slot->ticks = saved.ticks;
	c->s->wait_sp = saved_sp;
	__atomic_store_n(&slot->kind, saved.kind, __ATOMIC_RELEASE);
	return go;
}

static bool has_patience(void)
{
	return atomic_load(&state->spent_ms) < PATIENCE * steer_plan->hold_ms;
}

/*
 * To always hold back the first that comes never lets another overtake it. So all tries but the first leave to chance who waits, and
 * for how long one that has not yet taken the outer lock comes late. True: one in `of`.
 */
static bool is_drawn(struct stream *s, uint32_t of, uint32_t *ret_ms)
{
	uint64_t drawn = steer_draw(steer_plan->seed, s->thread, s->perturbed++);

	*ret_ms = (uint32_t)(drawn >> 32) % steer_plan->hold_ms;
	return drawn % of == 0;
}

static void come_late(struct steer_call *c)
{
	uint32_t ms;

	if (steer_plan->seed && has_patience() && is_drawn(c->s, 4, &ms)) {
		atomic_fetch_add(&state->spent_ms, ms);
		steer_sleep_us(ms * 1000);
	}
}

static bool is_to_wait(struct steer_call *c)
{
	uint32_t ms;

	return has_patience() && (!steer_plan->seed || !is_drawn(c->s, 3, &ms));
}

/* Counts, and stands where the outer lock is held. NULL = it does not. */
static struct standing *take_stand(struct steer_call *c, uint32_t inner, uintptr_t asks)
{
	uint32_t edges = edges_played(c->s->thread, inner, asks);
	struct standing *me = edges ? standing_add(c, edges, asks) : NULL;

	for (uint32_t i = 0; i < steer_plan->edges; i++) {
		if (edges >> i & 1) {
			count_up(&steer_plan->edge[i].reached);
		} else if (inner >> i & 1) {
			count_up(&steer_plan->edge[i].passed);
		}
	}
	if (me) {
		c->stands = true;
		circle_look();
		late_look();
	}
	return me;
}

/* About to take an outer lock: may be the one that is to come last. */
static void come_last(struct steer_call *c, uintptr_t asks)
{
	uint32_t edge = 1u << (steer_plan->late - 1);
	struct standing *me;
	uint32_t was;

	if (!(c->outer & edge) || !has_patience()) {
		return;
	}
	was = state_enter(c->s);
	standing_drop_left(c->s->thread, c->sp);
	me = standing_add(c, edge, asks);
	if (me) {
		me->is_late = true;
		late_look();
	}
	state_leave(c->s, was);
	if (!me) {
		return;
	}
	hold_back(c, me);
	state_enter(c->s);
	standing_drop_left(c->s->thread, c->sp);
	state_leave(c->s, was);
}

static void count_let_go(uint32_t edges)
{
	for (uint32_t i = 0; i < steer_plan->edges; i++) {
		if (edges >> i & 1) {
			count_up(&steer_plan->edge[i].let_go);
		}
	}
}

/* ---- the calls ---- */

/* Inside a library's lock only that lock is one: what the library takes to make it is not the program's. */
struct stream *steer_stream(uintptr_t address, const struct object **ret_object)
{
	struct stream *s = shim_stream;
	const struct object *o;

	if (!s || !s->segment || (s->busy && s->busy != BUSY_MUTED)) {
		return NULL;
	}
	o = *object_slot(s, address);
	if (!o || atomic_load_explicit(&o->address, memory_order_relaxed) != address ||
	    (s->busy && !(o->kind & KIND_FOREIGN))) {
		return NULL;
	}
	*ret_object = o;
	return s;
}

/* Does the wait slot tell of this call? Then it has the number of its stack. */
static bool call_begin(struct steer_call *c, uintptr_t object, uintptr_t sp)
{
	const struct object *o;
	struct stream *s = state && shim ? steer_stream(object, &o) : NULL;

	*c = (struct steer_call){ .sp = sp };
	if (!s || atomic_load_explicit(&shim->state, memory_order_relaxed) != SHIM_LIVE ||
	    s->segment->wait.kind == TRACE_WAIT_NONE || o->id != s->segment->wait.object) {
		return false;
	}
	c->s = s;
	return true;
}

void steer_before(struct steer_call *c, uintptr_t address, uintptr_t sp, bool for_ever)
{
	struct standing *me = NULL;
	struct steer_match match;
	uint32_t was;

	if (!call_begin(c, address, sp)) {
		return;
	}
	match = steer_match_stack(c->s->segment->wait.stack);
	match.inner = edges_meant(match.inner, c->s->segment->wait.object, false);
	c->address = address;
	c->outer = edges_meant(match.outer, c->s->segment->wait.object, true);
	if (!for_ever) {
		return;
	}
	if (!match.inner && c->outer && steer_plan->late) {
		come_last(c, address);
	} else if (!match.inner && c->outer) {
		come_late(c);
	}
	if (!match.inner) {
		return;
	}
	was = state_enter(c->s);
	standing_drop_left(c->s->thread, sp);
	me = take_stand(c, match.inner, address);
	state_leave(c->s, was);
	if (me && is_to_wait(c) && !hold_back(c, me)) {
		count_let_go(me->edges);
	}
}

/* It asks for the mutex when it is woken: it stands at once, and is not held back, lest it misses its signal. */
void steer_wait_before(struct steer_call *c, uintptr_t cond, uintptr_t mutex, uintptr_t sp)
{
	struct steer_match match;
	uint32_t was;

	if (!call_begin(c, cond, sp)) {
		return;
	}
	match = steer_match_stack(c->s->segment->wait.stack);
	match.inner = edges_meant(match.inner, c->s->segment->wait.other, false);
	c->address = c->released = mutex;
	c->outer = edges_meant(match.outer, c->s->segment->wait.other, true);
	was = state_enter(c->s);
	standing_drop_left(c->s->thread, sp);
	c->released_as = hold_remove(c->s->thread, mutex);
	if (match.inner) {
		take_stand(c, match.inner, mutex);
	}
	state_leave(c->s, was);
}

void steer_after(struct steer_call *c, bool taken)
{
	uint32_t was;

	if (!c->s || !c->s->segment || (!c->stands && !c->outer && !c->released)) {
		return;
	}
	was = state_enter(c->s);
	if (c->stands) {
		standing_drop_left(c->s->thread, c->sp);
	}
	if (taken) {
		hold_add(c->s->thread, c->address, c->outer | c->released_as);
	}
	state_leave(c->s, was);
}

/* A try has no wait slot, where the stack would be: it is walked once more, from here, under what the wrapper found. */
void steer_tried(uintptr_t address, struct arch_caller caller)
{
	const struct object *o;
	struct stream *s = state && shim ? steer_stream(address, &o) : NULL;
	struct steer_match match;
	struct call call;
	uint32_t was;

	if (!s) {
		return;
	}
	was = s->busy;
	s->busy = BUSY_NOT;
	if (!shim_enter_with(&call, caller, ROOM)) {
		s->busy = was;
		return;
	}
	match = steer_match_stack(stack_id(&call));
	shim_leave(&call);
	s->busy = was;
	match.outer = edges_meant(match.outer, o->id, true);
	if (match.outer) {
		state_enter(s);
		hold_add(s->thread, address, match.outer);
		state_leave(s, was);
	}
}

void steer_released(uintptr_t address)
{
	const struct object *o;
	struct stream *s = state ? steer_stream(address, &o) : NULL;
	uint32_t was;

	if (!s || atomic_load_explicit(&o->owner, memory_order_relaxed) == s->thread) {
		return; /* a recursive one, not for the last time */
	}
	was = state_enter(s);
	hold_remove(s->thread, address);
	state_leave(s, was);
}
