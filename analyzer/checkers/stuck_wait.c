/* SPDX-License-Identifier: MIT */
/*
 * stuck_wait.c - rule stuck-wait: threads wait for something that nobody left can give. One finding a cause.
 *
 *  observed   a lock whose holder has ended; or nobody in the process can run and no cycle explains it: then the roots of
 *             what hangs, seen from the main thread, are the causes
 *  potential  others still run, but every thread that ever gave this object something has ended or is stuck, and nobody
 *             who runs ever had to do with it
 *
 * Silent after a normal exit (thread_leak.c speaks then) and where records are missing.
 */
#include "wait_story.h"

#include <stdlib.h>
#include <string.h>

#define SHOWN_WAITERS 16u

static void *allocate(size_t count, size_t element_bytes)
{
	void *memory = calloc(count ? count : 1, element_bytes);

	if (!memory)
		abort();
	return memory;
}

/* One cause: the threads that wait at some targets, and those behind them. */
struct stuck {
	struct wait_report *r;
	enum confidence confidence;
	const uint32_t *targets; /* nodes */
	uint32_t target_count;
	uint32_t *waiter;
	uint32_t waiter_count;
	bool main_behind; /* the main thread joins, or needs a lock of, one of them */
	uint32_t others_behind;
};

static const struct model_object *object_of(const struct stuck *s, uint32_t i)
{
	return model_get_object(s->r->w->model, wait_world_get_target(s->r->w, s->targets[i])->object);
}

static void find_waiters(struct stuck *s)
{
	const struct wait_world *w = s->r->w;

	s->waiter = allocate(w->thread_count, sizeof(*s->waiter));
	for (uint32_t id = 1; id < w->thread_count; id++) {
		if (w->party[id].status != WAIT_BLOCKED || !w->party[id].target)
			continue;
		for (uint32_t i = 0; i < s->target_count; i++)
			if (w->party[id].target == s->targets[i]) {
				s->waiter[s->waiter_count++] = id;
				break;
			}
	}
}

/* ---- words ---- */

struct giver_state {
	const struct wait_world *w;
	uint32_t ended, alive;
};

static void look_at_giver(void *cookie, uint32_t thread)
{
	struct giver_state *g = cookie;

	if (thread < g->w->thread_count && g->w->party[thread].status >= WAIT_RUNNING)
		g->alive++;
	else
		g->ended++;
}

static bool givers_are_gone(const struct stuck *s, uint32_t object)
{
	struct giver_state g = {.w = s->r->w};

	wait_world_visit_givers(s->r->w, object, look_at_giver, &g);
	return g.ended > 0 && g.alive == 0;
}

static bool last_signal_was_unheard(const struct model_cond *c)
{
	return c->last_signal.thread && c->last_unheard.thread && c->last_unheard.time_ns == c->last_signal.time_ns;
}

static void print_cond_reason(FILE *out, const struct stuck *s, const struct model_object *o)
{
	const struct model_cond *c = &o->detail->cond;

	if (!c->last_signal.thread)
		fputs(", which nobody ever signalled", out);
	else if (last_signal_was_unheard(c))
		fputs("; the last signal came when nobody waited", out);
	else if (givers_are_gone(s, o->id))
		fputs("; every thread that signalled it has ended", out);
	else
		fputs("; the last signal went to another waiter", out);
}

static void print_reason(FILE *out, const struct stuck *s, uint32_t i)
{
	const struct model_object *o = object_of(s, i);
	const struct wait_target *t = wait_world_get_target(s->r->w, s->targets[i]);

	if (t->side != WAIT_SIDE_OPEN) {
		fprintf(out, ", held by {thread:%u}, which has ended", t->dead);
	} else if (o->kind == TRACE_OBJECT_COND) {
		print_cond_reason(out, s, o);
	} else if (o->kind == TRACE_OBJECT_SEM) {
		if (o->detail->sem.posters.count == 0)
			fputs(", which nobody ever posted", out);
		else if (givers_are_gone(s, o->id))
			fputs("; every thread that posted it has ended", out);
		else
			fputs("; nobody is left to post it", out);
	} else if (o->kind == TRACE_OBJECT_BARRIER) {
		const struct model_barrier *b = &o->detail->barrier;

		fprintf(out, ", short by %u: %u of %u threads arrived", b->count - b->arrival_count, b->arrival_count, b->count);
	} else {
		fputs(", and nobody is left to unlock it", out);
	}
}

