/* SPDX-License-Identifier: MIT */
/*
 * deadlock.c - rules deadlock and self-deadlock: knots of the wait-for graph that are cycles, one
 * finding a knot.
 *
 * Two passes. Hard knots (locks, joins, initialisers) are deadlocks whatever else the process does,
 * also when it exited. In a closed world also the roots that mix open waits with locks count: a
 * waiter holds what every giver needs first. A cycle of open waits and joins alone is no deadlock
 * but a wait whose giver is gone or came too early: stuck_wait.c. Unless a task explains it, which one of the
 * waiters posted and another one, or itself, would have to run.
 */
#include "task_story.h"

#include <stdlib.h>
#include <string.h>

/*
 * Threads of a knot whose stacks a finding shows. Rings can have any length; a page of stacks helps
 * nobody.
 */
#define SHOWN_THREADS 64u
#define NAMED_BEHIND 8u

struct knot_story {
	struct wait_report *r;
	const struct wait_knots *knots;
	const struct wait_knot *knot;
	bool closed;
	bool mixed;	/* open waits are in it: counts only where nobody can run */
	bool tasks;	/* and tasks that nobody is free to run: task_story.h */
	bool at_rest;	/* who could run only waits for descriptors, perhaps from outside */
	uint32_t *path; /* nodes of the shortest cycle through the first thread */
	uint32_t path_length;
	uint32_t *
		thread; /* threads of the path in order, then those of the knot that are not on it */
	uint32_t *node; /* what each waits for, inside the knot */
	uint32_t *next; /* who stands in its way there */
	uint32_t count, on_path;
};

static void *allocate(size_t count, size_t element_bytes)
{
	void *memory = calloc(count ? count : 1, element_bytes);

	if (!memory)
		abort();
	return memory;
}

/* ---- the order in which to tell it ---- */

static bool in_knot(const struct knot_story *s, uint32_t node)
{
	return s->knots->component[node] == s->knots->component[s->knots->member[s->knot->first]];
}

/*
 * A thread of the knot that `node`, a target in it, waits for; `except` only when there is no
 * other.
 */
static uint32_t obstacle_at(const struct knot_story *s, uint32_t node, uint32_t except)
{
	size_t count;
	const uint32_t *out;
	uint32_t found = 0;

	if (wait_node_is_thread(s->r->w, node))
		return node;
	out = wait_graph_get_out(&s->r->w->graph, node, &count);
	for (size_t i = 0; i < count; i++)
		if (in_knot(s, out[i]) && (!found || found == except))
			found = out[i];
	return found;
}

static void tell_thread(struct knot_story *s, uint32_t thread, uint32_t node, uint32_t next)
{
	s->thread[s->count] = thread;
	s->node[s->count] = node;
	s->next[s->count++] = next;
}

static void order_threads(struct knot_story *s)
{
	const struct wait_world *w = s->r->w;
	uint8_t *told = allocate(w->thread_count, 1);

	for (uint32_t i = 0; i < s->path_length; i++) {
		uint32_t node = s->path[(i + 1) % s->path_length];
		uint32_t next = wait_node_is_thread(w, node) ? node
							     : s->path[(i + 2) % s->path_length];

		if (!wait_node_is_thread(w, s->path[i]))
			continue;
		told[s->path[i]] = 1;
		tell_thread(s, s->path[i], node, next);
	}
	s->on_path = s->count;
	for (uint32_t i = 0; i < s->knot->threads; i++) {
		uint32_t thread = s->knots->member[s->knot->first + i];
		const struct wait_party *p = &w->party[thread];
		uint32_t node = p->target && in_knot(s, p->target) ? p->target : p->retake;

		/* Looking for obstacles is linear in holders: only for those that will be shown. */
		if (!told[thread])
			tell_thread(s, thread, node,
				    s->count < SHOWN_THREADS ? obstacle_at(s, node, thread)
							     : thread);
	}
	free(told);
}

/*
 * A cycle that goes through one thread only says little where others are in the knot: start
 * elsewhere then.
 */
