/* SPDX-License-Identifier: MIT */
/*
 * join_order.c - a join with a lock held that the joined thread takes somewhere: had it come later,
 * both would wait for ever (S38).
 *
 * Joins under a lock are rare, and what every thread ever locked is much to remember. So the first
 * pass only notes such joins; where the lock is shared, a second pass looks at the acquires of the
 * joined threads. Silent when
 *
 *   - the joined thread only tries the lock, or both only read
 *   - its acquire is ordered before the joiner's by create, join or a barrier
 *   - the joiner took the lock back at the end of a condition wait: it waited to be told
 *
 * A hint where the last thing that the joined thread did with the lock was to signal a condition variable under it: then it
 * announced its end, and whoever holds the lock can look whether it did, without a wait.
 */
#include "../checker.h"

#include <stdlib.h>

#define MAX_PAIRS 4096u
#define MAX_USES 8u /* acquires kept of each pair, in different segments */

struct use {
	uint32_t segment;
	struct model_site site;
	bool bounded, shared;
};

/* `child` was joined by `joiner`, who held `lock`. */
struct pair {
	uint32_t joiner, child, lock;
	uint32_t taker; /* the newest one of the lock, in the second pass */
	uint32_t use_count;
	struct use use[MAX_USES];
	uint32_t hold_segment; /* where the joiner took the lock last */
	bool announced;	       /* the child's last hold of the lock so far signalled something */
	bool reported;
};

struct join_order {
	struct pair *pair; /* owned */
	uint32_t count, capacity;
	bool second_pass, handed_over;
};

static void *join_order_begin(struct analysis *a)
{
	struct join_order *s = a->again ? a->again : calloc(1, sizeof(*s));

	if (!s)
		abort();
	s->second_pass = a->again != NULL;
	return s;
}

static struct pair *find_pair(struct join_order *s, uint32_t joiner, uint32_t child, uint32_t lock)
{
	for (uint32_t i = 0; i < s->count; i++)
		if (s->pair[i].joiner == joiner && s->pair[i].child == child &&
		    s->pair[i].lock == lock)
			return &s->pair[i];
	return NULL;
}

static void add_pair(struct join_order *s, uint32_t joiner, uint32_t child, uint32_t lock)
{
	if (s->count >= MAX_PAIRS || find_pair(s, joiner, child, lock))
		return;
	if (s->count == s->capacity) {
		s->capacity = s->capacity ? s->capacity * 2 : 8;
		s->pair = realloc(s->pair, s->capacity * sizeof(*s->pair));
		if (!s->pair)
			abort();
	}
	s->pair[s->count++] = (struct pair){ .joiner = joiner, .child = child, .lock = lock };
}

static bool is_candidate(const struct analysis *a, const struct model_held *hold)
{
	const struct model_object *o = model_get_object(a->model, hold->object);

	return trace_object_kind_is_lock(o->kind) && !(hold->flags & MODEL_HOLD_REACQUIRED);
}

static void note_join(struct join_order *s, struct analysis *a, const struct model_step *step)
{
	const struct model_thread *t = step->thread;

	for (uint32_t i = 0; i < t->held_count && !t->uncertain; i++)
		if (is_candidate(a, &t->held[i]))
			add_pair(s, t->id, step->peer->id, t->held[i].object);
}

/* ---- second pass ---- */

static void note_acquire(struct join_order *s, struct analysis *a, const struct trace_event *event,
			 const struct model_step *step)
{
	uint32_t flags = step->thread->held[step->thread->held_count - 1].flags;

	for (uint32_t i = 0; i < s->count; i++) {
		struct pair *p = &s->pair[i];
		uint32_t segment, taker = p->taker;

		if (p->lock != event->object)
			continue;
		p->taker = event->thread;
		if (p->child != event->thread && p->joiner != event->thread)
			continue;
		/* Who had it died with it: the child is over, and takes nothing any more. */
		if (event->op == TRACE_ACQUIRE_OWNERDEAD && taker == p->child)
			p->use_count = 0;
		segment = model_pin_segment(a->model, step->thread);
		if (p->child == event->thread)
			p->announced = false;
		if (p->joiner == event->thread)
			p->hold_segment = segment;
		else if (!(flags & MODEL_HOLD_TRY) && p->use_count < MAX_USES &&
			 (p->use_count == 0 || p->use[p->use_count - 1].segment != segment))
			p->use[p->use_count++] = (struct use){
				.segment = segment,
				.site = { event->thread, event->stack, event->time_ns },
				.bounded = flags & MODEL_HOLD_TIMED,
				.shared = flags & MODEL_HOLD_SHARED
			};
	}
}