static const char *verb_of(const struct stuck *s, uint32_t i, bool one)
{
	switch (object_of(s, i)->kind) {
	case TRACE_OBJECT_COND:
		return one ? "waits on" : "wait on";
	case TRACE_OBJECT_BARRIER:
		return one ? "waits at" : "wait at";
	default: /* a number from a file */
		return one ? "waits for" : "wait for";
	}
}

/* The waiters at target `i`, as the first `*ret_count` entries of `ret`. */
static void waiters_at(const struct stuck *s, uint32_t i, uint32_t *ret, uint32_t *ret_count)
{
	*ret_count = 0;
	for (uint32_t k = 0; k < s->waiter_count; k++)
		if (s->r->w->party[s->waiter[k]].target == s->targets[i])
			ret[(*ret_count)++] = s->waiter[k];
}

static void print_group(FILE *out, const struct stuck *s, uint32_t i, size_t most)
{
	uint32_t *threads = allocate(s->waiter_count, sizeof(*threads)), count;

	waiters_at(s, i, threads, &count);
	story_print_threads(out, threads, count, most);
	fprintf(out, " %s {lock:%u}", verb_of(s, i, count == 1), object_of(s, i)->id);
	print_reason(out, s, i);
	free(threads);
}

static const char *make_title(const struct stuck *s)
{
	struct story_text text;

	story_text_begin(&text);
	fputs("Stuck: ", text.out);
	print_group(text.out, s, 0, 3);
	if (s->target_count > 1)
		fprintf(text.out, "; %u more object%s in the same knot", s->target_count - 1, story_s(s->target_count - 1));
	return story_text_take(&text, s->r->a);
}

/* What was given to the object so far: the engineer's next question. */
static void print_history(FILE *out, const struct stuck *s, uint32_t i)
{
	const struct model_object *o = object_of(s, i);

	if (o->kind == TRACE_OBJECT_COND) {
		const struct model_cond *c = &o->detail->cond;

		if (c->last_signal.thread)
			fprintf(out,
				" {lock:%u}: %llu signal%s, %llu broadcast%s, the last one by {thread:%u} after %.1f s when %u "
				"thread%s waited.",
				o->id, (unsigned long long)c->signals, story_s(c->signals),
				(unsigned long long)c->broadcasts, story_s(c->broadcasts), c->last_signal.thread,
				(double)c->last_signal.time_ns / 1e9, c->last_waiters, story_s(c->last_waiters));
	} else if (o->kind == TRACE_OBJECT_SEM) {
		uint64_t posts = 0, takes = 0;

		for (uint32_t k = 0; k < o->detail->sem.posters.count; k++)
			posts += o->detail->sem.posters.actor[k].count;
		for (uint32_t k = 0; k < o->detail->sem.takers.count; k++)
			takes += o->detail->sem.takers.actor[k].count;
		fprintf(out, " {lock:%u}: %u at first, %llu post%s, %llu take%s.", o->id, o->detail->sem.initial,
			(unsigned long long)posts, story_s(posts), (unsigned long long)takes, story_s(takes));
	}
}

static void print_behind(FILE *out, const struct stuck *s)
{
	const struct wait_party *p = &s->r->w->party[1];

	if (s->main_behind && p->kind == TRACE_WAIT_JOIN)
		fprintf(out, " The main thread waits for {thread:%u} to end.", p->other);
	else if (s->main_behind)
		fputs(" The main thread is blocked behind.", out);
	if (s->others_behind)
		fprintf(out, " %u more thread%s blocked behind.", s->others_behind, s->others_behind == 1 ? " is" : "s are");
}

