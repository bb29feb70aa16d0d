/* SPDX-License-Identifier: MIT */
/*
 * lock_order.c - collects which lock was requested while which was held. Judges nothing before the
 * end.
 *
 * An edge comes from a request that may block for ever or for long: a blocking or timed acquire,
 * answered or not; the re-acquire at the end of a condition wait, known when the wait begins; a
 * once that is entered or passed. A try variant makes no edge but its hold counts. What is held
 * already makes no edge to itself, except that a read side taken again is kept apart: it can wait
 * behind a writer.
 *
 * Nested waits (S31): the condvar is a resource that only a signaller can give. Waiting with lock A
 * held is the fact A -> condvar, signalling with A held is condvar -> A; the two together are a
 * hint.
 */
#include "lock_order.h"

#include "lock_order_class.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_MAX_CONTEXTS (UINT64_C(1) << 21) /* about 300 MB with edges and sets */
#define FIRST_CACHE_SLOTS UINT64_C(1024)
#define MAX_CACHE_SLOTS (UINT64_C(1) << 22) /* 96 MiB */
/* Of a thread: their contexts would grow with the square of the number. */
#define DEFAULT_MANY_HELD 64u
#define CLASS_DEPTH 3u /* newest holds that are compared with a request */
#define MAX_VIEWED_CONTEXTS (UINT64_C(1) << 18)

static void allocate_cache(struct lock_cache *cache, uint64_t slots)
{
	cache->mask = slots - 1;
	cache->filled = 0;
	cache->slot = calloc(slots, sizeof(*cache->slot));
	cache->target = calloc(slots, sizeof(*cache->target));
	if (!cache->slot || !cache->target)
		abort();
}

static void *lock_order_begin(struct analysis *a)
{
	struct lock_order *order = calloc(1, sizeof(*order));

	if (!order)
		abort();
	order->focus = a->again;
	order->graph = lock_graph_new(a->model->object_count);
	order->conds = lock_graph_new(a->model->object_count);
	order->max_contexts = a->options->max_contexts ? a->options->max_contexts
						       : DEFAULT_MAX_CONTEXTS;
	order->many_held = a->options->many_held ? a->options->many_held : DEFAULT_MANY_HELD;
	allocate_cache(&order->cache, FIRST_CACHE_SLOTS);
	if (!order->focus && !a->run)
		order->classes = lock_graph_new(a->model->object_count);
	order->is_viewed = a->options->lock_view && !a->run && !order->focus;
	if (order->is_viewed) {
		order->rounds_of_thread =
			calloc(a->model->thread_count + 1, sizeof(*order->rounds_of_thread));
		if (!order->rounds_of_thread)
			abort();
	}
	return order;
}

static void lock_order_release(void *state)
{
	struct lock_order *order = state;

	free(order->focus);
	pair_set_release(&order->lean);
	pair_set_release(&order->passed);
	free(order->rounds);
	free(order->rounds_of_thread);
	free(order->cache.slot);
	free(order->cache.target);
	lock_graph_free(order->graph);
	lock_graph_free(order->conds);
	lock_graph_free(order->classes);
	free(order->class_of_edge);
	free(order);
}

/* ---- the cache in front of the graph ---- */

static void flush_slot(struct lock_order *order, uint64_t at)
{
	const struct lock_cache_target *target = &order->cache.target[at];
	struct lock_graph *g = order->graph;
	uint64_t uses = order->cache.slot[at] & LOCK_CACHE_USES;

	for (size_t i = 0; i < 3 && uses; i++) {
		uint32_t c = target->context[i];

		/* The context may have been dropped with its lock and its place used again. */
		if (c && g->context[c].edge && g->edge[g->context[c].edge].to == target->object)
			g->context[c].count += uses;
	}
	order->cache.slot[at] &= ~LOCK_CACHE_USES;
}

static inline bool is_key(uint64_t slot, uint64_t key)
{
	return (slot ^ key) <= LOCK_CACHE_USES;
}

