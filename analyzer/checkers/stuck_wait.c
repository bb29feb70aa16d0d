/* SPDX-License-Identifier: MIT */
/*
 * stuck_wait.c - rule stuck-wait: threads wait for something that nobody left can give. One finding
 * a cause.
 *
 *  observed   a lock whose holder has ended; or nobody in the process can run and no cycle explains
 *  it: then the roots of
 *             what hangs, seen from the main thread, are the causes
 *  potential  others still run, but every thread that ever gave this object something has ended or
 *  is stuck, and nobody
 *             who runs ever had to do with it
 *
 * Silent after a normal exit (thread_leak.c speaks then) and where records are missing.
 */
#include "stuck_wait_report.h"

#include <stdlib.h>

static void *allocate(size_t count, size_t element_bytes)
{
	void *memory = calloc(count ? count : 1, element_bytes);

	if (!memory)
		abort();
	return memory;
}

/* ---- causes ---- */

/* Who is behind the marked knots, but not at the targets themselves. */
static void count_behind(struct stuck *s, const struct wait_knots *k, const uint8_t *marked,
			 bool explained)
{
	const struct wait_world *w = s->r->w;
	uint32_t *behind = wait_knots_behind(s->r->w, k, marked);
	uint8_t *own = allocate(w->graph.nodes, 1);

	for (uint32_t i = 0; i < s->target_count; i++)
		own[s->targets[i]] = 1;
	for (uint32_t id = 1; id < w->thread_count; id++) {
		if (behind[id] == WAIT_NO_COMPONENT)
			continue;
		s->r->explained[id] |= explained;
		if (own[w->party[id].target])
			continue;
		if (id == 1)
			s->main_behind = true;
		else
			s->others_behind++;
	}
	free(behind);
	free(own);
}

/* What waits at target `i` is of one process, and was told when that was looked at alone. */
static bool is_told(const struct wait_world *w, uint32_t i, bool hard)
{
	uint32_t object = w->target[i].object;

	if (!w->run || wait_world_crosses(w, w->thread_count + i))
		return false;
	return story_told_alone(w, run_process_of_object(w->run, object), hard);
}

/* Locks whose holder has ended: certain, whoever runs. One finding a lock. */
static unsigned report_dead_holders(struct wait_report *r)
{
	struct wait_knots *k = wait_knots_new(r->w, false);
	uint8_t *marked = allocate(k->count, 1);
	unsigned found = 0;

	for (uint32_t i = 0; i < r->w->target_count; i++) {
		const struct wait_target *t = &r->w->target[i];
		uint32_t node = r->w->thread_count + i, knot = k->component[node];
		struct stuck s = { .r = r,
				   .confidence = CONFIDENCE_OBSERVED,
				   .targets = &node,
				   .target_count = 1 };

		if (!t->dead || !t->waiters || t->side == WAIT_SIDE_OPEN ||
		    knot == WAIT_NO_COMPONENT || k->knot[knot].threads > 0 ||
		    is_told(r->w, i, true))
			continue;
		marked[knot] = 1;
		count_behind(&s, k, marked, true);
		marked[knot] = 0;
		stuck_report(&s);
		found++;
	}
	free(marked);
	wait_knots_free(k);
	return found;
}

/*
 * By node: some thread waits there at a place that nobody ever left, so it is no idle worker.
 * Caller frees.
 */
static uint8_t *find_unusual(const struct wait_world *w)
{
	uint8_t *unusual = allocate(w->graph.nodes, 1);

	for (uint32_t id = 1; id < w->thread_count; id++)
		if (w->party[id].status == WAIT_BLOCKED &&
		    !wait_history_was_left(w->history, w->party[id].stack))
			unusual[w->party[id].target] = 1;
	return unusual;
}

/* Appends the open targets of the roots that are in `among` (NULL = all). */
static void add_roots(struct stuck *s, uint32_t *targets, const struct wait_knots *k,
		      const uint8_t *among, uint8_t *marked)
{
	const struct wait_world *w = s->r->w;

	for (uint32_t i = 0; i < w->target_count; i++) {
		uint32_t node = w->thread_count + i;

		if (w->target[i].side != WAIT_SIDE_OPEN ||
		    k->component[node] == WAIT_NO_COMPONENT || !k->knot[k->component[node]].root ||
		    (among && !among[node]) || is_told(w, i, false))
			continue;
		targets[s->target_count++] = node;
		marked[k->component[node]] = 1;
	}
}