static void find_path(struct knot_story *s)
{
	struct wait_graph *g = &s->r->w->graph;

	s->path = allocate(g->nodes, sizeof(*s->path));
	for (uint32_t i = 0; i < s->knot->threads; i++) {
		s->path_length = wait_graph_find_cycle(
			g, s->knots->component, s->knots->member[s->knot->first + i], s->path);
		if (s->path_length > 2 || s->knot->threads == 1 || i == 8)
			break;
	}
}

static void story_begin(struct knot_story *s)
{
	find_path(s);
	s->thread = allocate(s->knot->threads, sizeof(uint32_t));
	s->node = allocate(s->knot->threads, sizeof(uint32_t));
	s->next = allocate(s->knot->threads, sizeof(uint32_t));
	order_threads(s);
}

static void story_release(struct knot_story *s)
{
	free(s->path);
	free(s->thread);
	free(s->node);
	free(s->next);
}

/* ---- words ---- */

static const struct wait_target *target_of(const struct knot_story *s, uint32_t i)
{
	return wait_node_is_thread(s->r->w, s->node[i])
		       ? NULL
		       : wait_world_get_target(s->r->w, s->node[i]);
}

static uint8_t kind_at(const struct knot_story *s, uint32_t i)
{
	const struct wait_target *t = target_of(s, i);

	return t && t->object ? model_get_object(s->r->w->model, t->object)->kind
			      : TRACE_OBJECT_NONE;
}

static bool is_held_by_handler(const struct knot_story *s, uint32_t thread, uint32_t object)
{
	const struct model *m = s->r->w->model;
	const struct model_held *hold = model_find_held(model_get_thread(m, thread), object);
	const struct trace_stack *stack = hold ? model_get_stack(m, hold->stack) : NULL;

	return stack && stack->handler_frames;
}

static void print_self_title(FILE *out, const struct knot_story *s)
{
	uint32_t thread = s->thread[0], object = target_of(s, 0)->object;

	if (target_of(s, 0)->side == WAIT_SIDE_CHANNEL) {
		fputs("Self-deadlock: ", out);
		story_print_wait(out, s->r->w, thread, s->node[0]);
		fputs(", and nobody but itself has the other end open", out);
		return;
	}
	switch (kind_at(s, 0)) {
	case TRACE_OBJECT_RWLOCK:
		fprintf(out,
			"Self-deadlock: {thread:%u} waits to %s {lock:%u}, which it holds itself",
			thread, s->r->w->party[thread].mode & TRACE_MODE_SHARED ? "read" : "write",
			object);
		break;
	case TRACE_OBJECT_ONCE:
	case TRACE_OBJECT_GUARD:
		fprintf(out,
			"Self-deadlock: {thread:%u} enters {lock:%u} again inside its own initialiser",
			thread, object);
		break;
	case TRACE_OBJECT_SEM:
		fprintf(out,
			"Self-deadlock: {thread:%u} takes {lock:%u} again, and nobody else is left to post it",
			thread, object);
		break;
	default: /* a number from a file */
		fprintf(out,
			"Self-deadlock: {thread:%u} locks {lock:%u} again, which it already holds",
			thread, object);
		break;
	}
	if (story_print_handler(out, s->r->w, thread) && !is_held_by_handler(s, thread, object))
		fputs(" that interrupted the holder", out);
}

static bool is_plain_lock(const struct knot_story *s, uint32_t i)
{
	uint8_t kind = kind_at(s, i);

	return s->r->w->party[s->thread[i]].kind == TRACE_WAIT_LOCK &&
	       (kind == TRACE_OBJECT_MUTEX || kind == TRACE_OBJECT_RWLOCK ||
		kind == TRACE_OBJECT_SPIN || kind == TRACE_OBJECT_FILE_LOCK);
}

static void print_pair_title(FILE *out, const struct knot_story *s)
{
	if (is_plain_lock(s, 0) && is_plain_lock(s, 1)) {
		if (target_of(s, 0)->object != target_of(s, 1)->object)
			fprintf(out, "{thread:%u} and {thread:%u} wait for each other's locks",
				s->thread[0], s->thread[1]);
		else if (s->node[0] == s->node[1])
			fprintf(out,
				"{thread:%u} and {thread:%u} both read {lock:%u} and both wait to write it",
				s->thread[0], s->thread[1], target_of(s, 0)->object);
		else
			fprintf(out, "{thread:%u} and {thread:%u} wait for each other at {lock:%u}",
				s->thread[0], s->thread[1], target_of(s, 0)->object);
		return;
	}
	for (uint32_t i = 0; i < 2; i++) {
		const struct wait_target *t = target_of(s, i);

		fputs(i ? "; " : "", out);
		story_print_wait(out, s->r->w, s->thread[i], s->node[i]);
		if (t && t->side != WAIT_SIDE_OPEN)
			story_print_obstacle(out, s->r->w, s->node[i], s->next[i]);
	}
}