static void note_signal(struct join_order *s, const struct model_step *step)
{
	for (uint32_t i = 0; i < s->count && step->thread; i++)
		if (s->pair[i].child == step->thread->id &&
		    model_find_held(step->thread, s->pair[i].lock))
			s->pair[i].announced = true;
}

static void report(struct analysis *a, const struct trace_event *event,
		   const struct model_held *hold, const struct pair *p, const struct use *use)
{
	struct finding *f = analysis_begin(a, RULE_LOCK_ORDER_INVERSION,
					   use->bounded || p->announced ? CONFIDENCE_HINT
									: CONFIDENCE_POTENTIAL);

	analysis_add_stack(a, f, ROLE_HOLDS, p->joiner, p->lock, hold->stack, hold->time_ns, NULL,
			   0);
	analysis_add_stack_now(a, f, ROLE_AWAITS, p->joiner, 0, event->stack, event->time_ns)
		->note = "joins the thread below";
	analysis_add_stack(a, f, ROLE_ACQUIRES, p->child, p->lock, use->site.stack,
			   use->site.time_ns, NULL, 0);
	f->title = analysis_printf(
		a,
		"{thread:%u} joins {thread:%u} while it holds {lock:%u}, which that thread takes",
		p->joiner, p->child, p->lock);
	f->message = analysis_printf(
		a,
		"%s. This time it was done with the lock; when it comes to it only during the join, "
		"each waits for the other for ever. Release {lock:%u} before the join.",
		f->title, p->lock);
	analysis_commit(a, f);
}

static void judge_join(struct join_order *s, struct analysis *a, const struct trace_event *event,
		       const struct model_step *step)
{
	const struct model_thread *t = step->thread;

	for (uint32_t i = 0; i < t->held_count; i++) {
		const struct model_held *hold = &t->held[i];
		struct pair *p = find_pair(s, t->id, step->peer->id, hold->object);

		if (!p || p->reported || !is_candidate(a, hold) || p->hold_segment == 0)
			continue;
		for (uint32_t k = 0; k < p->use_count && !p->reported; k++) {
			if (model_is_before(a->model, p->use[k].segment, p->hold_segment) ||
			    (p->use[k].shared && (hold->flags & MODEL_HOLD_SHARED)))
				continue;
			p->reported = true;
			report(a, event, hold, p, &p->use[k]);
		}
	}
}

static void join_order_on_event(void *state, struct analysis *a, const struct trace_event *event,
				const struct model_step *step)
{
	struct join_order *s = state;

	if (event->op == TRACE_JOIN) {
		if (!step->peer || event->result != 0 || step->peer == step->thread)
			return;
		if (s->second_pass)
			judge_join(s, a, event, step);
		else if (step->thread->held_count)
			note_join(s, a, step);
	} else if (event->op == TRACE_COND_SIGNAL || event->op == TRACE_COND_BROADCAST) {
		note_signal(s, step);
	} else if (s->second_pass && (step->flags & MODEL_STEP_HOLD)) {
		note_acquire(s, a, event, step);
	}
}

static void join_order_finish(void *state, struct analysis *a)
{
	struct join_order *s = state;
	uint32_t kept = 0;

	if (s->second_pass || !analysis_wants(a, RULE_LOCK_ORDER_INVERSION))
		return;
	for (uint32_t i = 0; i < s->count; i++)
		if (model_get_object(a->model, s->pair[i].lock)->only_thread == MODEL_MANY_THREADS)
			s->pair[kept++] = s->pair[i];
	s->count = kept;
	if (kept == 0)
		return;
	s->handed_over = true;
	a->again = s;
}

static void join_order_release(void *state)
{
	struct join_order *s = state;

	/* What asked for a second pass lives on until the end of that. */
	if (s->handed_over) {
		s->handed_over = false;
		return;
	}
	free(s->pair);
	free(s);
}

#define OP(op) CHECKER_OP(TRACE_##op)

const struct checker checker_join_order = {
	.name = "join_order",
	.consumes = OP(JOIN),
	.consumes_again = OP(JOIN) | OP(ACQUIRE) | OP(ACQUIRE_SHARED) | OP(ACQUIRE_TRY) |
			  OP(ACQUIRE_TRY_SHARED) | OP(ACQUIRE_TIMED) | OP(ACQUIRE_TIMED_SHARED) |
			  OP(ACQUIRE_OWNERDEAD) | OP(ONCE_BEGIN) | OP(COND_SIGNAL) |
			  OP(COND_BROADCAST),
	.begin = join_order_begin,
	.on_event = join_order_on_event,
	.finish = join_order_finish,
	.release = join_order_release,
};