static bool is_python(const struct wait_world *w, uint32_t object)
{
	const struct trace_process *p = w->model->process;

	return object < p->object_count && p->objects &&
	       (p->objects[object].attributes >> TF_LIBRARY_SHIFT & TF_LIBRARY_MASK) ==
		       TF_LIBRARY_PYTHON;
}

static void count_giver(void *cookie, uint32_t thread)
{
	(void)thread;
	++*(uint32_t *)cookie;
}

/*
 * Python's handlers run in the main thread, also while that waits for a lock: one of the program's own may set the event that nobody
 * ever set. The interpreter's for SIGINT, which is always there, ends the wait by an exception.
 */
static bool python_handler_may_end(const struct wait_world *w, uint32_t object)
{
	enum { SIGINT_BIT = 1 << 1 };
	const struct tf_def_runtime *runtime = w->model->process->runtime;
	uint32_t givers = 0;

	wait_world_visit_givers(w, object, count_giver, &givers);
	return !givers && runtime &&
	       (runtime->features & TF_PYTHON_HANDLERS ||
		wait_handlers(w, 1) & WAIT_SIGNALS_FROM_OUTSIDE & ~(uint64_t)SIGINT_BIT);
}

/*
 * What the recorder noted: may a handler, or a thread it does not see, still post one of these
 * semaphores?
 */
static bool may_be_ended_from_outside(const struct wait_world *w, const uint32_t *targets,
				      size_t count)
{
	uint32_t flags = w->model->process->flags;

	for (size_t i = 0; i < count && flags & TF_PROCESS_HANDLERS; i++) {
		uint32_t object = wait_world_get_target(w, targets[i])->object;
		const struct model_object *o = model_get_object(w->model, object);

		if (is_python(w, object)) {
			if (python_handler_may_end(w, object))
				return true;
		} else if (o && o->kind == TRACE_OBJECT_SEM &&
			   (!o->detail || !o->detail->sem.posters.count))
			return true;
	}
	return flags & TF_PROCESS_UNSEEN_THREADS;
}

/*
 * The shape of an idle server: the main thread in sem_wait until a signal handler posts, its
 * workers waiting for work. The trace does not say which handlers there are, so this is no more
 * than a hint.
 */
static bool may_await_signal_handler(const struct wait_world *w)
{
	const struct model_object *o;
	uint32_t node = w->thread_count > 1 ? w->party[1].target : 0;

	if (!wait_world_is_open_wait(w, 1))
		return false;
	o = model_get_object(w->model, wait_world_get_target(w, node)->object);
	if (o->kind != TRACE_OBJECT_SEM || o->detail->sem.posters.count || is_python(w, o->id))
		return false;
	for (uint32_t id = 2; id < w->thread_count; id++)
		if (wait_world_is_open_wait(w, id))
			return true;
	return false;
}

/*
 * Nobody can run: one hang, one finding. Its cause is what the main thread waits for in the end;
 * other waits that no thread ever left belong to the story, for nothing shows who was to end them:
 * perhaps the main thread's other half. Idle workers, which were woken at that place before, do
 * not.
 */