static const char *make_title(const struct knot_story *s)
{
	struct story_text text;

	story_text_begin(&text);
	if (s->tasks) {
		task_story_print_title(text.out, s->r, s->knots, s->knots->component[s->thread[0]],
				       s->thread, s->count);
	} else if (s->count == 1) {
		print_self_title(text.out, s);
	} else {
		fputs("Deadlock: ", text.out);
		if (s->count == 2) {
			print_pair_title(text.out, s);
		} else {
			story_print_threads(text.out, s->thread, s->count, 4);
			fprintf(text.out, " wait for each other in a %s of %u",
				s->count == s->on_path ? "cycle" : "knot", s->count);
		}
	}
	return story_text_take(&text, s->r->a);
}

static void print_behind(FILE *out, const struct knot_story *s, const uint32_t *behind)
{
	const struct wait_world *w = s->r->w;
	uint32_t knot = s->knots->component[s->thread[0]], count = 0, named = 0;

	for (uint32_t id = 1; id < w->thread_count; id++)
		count += behind[id] == knot && s->knots->component[id] != knot;
	if (count == 0)
		return;
	fprintf(out, " %u more thread%s blocked behind: ", count, count == 1 ? " is" : "s are");
	for (uint32_t id = 1; id < w->thread_count && named < NAMED_BEHIND; id++) {
		if (behind[id] != knot || s->knots->component[id] == knot)
			continue;
		fputs(named++ ? ", " : "", out);
		story_print_outsider(out, s->r->a, id);
	}
	fputs(count > named ? ", …." : ".", out);
}

static const char *make_message(const struct knot_story *s, const uint32_t *behind)
{
	uint32_t shown = s->count < SHOWN_THREADS ? s->count : SHOWN_THREADS;
	struct story_text text;

	story_text_begin(&text);
	for (uint32_t i = 0; i < shown; i++) {
		fputs(i ? "; " : "", text.out);
		story_print_wait(text.out, s->r->w, s->thread[i], s->node[i]);
		story_print_obstacle(text.out, s->r->w, s->node[i], s->next[i]);
	}
	fputs(s->count > shown ? "; …." : ".", text.out);
	if (s->tasks)
		task_story_print(text.out, s->r, s->knots, s->knots->component[s->thread[0]]);
	print_behind(text.out, s, behind);
	return story_text_take(&text, s->r->a);
}

/* ---- findings ---- */

/*
 * What thread `i` of the story holds, or used to give, that others of the knot want. `told`: target
 * -> i + 1.
 */
static void add_possessions(const struct knot_story *s, struct finding *f, uint32_t i,
			    uint32_t *told)
{
	size_t count;
	const uint32_t *in = wait_graph_get_in(&s->r->w->graph, s->thread[i], &count);

	for (size_t k = 0; k < count; k++) {
		const struct wait_target *t;

		if (wait_node_is_thread(s->r->w, in[k]) || !in_knot(s, in[k]) ||
		    told[in[k]] == i + 1)
			continue;
		told[in[k]] = i + 1;
		t = wait_world_get_target(s->r->w, in[k]);
		if (!t->object)
			continue;
		if (t->side == WAIT_SIDE_OPEN)
			story_add_gift(s->r, f, s->thread[i], t->object, "its newest one");
		else
			story_add_hold(s->r, f, s->thread[i], t->object);
	}
}

/* For each thread: what others want of it, then where it waits. */
static void add_stacks(const struct knot_story *s, struct finding *f)
{
	uint32_t shown = s->count < SHOWN_THREADS ? s->count : SHOWN_THREADS;
	uint32_t *told = allocate(s->r->w->graph.nodes, sizeof(*told));

	for (uint32_t i = 0; i < shown; i++)
		analysis_add_thread(s->r->a, f, s->thread[i]);
	for (uint32_t i = 0; i < shown; i++)
		analysis_add_thread(s->r->a, f, s->next[i]);
	for (uint32_t i = 0; i < shown; i++) {
		add_possessions(s, f, i, told);
		story_add_wait(s->r, f, s->thread[i], s->node[i]);
	}
	free(told);
}