static const char *make_message(const struct stuck *s)
{
	struct story_text text;

	story_text_begin(&text);
	for (uint32_t i = 0; i < s->target_count; i++) {
		fputs(i ? "; " : "", text.out);
		print_group(text.out, s, i, 8);
	}
	fputs(".", text.out);
	for (uint32_t i = 0; i < s->target_count; i++)
		print_history(text.out, s, i);
	print_behind(text.out, s);
	if (s->confidence == CONFIDENCE_POTENTIAL)
		fputs(" Other threads still ran, but none of them ever used this object.", text.out);
	else if (s->r->w->closed)
		fputs(" No thread of the process could run any more.", text.out);
	return story_text_take(&text, s->r->a);
}

/* ---- stacks ---- */

static uint32_t newest_poster(const struct model_sem *sem)
{
	const struct model_actor *newest = NULL;

	for (uint32_t i = 0; i < sem->posters.count; i++)
		if (!newest || sem->posters.actor[i].last.time_ns > newest->last.time_ns)
			newest = &sem->posters.actor[i];
	return newest ? newest->last.thread : 0;
}

static void add_last_gift(const struct stuck *s, struct finding *f, uint32_t i)
{
	const struct model_object *o = object_of(s, i);
	const struct wait_target *t = wait_world_get_target(s->r->w, s->targets[i]);

	if (t->side != WAIT_SIDE_OPEN) {
		analysis_add_thread(s->r->a, f, t->dead);
		story_add_hold(s->r, f, t->dead, t->object);
	} else if (o->kind == TRACE_OBJECT_COND && o->detail->cond.last_signal.thread) {
		const struct model_cond *c = &o->detail->cond;

		story_add_gift(s->r, f, c->last_signal.thread, o->id,
			       last_signal_was_unheard(c) ? "the last one; nobody waited" : "the last one");
	} else if (o->kind == TRACE_OBJECT_SEM && o->detail->sem.posters.count) {
		story_add_gift(s->r, f, newest_poster(&o->detail->sem), o->id, "the last one");
	}
}

static void report_stuck(struct stuck *s)
{
	struct analysis *a = s->r->a;
	struct finding *f;

	find_waiters(s);
	if (s->waiter_count && analysis_wants(a, RULE_STUCK_WAIT)) {
		f = analysis_begin(a, RULE_STUCK_WAIT, s->confidence);
		for (uint32_t i = 0; i < s->waiter_count && i < SHOWN_WAITERS; i++)
			story_add_wait(s->r, f, s->waiter[i], s->r->w->party[s->waiter[i]].target);
		for (uint32_t i = 0; i < s->target_count; i++)
			add_last_gift(s, f, i);
		if (s->main_behind)
			story_add_wait(s->r, f, 1, story_wait_node(s->r->w, 1));
		f->title = make_title(s);
		f->message = make_message(s);
		analysis_commit(a, f);
	}
	free(s->waiter);
}

/* ---- causes ---- */

/* Tells of the marked knots, each one a cause with its targets of the wanted kind. */
static void report_roots(struct wait_report *r, const struct wait_knots *k, const uint8_t *marked, bool open)
{
	uint32_t *behind = wait_knots_behind(r->w, k, marked);
	uint32_t *targets = allocate(r->w->target_count, sizeof(*targets));

	for (uint32_t i = 0; i < k->count; i++) {
		const struct wait_knot *knot = &k->knot[i];
		struct stuck s = {.r = r, .confidence = CONFIDENCE_OBSERVED, .targets = targets};

		if (!marked[i])
			continue;
		for (uint32_t m = knot->threads; m < knot->count; m++) {
			uint32_t node = k->member[knot->first + m];

			if ((wait_world_get_target(r->w, node)->side == WAIT_SIDE_OPEN) == open)
				targets[s.target_count++] = node;
		}
		for (uint32_t id = 1; id < r->w->thread_count; id++) {
			if (behind[id] != i)
				continue;
			r->explained[id] |= !open;
			for (uint32_t n = 0; n <= s.target_count; n++) {
				if (n == s.target_count && id == 1)
					s.main_behind = true;
				else if (n == s.target_count)
					s.others_behind++;
				else if (r->w->party[id].target == targets[n])
					break;
			}
		}
		report_stuck(&s);
	}
	free(behind);
	free(targets);
}