/* The slot of `key`, or the one to use for it. Low bits of a key are 0. */
static inline uint64_t probe_cache(const struct lock_cache *cache, uint64_t key)
{
	uint64_t at = (key >> 20) & cache->mask;

	if (is_key(cache->slot[at], key))
		return at;
	return is_key(cache->slot[at ^ 1], key) || (cache->slot[at] && !cache->slot[at ^ 1])
		       ? at ^ 1
		       : at;
}

static void grow_cache(struct lock_cache *cache)
{
	struct lock_cache old = *cache;

	cache->filled = 0;
	if (cache->mask + 1 >= MAX_CACHE_SLOTS)
		return;
	allocate_cache(cache, 2 * (old.mask + 1));
	for (uint64_t i = 0; i <= old.mask; i++) {
		uint64_t at = (old.slot[i] >> 20) & cache->mask;

		/*
		 * A bucket of two splits into two: the other way can only be taken by its old
		 * neighbour.
		 */
		if (cache->slot[at])
			at ^= 1;
		if (old.slot[i]) {
			cache->slot[at] = old.slot[i];
			cache->target[at] = old.target[i];
		}
	}
	free(old.slot);
	free(old.target);
}

/* Empties a slot for `key`. */
static uint64_t take_slot(struct lock_order *order, uint64_t key)
{
	uint64_t at;

	if (++order->cache.filled > order->cache.mask / 2)
		grow_cache(&order->cache);
	at = probe_cache(&order->cache, key);
	flush_slot(order, at);
	return at;
}

/* What a request of the thread in its present state comes down to. Never 0. */
static uint64_t request_key(const struct model_thread *t, uint32_t object, uint32_t stack,
			    uint32_t flags)
{
	uint64_t x = t->held_hash ^ ((uint64_t)object << 32 | stack);

	x = (x ^ (x >> 29)) * UINT64_C(0xbf58476d1ce4e5b9);
	x ^= ((uint64_t)t->epoch << 32 | t->id) * UINT64_C(0x9e3779b97f4a7c15) +
	     (flags << 1 | t->uncertain);
	x = (x ^ (x >> 32)) * UINT64_C(0x94d049bb133111eb);
	x = (x ^ (x >> 29)) & ~LOCK_CACHE_USES;
	return x ? x : LOCK_CACHE_USES + 1;
}

/* ---- facts ---- */

/*
 * Nobody else can want the held lock yet: this thread initialised it on the heap, and neither made
 * nor met another thread since. Static storage is within everybody's reach.
 */
static bool is_brand_new(const struct analysis *a, const struct model_thread *t, uint32_t object)
{
	const struct model_object *o = model_get_object(a->model, object);

	return o->only_thread == t->id && (o->flags & MODEL_INIT) && o->detail &&
	       o->detail->init.thread == t->id && o->detail->init_epoch == t->epoch &&
	       a->process->objects && a->process->objects[object].where == TF_WHERE_UNKNOWN;
}

struct request {
	uint32_t object;
	uint32_t stack;
	uint32_t flags; /* enum lock_context_flag */
	uint64_t time_ns;
};

static bool in_focus(const struct lock_order *order, uint32_t object)
{
	return !order->focus || (order->focus[object / 64] >> (object % 64) & 1);
}

/* ---- for those who ask for the whole: struct lock_view ---- */

/* The use that was just added stands in the thread's present segment. */
static void note_rounds(struct lock_order *order, const struct model_thread *t)
{
	if (t->segment >= order->rounds_count) {
		size_t count = 2 * (size_t)t->segment + 64;

		order->rounds = realloc(order->rounds, count * sizeof(*order->rounds));
		if (!order->rounds)
			abort();
		memset(order->rounds + order->rounds_count, 0,
		       (count - order->rounds_count) * sizeof(*order->rounds));
		order->rounds_count = count;
	}
	order->rounds[t->segment] = order->rounds_of_thread[t->id];
}