/* The lock-order checker leaves out what happened. */
static void note_observed(const struct knot_story *s)
{
	uint32_t *locks = allocate(s->count, sizeof(*locks));
	size_t count = 0;

	for (uint32_t i = 0; i < s->on_path; i++) {
		const struct wait_target *t = target_of(s, i);

		if (t && t->object && t->side != WAIT_SIDE_OPEN)
			locks[count++] = t->object;
	}
	if (s->count > 1)
		analysis_add_observed(s->r->a, locks, count);
	free(locks);
}

/*
 * A semaphore has no owner: that its taker must post it is what we saw so far. Where others run
 * that is certain enough only if it was posted that way before; and a thread that takes it twice
 * may well wait for another's post.
 */
static bool judge_semaphores(const struct knot_story *s, enum confidence *ret_confidence)
{
	*ret_confidence = CONFIDENCE_OBSERVED;
	if (s->closed)
		return true;
	for (uint32_t i = 0; i < s->count; i++) {
		const struct wait_target *t = target_of(s, i);

		if (!t || t->side != WAIT_SIDE_SEM)
			continue;
		if (s->count == 1)
			return false;
		if (model_get_object(s->r->w->model, t->object)->detail->sem.posters.count == 0)
			*ret_confidence = CONFIDENCE_POTENTIAL;
	}
	return true;
}

static bool has_lock(const struct knot_story *s)
{
	for (uint32_t i = 0; i < s->count; i++) {
		const struct wait_target *t = target_of(s, i);

		if (t && (t->side == WAIT_SIDE_EXCLUSIVE || t->side == WAIT_SIDE_SHARED))
			return true;
	}
	return false;
}

/* Only a lock has to be let go of by its holder. */
static void judge_handlers(const struct knot_story *s, enum confidence *confidence)
{
	for (uint32_t i = 0; i < s->count && !has_lock(s); i++)
		if (wait_handler_may_end(s->r->w, s->thread[i], s->node[i]))
			*confidence = CONFIDENCE_HINT;
}

/* Of one process, and found when that was looked at alone. */
static bool is_told(const struct knot_story *s)
{
	const struct wait_world *w = s->r->w;
	uint32_t process;

	if (!w->run)
		return false;
	process = run_process_of_thread(w->run, s->thread[0]);
	for (uint32_t i = 0; i < s->count; i++) {
		const struct wait_target *t = target_of(s, i);
		bool judged_alone = !t ||
				    (t->side != WAIT_SIDE_PROCESS && t->side != WAIT_SIDE_CHANNEL &&
				     t->side != WAIT_SIDE_OPEN);

		if (run_process_of_thread(w->run, s->thread[i]) != process ||
		    (!judged_alone && wait_world_crosses(w, s->node[i])))
			return false;
	}
	return story_told_alone(w, process, !s->mixed);
}

static void report_knot(struct knot_story *s, const uint32_t *behind)
{
	enum rule rule = s->count == 1 && !s->tasks ? RULE_SELF_DEADLOCK : RULE_DEADLOCK;
	enum confidence confidence = s->at_rest ? CONFIDENCE_POTENTIAL : CONFIDENCE_OBSERVED;
	struct finding *f;

	if (!s->tasks && !judge_semaphores(s, &confidence))
		return;
	if (!s->tasks)
		judge_handlers(s, &confidence);
	s->r->deadlocks++;
	for (uint32_t id = 1; id < s->r->w->thread_count; id++)
		if (behind[id] == s->knots->component[s->thread[0]])
			s->r->explained[id] = 1;
	if (confidence == CONFIDENCE_OBSERVED)
		note_observed(s);
	if (!analysis_wants(s->r->a, rule) || is_told(s))
		return;
	f = analysis_begin(s->r->a, rule, confidence);
	add_stacks(s, f);
	if (s->tasks)
		task_story_add(s->r, f, s->knots, s->knots->component[s->thread[0]]);
	f->title = make_title(s);
	f->message = make_message(s, behind);
	analysis_commit(s->r->a, f);
}