static void report_closed(struct wait_report *r)
{
	struct wait_knots *k = wait_knots_new(r->w, true);
	uint8_t *marked = allocate(k->count, 1);
	uint8_t *reached = allocate(r->w->graph.nodes, 1), *within = allocate(r->w->graph.nodes, 1);
	uint8_t *unusual = find_unusual(r->w);
	uint32_t *targets = allocate(r->w->target_count, sizeof(*targets));
	struct stuck s = { .r = r, .confidence = CONFIDENCE_OBSERVED, .targets = targets };

	for (uint32_t n = 0; n < r->w->graph.nodes; n++)
		within[n] = k->component[n] != WAIT_NO_COMPONENT;
	if (r->w->thread_count > 1 && within[1]) {
		reached[1] = 1;
		wait_graph_reach(&r->w->graph, within, reached);
	}
	add_roots(&s, targets, k, reached, marked);
	for (uint32_t n = 0; n < r->w->graph.nodes; n++)
		unusual[n] &= !reached[n];
	add_roots(&s, targets, k, unusual, marked);
	if (s.target_count == 0) /* the main thread is gone, and all others only idle */
		add_roots(&s, targets, k, NULL, marked);
	count_behind(&s, k, marked, false);
	if (may_await_signal_handler(r->w) ||
	    may_be_ended_from_outside(r->w, targets, s.target_count))
		s.confidence = CONFIDENCE_HINT;
	stuck_report(&s);
	free(targets);
	free(unusual);
	free(reached);
	free(within);
	free(marked);
	wait_knots_free(k);
}

/* ---- others still run ---- */

struct prospect {
	const struct wait_report *r;
	uint32_t target;
	uint32_t seen; /* threads looked at */
	bool hope;     /* somebody may still end the wait */
};

/*
 * A thread that runs, or that others may bring to run, may do it; one that waits at the very same
 * place cannot.
 */
static void look_for_hope(void *cookie, uint32_t thread)
{
	struct prospect *p = cookie;
	const struct wait_world *w = p->r->w;

	p->seen++;
	if (thread >= w->thread_count || w->party[thread].status < WAIT_RUNNING)
		return;
	if (w->party[thread].target != p->target && w->can[thread])
		p->hope = true;
}

struct churn {
	const struct wait_world *w;
	uint32_t stack[2], seen;
	bool repeats;
};

/* Two givers made at the same place: whoever made them will make the next one. */
static void look_for_churn(void *cookie, uint32_t thread)
{
	struct churn *c = cookie;
	const struct model_thread *t = model_get_thread(c->w->model, thread);

	if (!t || !t->create.stack)
		return;
	for (uint32_t i = 0; i < c->seen; i++)
		c->repeats |= c->stack[i] == t->create.stack;
	if (c->seen < 2)
		c->stack[c->seen++] = t->create.stack;
}

static bool is_hopeless(const struct wait_report *r, uint32_t node)
{
	const struct wait_world *w = r->w;
	const struct wait_target *t = wait_world_get_target(w, node);
	const struct model_object *o = model_get_object(w->model, t->object);
	struct prospect p = { .r = r, .target = node };
	struct churn churn = { .w = w };

	if (o->kind != TRACE_OBJECT_COND && o->kind != TRACE_OBJECT_SEM)
		return false;
	wait_world_visit_givers(w, o->id, look_for_hope, &p);
	wait_world_visit_givers(w, o->id, look_for_churn, &churn);
	if (p.seen == 0 || p.hope || churn.repeats ||
	    !wait_history_visit_touchers(w->history, o->id, look_for_hope, &p))
		return false;
	for (uint32_t i = 0; o->kind == TRACE_OBJECT_COND && i < o->detail->cond.waiter_count; i++)
		if (!wait_history_visit_touchers(w->history, o->detail->cond.waiter[i].mutex,
						 look_for_hope, &p))
			return false;
	return !p.hope;
}

static void report_hopeless(struct wait_report *r)
{
	for (uint32_t i = 0; i < r->w->target_count; i++) {
		uint32_t node = r->w->thread_count + i;
		struct stuck s = { .r = r,
				   .confidence = CONFIDENCE_POTENTIAL,
				   .targets = &node,
				   .target_count = 1 };

		if (r->w->target[i].side == WAIT_SIDE_OPEN && r->w->target[i].waiters &&
		    !is_told(r->w, i, true) && is_hopeless(r, node))
			stuck_report(&s);
	}
}

void stuck_wait_report(struct wait_report *r)
{
	unsigned dead;

	if (r->w->exit_kind)
		return;
	dead = report_dead_holders(r);
	if (r->w->lossy)
		return;
	if (!r->w->closed)
		report_hopeless(r);
	else if (!dead && !r->deadlocks)
		report_closed(r);
}