/* Locks whose holder has ended: certain, whoever runs. */
static unsigned report_dead_holders(struct wait_report *r)
{
	struct wait_knots *k = wait_knots_new(r->w, false);
	uint8_t *marked = allocate(k->count, 1);
	unsigned found = 0;

	for (uint32_t i = 0; i < r->w->target_count; i++) {
		const struct wait_target *t = &r->w->target[i];
		uint32_t knot = k->component[r->w->thread_count + i];

		if (!t->dead || !t->waiters || t->side == WAIT_SIDE_OPEN || knot == WAIT_NO_COMPONENT ||
		    k->knot[knot].threads > 0)
			continue;
		marked[knot] = 1;
		found++;
	}
	if (found)
		report_roots(r, k, marked, false);
	free(marked);
	wait_knots_free(k);
	return found;
}

/* Nobody can run. What does the main thread wait for in the end? Where it is gone, every root counts. */
static void report_closed(struct wait_report *r)
{
	struct wait_knots *k = wait_knots_new(r->w, true);
	uint8_t *marked = allocate(k->count, 1);
	uint8_t *reached = allocate(r->w->graph.nodes, 1), *within = allocate(r->w->graph.nodes, 1);
	bool main_hangs = r->w->thread_count > 1 && k->component[1] != WAIT_NO_COMPONENT;

	for (uint32_t n = 0; n < r->w->graph.nodes; n++)
		within[n] = k->component[n] != WAIT_NO_COMPONENT;
	if (main_hangs) {
		reached[1] = 1;
		wait_graph_reach(&r->w->graph, within, reached);
	}
	for (uint32_t n = 0; n < r->w->graph.nodes; n++)
		if (within[n] && (reached[n] || !main_hangs) && k->knot[k->component[n]].root &&
		    k->knot[k->component[n]].open_targets)
			marked[k->component[n]] = 1;
	report_roots(r, k, marked, true);
	free(reached);
	free(within);
	free(marked);
	wait_knots_free(k);
}

/* ---- others still run ---- */

struct prospect {
	const struct wait_report *r;
	uint32_t target;
	bool hope; /* somebody may still end the wait */
};

/* A thread that runs, or that others may bring to run, may do it; one that waits at the very same place cannot. */
static void look_for_hope(void *cookie, uint32_t thread)
{
	struct prospect *p = cookie;
	const struct wait_world *w = p->r->w;

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
	struct prospect p = {.r = r, .target = node};
	struct giver_state givers = {.w = w};
	struct churn churn = {.w = w};

	if (o->kind != TRACE_OBJECT_COND && o->kind != TRACE_OBJECT_SEM)
		return false;
	wait_world_visit_givers(w, o->id, look_at_giver, &givers);
	wait_world_visit_givers(w, o->id, look_for_hope, &p);
	wait_world_visit_givers(w, o->id, look_for_churn, &churn);
	if (givers.ended + givers.alive == 0 || p.hope || churn.repeats ||
	    !wait_history_visit_touchers(w->history, o->id, look_for_hope, &p))
		return false;
	for (uint32_t i = 0; o->kind == TRACE_OBJECT_COND && i < o->detail->cond.waiter_count; i++)
		if (!wait_history_visit_touchers(w->history, o->detail->cond.waiter[i].mutex, look_for_hope, &p))
			return false;
	return !p.hope;
}

static void report_hopeless(struct wait_report *r)
{
	for (uint32_t i = 0; i < r->w->target_count; i++) {
		uint32_t node = r->w->thread_count + i;
		struct stuck s = {.r = r, .confidence = CONFIDENCE_POTENTIAL, .targets = &node, .target_count = 1};

		if (r->w->target[i].side == WAIT_SIDE_OPEN && r->w->target[i].waiters && is_hopeless(r, node))
			report_stuck(&s);
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