enum marked { MARKED_HARD, MARKED_MIXED, MARKED_TASKS, MARKED_TASKS_AT_REST };

static void report_marked(struct wait_report *r, const struct wait_knots *k, const uint8_t *marked,
			  enum marked what)
{
	uint32_t *behind = wait_knots_behind(r->w, k, marked);

	/* Ascending first thread: knots are numbered by the search, people count by threads. */
	for (uint32_t id = 1; id < r->w->thread_count; id++) {
		uint32_t i = k->component[id];
		struct knot_story s = { .r = r,
					.knots = k,
					.mixed = what != MARKED_HARD,
					.tasks = what >= MARKED_TASKS,
					.at_rest = what == MARKED_TASKS_AT_REST,
					.closed = r->w->closed && !r->w->exit_thread };

		if (i == WAIT_NO_COMPONENT || !marked[i] || k->member[k->knot[i].first] != id)
			continue;
		s.knot = &k->knot[i];
		story_begin(&s);
		report_knot(&s, behind);
		story_release(&s);
	}
	free(behind);
}

static void report_hard(struct wait_report *r)
{
	struct wait_knots *k = wait_knots_new(r->w, false);
	uint8_t *marked = allocate(k->count, 1);

	for (uint32_t i = 0; i < k->count; i++)
		marked[i] = wait_knot_is_cycle(&k->knot[i]);
	report_marked(r, k, marked, MARKED_HARD);
	free(marked);
	wait_knots_free(k);
}

/*
 * A cycle of open waits is a wait whose giver is gone or came too early, but at queues: these are read and
 * written, as pipes are.
 */
static bool is_between_queues(const struct wait_world *w, const struct wait_knots *k,
			      const struct wait_knot *knot)
{
	for (uint32_t m = knot->threads; m < knot->count; m++)
		if (!wait_is_queue(w, wait_world_get_target(w, k->member[knot->first + m])->object))
			return false;
	return knot->open_targets > 1;
}

static bool has_explained(const struct wait_report *r, const struct wait_knots *k,
			  const struct wait_knot *knot)
{
	for (uint32_t m = 0; m < knot->threads; m++)
		if (r->explained[k->member[knot->first + m]])
			return true;
	return false;
}

/* A task that was posted explains what else would be a wait that nobody ends. */
static void report_tasks(struct wait_report *r)
{
	enum wait_rest rest = r->w->task_edge_count ? wait_world_get_rest(r->w) : WAIT_REST_NONE;
	struct wait_knots *k;
	uint8_t *marked;

	if (rest == WAIT_REST_NONE || r->w->lossy || r->w->exit_kind)
		return;
	k = wait_knots_new(r->w, true);
	marked = allocate(k->count, 1);
	for (uint32_t i = 0; i < k->count; i++)
		marked[i] = k->knot[i].root && wait_knot_is_cycle(&k->knot[i]) &&
			    task_story_has(r, k, i, rest == WAIT_REST_SEALED) &&
			    !has_explained(r, k, &k->knot[i]);
	report_marked(r, k, marked, rest == WAIT_REST_SEALED ? MARKED_TASKS : MARKED_TASKS_AT_REST);
	free(marked);
	wait_knots_free(k);
}

/* Knots with a hard part are told already. */
static void report_mixed(struct wait_report *r)
{
	struct wait_knots *k;
	uint8_t *marked;

	if (!r->w->closed || r->w->lossy || r->w->exit_kind)
		return;
	k = wait_knots_new(r->w, true);
	marked = allocate(k->count, 1);
	for (uint32_t i = 0; i < k->count; i++) {
		const struct wait_knot *knot = &k->knot[i];

		marked[i] = knot->root && knot->threads > 1 && knot->open_targets > 0 &&
			    (knot->hard_targets > 0 || is_between_queues(r->w, k, knot)) &&
			    !has_explained(r, k, knot);
	}
	report_marked(r, k, marked, MARKED_MIXED);
	free(marked);
	wait_knots_free(k);
}

void deadlock_report(struct wait_report *r)
{
	report_hard(r);
	report_tasks(r);
	report_mixed(r);
}