static void note_barrier(struct lock_order *order, const struct model_thread *t, uint32_t barrier)
{
	if (!order->is_viewed || !t->id || !barrier)
		return;
	order->rounds_of_thread[t->id]++;
	pair_set_add(&order->passed, t->id, barrier);
}

/* Cycles need no edges of a lock that is gone and lacks some in or out; who asks for the whole wants them while there is room. */
static void forget(struct lock_order *order, uint32_t object, uint64_t time_ns)
{
	if (order->is_viewed && order->graph->live_contexts < MAX_VIEWED_CONTEXTS)
		lock_graph_mark_gone(order->graph, object, time_ns);
	else
		lock_graph_forget(order->graph, object, time_ns);
	lock_graph_forget(order->conds, object, time_ns);
}

/* ---- edges ---- */

/* Is there an edge among the lean ones? One that has contexts is added: contexts are dropped with their locks. */
static bool is_lean_edge(struct lock_order *order, uint32_t from, uint32_t to)
{
	if (pair_set_has(&order->lean, from, to))
		return true;
	if (!lock_graph_find_edge(order->graph, from, to))
		return false;
	pair_set_add(&order->lean, from, to);
	return true;
}

/*
 * No room for contexts: the edges alone, and of them what makes the same locks reachable: where the next newer hold was requested with this
 * one held, the way leads through it. In the second pass not even those, it is the last.
 */
static void add_lean_edges(struct lock_order *order, const struct model_thread *t,
			   const struct request *r)
{
	order->overflowed |= order->focus != NULL;
	for (uint32_t i = t->held_count; i-- > 0 && !order->focus;) {
		uint32_t held = t->held[i].object;

		if (held == r->object ||
		    (i + 1 < t->held_count && t->held[i + 1].object != r->object &&
		     is_lean_edge(order, held, t->held[i + 1].object)))
			continue;
		pair_set_add(&order->lean, held, r->object);
	}
}

/*
 * Adds the edges from all that `t` holds to the request; `target` gets the newest contexts. False =
 * not to be cached.
 */
static bool add_edges(struct lock_order *order, struct analysis *a, struct model_thread *t,
		      const struct request *r, struct lock_cache_target *target)
{
	bool cacheable = true;
	size_t kept = 0;
	uint32_t set;

	if (!in_focus(order, r->object))
		return true;
	if (order->graph->live_contexts >= order->max_contexts ||
	    (t->held_count > order->many_held && !order->focus && !order->is_viewed &&
	     !t->uncertain)) {
		add_lean_edges(order, t, r);
		return true;
	}
	set = model_intern_set(a->model, t, r->object);
	for (uint32_t i = t->held_count; i-- > 0;) {
		const struct model_held *h = &t->held[i];
		struct lock_fact fact = { .from = h->object,
					  .to = r->object,
					  .hold_stack = h->stack,
					  .request_stack = r->stack,
					  .set = set,
					  .flags = r->flags | (t->uncertain ? LOCK_UNCERTAIN : 0),
					  .hold_ns = h->time_ns,
					  .request_ns = r->time_ns };
		uint32_t c;

		if (h->object == r->object || !in_focus(order, h->object))
			continue;
		if (h->flags & MODEL_HOLD_SHARED)
			fact.flags |= LOCK_HELD_SHARED;
		if ((h->flags & MODEL_HOLD_PRIVATE) || is_brand_new(a, t, h->object)) {
			fact.flags |= LOCK_PRIVATE;
			cacheable = false;
		}
		if (t->held_count - i <= CLASS_DEPTH)
			lock_class_note(order, a, t, &fact);
		c = lock_graph_add(order->graph, a->model, t, &fact);
		if (c)
			order->graph->context[c].count++;
		if (c && kept < 3)
			target->context[kept++] = c;
	}
	if (order->is_viewed)
		note_rounds(order, t);
	return cacheable;
}

