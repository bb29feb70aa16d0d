/* SPDX-License-Identifier: MIT */
/*
 * steer_hold.c - holds threads back until all of a circle stand, or their time is up: what happens around a call that takes a lock.
 */
#include "steer_state.h"

#include <errno.h>
#include <linux/futex.h>
#include <time.h>

enum {
	PATIENCE =
		4, /* for each edge: as many times hold_ms is lost at most, by all threads of a process together */
	SLICES =
		4, /* of hold_ms: each wakes the thread, which a program that looks at its threads may see */
	SLOWEST = 8, /* as many times longer than meant it may take where the machine is busy */
};

/* ---- holding back ---- */

static uint64_t now_ms(void)
{
	return region_mono_ns() / 1000000;
}

static void wait_for_turn(uint32_t seen, uint64_t ms)
{
	struct timespec most = { .tv_sec = (time_t)(ms / 1000),
				 .tv_nsec = (long)(ms % 1000) * 1000000 };

	sys4(SYS_futex, (uintptr_t)&steer_state->turn, FUTEX_WAIT_PRIVATE, seen, (uintptr_t)&most);
}

/*
 * Returns the time that counts: on a busy machine the others come as much later as a short sleep takes longer. That is why it is made of
 * some short ones.
 */
static uint64_t wait_a_slice(uint32_t seen, uint64_t left, uint64_t *now)
{
	uint64_t slice = steer_plan->hold_ms / SLICES + 1, from = *now;

	slice = left < slice ? left : slice;
	wait_for_turn(seen, slice);
	*now = now_ms();
	return *now - from < slice ? *now - from : slice;
}

/*
 * hold_ms, and anew each time that somebody else comes to stand: where a circle of many fills up, it is waited for the last one too.
 * Two need not: who comes is the partner, or none.
 */
static bool wait_for_others(const struct standing *me, uint64_t *ret_spent)
{
	uint64_t from = now_ms(), now = from, left = steer_plan->hold_ms;
	uint32_t came = atomic_load(&steer_state->came), anew = steer_plan->edges - 2;
	bool go;

	*ret_spent = 0;
	for (;;) {
		uint32_t seen = atomic_load(&steer_state->turn), others;
		uint64_t counts;

		go = __atomic_load_n(&me->go, __ATOMIC_ACQUIRE);
		if (go || !left || now - from >= SLOWEST * steer_plan->hold_ms) {
			return go;
		}
		counts = wait_a_slice(seen, left, &now);
		*ret_spent += counts;
		left -= counts;
		others = atomic_load(&steer_state->came);
		if (others != came && anew) {
			came = others;
			anew--;
			left = steer_plan->hold_ms;
		}
	}
}