static void add_request(struct lock_order *order, struct analysis *a, struct model_thread *t,
			const struct request *r)
{
	uint64_t key = request_key(t, r->object, r->stack, r->flags);
	uint64_t at = probe_cache(&order->cache, key);
	struct lock_cache_target *target;

	if (__builtin_expect(is_key(order->cache.slot[at], key), 1)) {
		if ((++order->cache.slot[at] & LOCK_CACHE_USES) == LOCK_CACHE_USES)
			flush_slot(order, at);
		return;
	}
	at = take_slot(order, key);
	target = &order->cache.target[at];
	*target = (struct lock_cache_target){ .object = r->object };
	order->cache.slot[at] = add_edges(order, a, t, r, target) ? key : 0;
}

/* Writers matter where they go before new readers. */
static void add_writer(struct lock_order *order, struct analysis *a, struct model_thread *t,
		       const struct request *r)
{
	struct lock_fact fact = { .from = LOCK_GRAPH_WRITERS,
				  .to = r->object,
				  .request_stack = r->stack,
				  .set = model_intern_set(a->model, t, r->object),
				  .flags = r->flags,
				  .request_ns = r->time_ns };
	uint32_t c = lock_graph_add(order->graph, a->model, t, &fact);

	if (c)
		order->graph->context[c].count++;
}

static void add_reread(struct lock_order *order, struct analysis *a, struct model_thread *t,
		       const struct model_held *hold, const struct request *r)
{
	struct lock_fact fact = { .from = r->object,
				  .to = r->object,
				  .hold_stack = hold->stack,
				  .request_stack = r->stack,
				  .set = model_intern_set(a->model, t, 0),
				  .flags = r->flags | LOCK_HELD_SHARED |
					   (t->uncertain ? LOCK_UNCERTAIN : 0),
				  .hold_ns = hold->time_ns,
				  .request_ns = r->time_ns };
	uint32_t c = lock_graph_add(order->graph, a->model, t, &fact);

	if (c)
		order->graph->context[c].count++;
}

static void add_nested(struct lock_order *order, struct analysis *a, struct model_thread *t,
		       uint32_t cond, const struct trace_event *event, bool waits)
{
	for (uint32_t i = 0; i < t->held_count; i++) {
		const struct model_held *h = &t->held[i];
		struct lock_fact fact = { .from = waits ? h->object : cond,
					  .to = waits ? cond : h->object,
					  .hold_stack = h->stack,
					  .request_stack = event->stack,
					  .set = waits ? model_intern_set(a->model, t, 0)
						       : model_intern_set(a->model, t, h->object),
					  .hold_ns = h->time_ns,
					  .request_ns = event->time_ns };
		uint32_t c;

		/* A signaller that only tried for it would have gone on without. */
		if (!waits && (h->flags & MODEL_HOLD_TRY))
			continue;
		c = lock_graph_add(order->conds, a->model, t, &fact);
		if (c)
			order->conds->context[c].count++;
	}
}

/* ---- events ---- */

static void on_request(struct lock_order *order, struct analysis *a, struct model_thread *t,
		       struct model_object *o, const struct request *r)
{
	const struct model_held *own = NULL;

	if (o->kind == TRACE_OBJECT_SEM && !(o->flags & MODEL_SEM_LOCK))
		return;
	if (o->kind == TRACE_OBJECT_RWLOCK && !(r->flags & LOCK_WANT_SHARED) &&
	    model_object_prefers_writer(o))
		add_writer(order, a, t, r);
	if (t->held_count == 0)
		return;
	if (o->owner == t->id || o->readers)
		own = model_find_held(t, o->id);
	if (!own)
		add_request(order, a, t, r);
	else if ((own->flags & MODEL_HOLD_SHARED) && (r->flags & LOCK_WANT_SHARED))
		add_reread(order, a, t, own, r);
}

static uint32_t flags_of_mode(uint64_t mode)
{
	return (mode & TRACE_MODE_SHARED ? LOCK_WANT_SHARED : 0) |
	       (mode & TRACE_MODE_TIMED ? LOCK_BOUNDED : 0);
}

static void on_acquired(struct lock_order *order, struct analysis *a,
			const struct trace_event *event, const struct model_step *step,
			uint32_t flags)
{
	struct model_thread *t = step->thread;
	struct request r = { event->object, event->stack, flags, event->time_ns };

	if (step->flags & MODEL_STEP_REQUESTED)
		return; /* the request made the edges */
	if (step->flags & MODEL_STEP_DEPTH) {
		const struct model_held *hold = model_find_held(t, event->object);

		if (hold && (hold->flags & MODEL_HOLD_REREAD) && (flags & LOCK_WANT_SHARED))
			add_reread(order, a, t, hold, &r);
		return;
	}
	if (!(step->flags & MODEL_STEP_HOLD))
		return;
	if (!(flags & LOCK_WANT_SHARED) && step->object->kind == TRACE_OBJECT_RWLOCK &&
	    model_object_prefers_writer(step->object))
		add_writer(order, a, t, &r);
	if (t->held_count > 1)
		add_request(order, a, t, &r);
}

/*
 * An acquire with nothing else held has nothing to say, unless it writes a lock that readers can
 * wait for.
 */
static inline bool is_lonely(const struct model_step *step)
{
	return step->thread->held_count <= 1 && step->object->kind != TRACE_OBJECT_RWLOCK;
}

static void on_rare_event(struct lock_order *order, struct analysis *a,
			  const struct trace_event *event, const struct model_step *step)
{
	struct model_thread *t = step->thread;
	struct request r = { event->object, event->stack, 0, event->time_ns };

	switch (event->op) {
	case TRACE_REQUEST:
		r.flags = flags_of_mode(event->arg);
		if (!(event->arg & TRACE_MODE_TRY))
			on_request(order, a, t, step->object, &r);
		break;
	case TRACE_ACQUIRE_FAIL:
		r.flags = flags_of_mode(event->arg);
		if (event->result == ETIMEDOUT && !(step->flags & MODEL_STEP_REQUESTED))
			on_request(order, a, t, step->object, &r);
		break;
	case TRACE_COND_WAIT:
		r.object = event->other;
		r.flags = LOCK_REACQUIRE;
		if (t->held_count && step->other) {
			on_request(order, a, t, step->other, &r);
			add_nested(order, a, t, event->object, event, true);
		}
		break;
	case TRACE_COND_SIGNAL:
	case TRACE_COND_BROADCAST:
		if (t->held_count && step->object->kind == TRACE_OBJECT_COND)
			add_nested(order, a, t, event->object, event, false);
		break;
	case TRACE_ONCE_BEGIN:
	case TRACE_ONCE_PASS:
		r.flags = LOCK_ONCE;
		if (t->held_count &&
		    (event->op == TRACE_ONCE_BEGIN || !model_find_held(t, event->object)))
			add_request(order, a, t, &r);
		break;
	case TRACE_DESTROY:
	case TRACE_GONE:
		if (event->op == TRACE_DESTROY && event->result != 0)
			break;
		forget(order, event->object, event->time_ns);
		break;
	case TRACE_BARRIER_LEAVE:
		note_barrier(order, t, event->object);
		break;
	default: /* not subscribed */
		break;
	}
}