/* Until the others came. False: the time was up. Its wait slot is empty meanwhile, and as it was after. */
static bool hold_back(struct steer_call *c, const struct standing *me)
{
	struct trace_wait *slot = &c->s->segment->wait, saved = *slot;
	uintptr_t saved_sp = c->s->wait_sp;
	uint64_t spent;
	void *left;
	bool go;

	__atomic_store_n(&slot->kind, TRACE_WAIT_NONE, __ATOMIC_RELEASE);
	left = c->outside ? c->outside->leave() : NULL;
	go = wait_for_others(me, &spent);
	atomic_fetch_add(&steer_state->spent_ms, (uint32_t)spent);
	if (c->outside) {
		c->outside->enter(left);
	}
	if (!c->s->segment) {
		return go; /* a handler forked: this is the child, and the stream its parent's */
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
	return atomic_load(&steer_state->spent_ms) <
	       PATIENCE * steer_plan->edges * steer_plan->hold_ms;
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
		atomic_fetch_add(&steer_state->spent_ms, ms);
		steer_sleep_us(ms * 1000, c->outside);
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
	uint32_t edges = steer_edges_played(c->s->thread, inner, asks);
	struct standing *me = edges ? steer_standing_add(c, edges, asks) : NULL;

	for (uint32_t i = 0; i < steer_plan->edges; i++) {
		if (edges >> i & 1) {
			steer_count_up(&steer_plan->edge[i].reached);
		} else if (inner >> i & 1) {
			steer_count_up(&steer_plan->edge[i].passed);
		}
	}
	if (me) {
		c->stands = true;
		atomic_fetch_add(&steer_state->came, 1);
		steer_circle_look();
		steer_late_look();
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
	was = steer_state_enter(c->s);
	steer_standing_drop(c->s->thread, c->sp);
	me = steer_standing_add(c, edge, asks);
	if (me) {
		me->is_late = true;
		steer_late_look();
	}
	steer_state_leave(c->s, was);
	if (!me) {
		return;
	}
	hold_back(c, me);
	steer_state_enter(c->s);
	steer_standing_drop(c->s->thread, c->sp);
	steer_state_leave(c->s, was);
}

static void count_let_go(uint32_t edges)
{
	for (uint32_t i = 0; i < steer_plan->edges; i++) {
		if (edges >> i & 1) {
			steer_count_up(&steer_plan->edge[i].let_go);
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
	struct stream *s = steer_state && shim ? steer_stream(object, &o) : NULL;

	*c = (struct steer_call){ .sp = sp };
	if (!s || atomic_load_explicit(&shim->state, memory_order_relaxed) != SHIM_LIVE ||
	    s->segment->wait.kind == TRACE_WAIT_NONE || o->id != s->segment->wait.object) {
		return false;
	}
	c->s = s;
	return true;
}

void steer_before(struct steer_call *c, uintptr_t address, uintptr_t sp, bool for_ever,
		  const struct steer_outside *outside)
{
	struct standing *me = NULL;
	struct steer_match match;
	uint32_t was, edges;

	if (!call_begin(c, address, sp)) {
		return;
	}
	match = steer_match_stack(c->s->segment->wait.stack);
	match.inner = steer_edges_meant(match.inner, c->s->segment->wait.object, false);
	c->outside = outside;
	c->address = address;
	c->outer = steer_edges_meant(match.outer, c->s->segment->wait.object, true);
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
	was = steer_state_enter(c->s);
	steer_standing_drop(c->s->thread, sp);
	me = take_stand(c, match.inner, address);
	edges = me ? me->edges : 0;
	steer_state_leave(c->s, was);
	if (me && is_to_wait(c) && !hold_back(c, me)) {
		count_let_go(edges);
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
	match.inner = steer_edges_meant(match.inner, c->s->segment->wait.other, false);
	c->address = c->released = mutex;
	c->outer = steer_edges_meant(match.outer, c->s->segment->wait.other, true);
	was = steer_state_enter(c->s);
	steer_standing_drop(c->s->thread, sp);
	c->released_as = steer_hold_remove(c->s->thread, mutex);
	if (match.inner) {
		take_stand(c, match.inner, mutex);
	}
	steer_state_leave(c->s, was);
}

void steer_after(struct steer_call *c, bool taken)
{
	uint32_t was;

	if (!c->s || !c->s->segment || (!c->stands && !c->outer && !c->released)) {
		return;
	}
	was = steer_state_enter(c->s);
	if (c->stands) {
		steer_standing_drop(c->s->thread, c->sp);
	}
	if (taken) {
		steer_hold_add(c->s->thread, c->address, c->outer | c->released_as);
	}
	steer_state_leave(c->s, was);
}

/* A try has no wait slot, where the stack would be: it is walked once more, from here, under what the wrapper found. */
void steer_tried(uintptr_t address, struct arch_caller caller)
{
	const struct object *o;
	struct stream *s = steer_state && shim ? steer_stream(address, &o) : NULL;
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
	match.outer = steer_edges_meant(match.outer, o->id, true);
	if (match.outer) {
		steer_state_enter(s);
		steer_hold_add(s->thread, address, match.outer);
		steer_state_leave(s, was);
	}
}

void steer_thread_over(struct stream *s)
{
	uint32_t was;

	if (steer_state) {
		was = steer_state_enter(s);
		steer_thread_drop(s->thread);
		steer_state_leave(s, was);
	}
}

void steer_released(uintptr_t address)
{
	const struct object *o;
	struct stream *s = steer_state ? steer_stream(address, &o) : NULL;
	uint32_t was;

	if (!s || atomic_load_explicit(&o->owner, memory_order_relaxed) == s->thread) {
		return; /* a recursive one, not for the last time */
	}
	was = steer_state_enter(s);
	steer_hold_remove(s->thread, address);
	steer_state_leave(s, was);
}