static void lock_order_on_event(void *state, struct analysis *a, const struct trace_event *event,
				const struct model_step *step)
{
	struct lock_order *order = state;

	if (!step->object)
		return;
	switch (event->op) {
	case TRACE_ACQUIRE:
		if (!is_lonely(step))
			on_acquired(order, a, event, step, 0);
		break;
	case TRACE_ACQUIRE_SHARED:
		if (step->thread->held_count > 1 || (step->flags & MODEL_STEP_DEPTH))
			on_acquired(order, a, event, step, LOCK_WANT_SHARED);
		break;
	case TRACE_ACQUIRE_TIMED:
	case TRACE_ACQUIRE_TIMED_SHARED:
		on_acquired(order, a, event, step,
			    LOCK_BOUNDED |
				    (event->op == TRACE_ACQUIRE_TIMED ? 0 : LOCK_WANT_SHARED));
		break;
	case TRACE_ACQUIRE_OWNERDEAD:
		if (!(event->arg & TRACE_MODE_TRY))
			on_acquired(order, a, event, step, flags_of_mode(event->arg));
		break;
	case TRACE_ACQUIRE_TRY:
	case TRACE_ACQUIRE_TRY_SHARED:
		if (step->thread->held_count > 1 && !order->focus)
			a->stats->trylock_edges++;
		break;
	default: /* any byte of a file */
		on_rare_event(order, a, event, step);
		break;
	}
}

/* What threads were blocked on when the trace ended, where no REQUEST record says so already. */
static void add_last_waits(struct lock_order *order, struct analysis *a)
{
	for (size_t i = 0; i < a->process->wait_count; i++) {
		const struct trace_wait_state *w = &a->process->waits[i];
		struct model_thread *t = model_get_thread(a->model, w->thread);
		struct model_object *o = model_get_object(a->model, w->wait.object);
		struct request r = { w->wait.object, w->wait.stack, flags_of_mode(w->wait.mode),
				     w->since_ns };

		if (!t || !o || !(o->flags & MODEL_TOUCHED) ||
		    t->request.object == w->wait.object || (w->wait.mode & TRACE_MODE_TRY))
			continue;
		if (w->wait.kind == TRACE_WAIT_ONCE)
			r.flags = LOCK_ONCE;
		if (w->wait.kind == TRACE_WAIT_LOCK || w->wait.kind == TRACE_WAIT_SEM ||
		    w->wait.kind == TRACE_WAIT_ONCE)
			on_request(order, a, t, o, &r);
	}
}

static void show_view(const struct lock_order *order, const struct analysis *a)
{
	struct lock_view view = { .process = a->process,
				  .process_index = a->process_index,
				  .model = a->model,
				  .graph = order->graph,
				  .rounds = order->rounds,
				  .rounds_count = order->rounds_count,
				  .passed = order->passed.slot,
				  .passed_slots = order->passed.slot ? order->passed.mask + 1 : 0 };

	a->options->lock_view(a->options->lock_view_cookie, &view);
}

static void lock_order_finish(void *state, struct analysis *a)
{
	struct lock_order *order = state;

	add_last_waits(order, a);
	for (uint64_t i = 0; i <= order->cache.mask; i++)
		flush_slot(order, i);
	if (order->is_viewed)
		show_view(order, a);
	lock_class_search(order, a);
	if (!lock_order_focus(order, a))
		lock_order_solve(order, a);
}

#define OP(op) CHECKER_OP(TRACE_##op)

const struct checker checker_lock_order = {
	.name = "lock_order",
	.in_run = true,
	.consumes = OP(REQUEST) | OP(ACQUIRE) | OP(ACQUIRE_SHARED) | OP(ACQUIRE_TRY) |
		    OP(ACQUIRE_TRY_SHARED) | OP(ACQUIRE_TIMED) | OP(ACQUIRE_TIMED_SHARED) |
		    OP(ACQUIRE_OWNERDEAD) | OP(ACQUIRE_FAIL) | OP(COND_WAIT) | OP(COND_SIGNAL) |
		    OP(COND_BROADCAST) | OP(ONCE_BEGIN) | OP(ONCE_PASS) | OP(DESTROY) | OP(GONE) |
		    OP(BARRIER_LEAVE),
	.begin = lock_order_begin,
	.on_event = lock_order_on_event,
	.finish = lock_order_finish,
	.release = lock_order_release,
};
