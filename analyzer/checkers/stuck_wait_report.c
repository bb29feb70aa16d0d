/* SPDX-License-Identifier: MIT */
/*
 * stuck_wait_report.c - a stuck wait in words and stacks. Which waits are stuck is not its
 * business.
 */
#include "stuck_wait_report.h"

#include <stdlib.h>

#define SHOWN_WAITERS 16u
#define SHOWN_TARGETS 8u
#define TITLE_TARGETS 2u

static void *allocate(size_t count, size_t element_bytes)
{
	void *memory = calloc(count ? count : 1, element_bytes);

	if (!memory)
		abort();
	return memory;
}

static const struct model_object *object_of(const struct stuck *s, uint32_t i)
{
	return model_get_object(s->r->w->model,
				wait_world_get_target(s->r->w, s->targets[i])->object);
}

/* Of something that no event was about the model knows not even the id. */
static uint32_t id_of(const struct stuck *s, uint32_t i)
{
	return wait_world_get_target(s->r->w, s->targets[i])->object;
}

static void find_waiters(struct stuck *s)
{
	const struct wait_world *w = s->r->w;

	uint8_t *wanted = allocate(w->graph.nodes, 1);

	s->waiter = allocate(w->thread_count, sizeof(*s->waiter));
	for (uint32_t i = 0; i < s->target_count; i++)
		wanted[s->targets[i]] = 1;
	for (uint32_t id = 1; id < w->thread_count; id++)
		if (w->party[id].status == WAIT_BLOCKED && wanted[w->party[id].target])
			s->waiter[s->waiter_count++] = id;
	free(wanted);
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

static bool givers_are_gone(const struct wait_world *w, uint32_t object)
{
	struct giver_state g = { .w = w };

	wait_world_visit_givers(w, object, look_at_giver, &g);
	return g.ended > 0 && g.alive == 0;
}

static bool last_signal_was_unheard(const struct model_cond *c)
{
	return c->last_signal.thread && c->last_unheard.thread &&
	       c->last_unheard.time_ns == c->last_signal.time_ns;
}

static void print_cond_reason(FILE *out, const struct stuck *s, const struct model_object *o)
{
	const struct model_cond *c = &o->detail->cond;

	if (!c->last_signal.thread)
		fputs(", which nobody ever signalled", out);
	else if (last_signal_was_unheard(c))
		fputs("; the last signal came when nobody waited", out);
	else if (givers_are_gone(s->r->w, o->id))
		fputs("; every thread that signalled it has ended", out);
	else
		fputs("; the last signal went to another waiter", out);
}

/* Its word names no owner: the last one who woke somebody is the best trail. */
static void print_futex_reason(FILE *out, const struct stuck *s, const struct model_object *o)
{
	const struct wait_futex *f = wait_history_get_futex(s->r->w->history, o->id);

	if (f && f->last.thread)
		fprintf(out, "; owner unknown, last woken by {thread:%u}", f->last.thread);
	else
		fputs("; owner unknown, nobody ever woke it", out);
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
		else if (givers_are_gone(s->r->w, o->id))
			fputs("; every thread that posted it has ended", out);
		else
			fputs("; nobody is left to post it", out);
	} else if (o->kind == TRACE_OBJECT_BARRIER) {
		const struct model_barrier *b = &o->detail->barrier;

		fprintf(out, ", short by %u: %u of %u threads arrived", b->count - b->arrival_count,
			b->arrival_count, b->count);
	} else if (o->kind == TRACE_OBJECT_FUTEX) {
		print_futex_reason(out, s, o);
	} else if (s->r->w->party[s->waiter[0]].kind == TRACE_WAIT_CALL) {
		fputs(!wait_is_queue(s->r->w, id_of(s, i)) ? ", and nobody is left at its other end"
		      : s->r->w->party[s->waiter[0]].mode & TRACE_MODE_SHARED
			      ? ", and nobody is left to send to it"
			      : ", and nobody is left to receive from it",
		      out);
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
	case TRACE_OBJECT_FUTEX:
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
	fprintf(out, " %s {lock:%u}", verb_of(s, i, count == 1), id_of(s, i));
	print_reason(out, s, i);
	free(threads);
}

static const char *make_title(const struct stuck *s)
{
	uint32_t shown = s->target_count < TITLE_TARGETS ? s->target_count : TITLE_TARGETS;
	struct story_text text;

	story_text_begin(&text);
	fputs("Stuck: ", text.out);
	for (uint32_t i = 0; i < shown; i++) {
		fputs(i ? "; " : "", text.out);
		print_group(text.out, s, i, 3);
	}
	if (s->target_count > shown)
		fprintf(text.out, "; and %u more", s->target_count - shown);
	return story_text_take(&text, s->r->a);
}

/* What was given to the object so far: the engineer's next question. */
static void print_history(FILE *out, const struct stuck *s, uint32_t i)
{
	const struct model_object *o = object_of(s, i);

	if (o->kind == TRACE_OBJECT_COND) {
		const struct model_cond *c = &o->detail->cond;

		if (!c->last_signal.thread)
			return;
		fprintf(out,
			" {lock:%u}: %llu signal%s, %llu broadcast%s, the last one by {thread:%u}",
			o->id, (unsigned long long)c->signals, story_s(c->signals),
			(unsigned long long)c->broadcasts, story_s(c->broadcasts),
			c->last_signal.thread);
		if (c->last_signal.time_ns >= STORY_TOLD_NS)
			fprintf(out, " after %.1f s", (double)c->last_signal.time_ns / 1e9);
		if (c->last_waiters)
			fprintf(out, " when %u thread%s waited.", c->last_waiters,
				story_s(c->last_waiters));
		else
			fputs(" when nobody waited.", out);
	} else if (o->kind == TRACE_OBJECT_SEM) {
		uint64_t posts = 0, takes = 0;

		for (uint32_t k = 0; k < o->detail->sem.posters.count; k++)
			posts += o->detail->sem.posters.actor[k].count;
		for (uint32_t k = 0; k < o->detail->sem.takers.count; k++)
			takes += o->detail->sem.takers.actor[k].count;
		fprintf(out, " {lock:%u}: %u at first, %llu post%s, %llu take%s.", o->id,
			o->detail->sem.initial, (unsigned long long)posts, story_s(posts),
			(unsigned long long)takes, story_s(takes));
	}
}

/* Of several processes the first one speaks for all. */
static const char *main_words(const struct stuck *s)
{
	return s->r->w->run ? "{thread:1}" : "The main thread";
}

static void print_behind(FILE *out, const struct stuck *s)
{
	const struct wait_party *p = &s->r->w->party[1];

	if (s->main_behind && p->awaited)
		fprintf(out, " %s waits for {thread:%u} to end.", main_words(s), p->awaited);
	else if (s->main_behind)
		fprintf(out, " %s is blocked behind.", main_words(s));
	if (s->others_behind)
		fprintf(out, " %u more thread%s blocked behind.", s->others_behind,
			s->others_behind == 1 ? " is" : "s are");
}

static const char *make_message(const struct stuck *s)
{
	struct story_text text;

	story_text_begin(&text);
	/* The title has the first ones. */
	for (uint32_t i = TITLE_TARGETS; i < s->target_count && i < SHOWN_TARGETS; i++) {
		fputs(i > TITLE_TARGETS ? "; " : "", text.out);
		print_group(text.out, s, i, 8);
	}
	if (s->target_count > TITLE_TARGETS)
		fputs(".", text.out);
	for (uint32_t i = 0; i < s->target_count && i < SHOWN_TARGETS; i++)
		print_history(text.out, s, i);
	print_behind(text.out, s);
	if (s->confidence == CONFIDENCE_POTENTIAL)
		fputs(" Other threads still ran, but none of them ever used this object.",
		      text.out);
	else if (s->confidence == CONFIDENCE_HINT)
		fputs(" No thread could run any more, but a signal handler, or a thread that libc made, may end it.",
		      text.out);
	else if (s->r->w->closed)
		fputs(s->r->w->run ? " No thread of the processes could run any more."
				   : " No thread of the process could run any more.",
		      text.out);
	else
		fputs(" Nobody else may unlock it.", text.out);
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
			       last_signal_was_unheard(c) ? "the last one; nobody waited"
							  : "the last one");
	} else if (o->kind == TRACE_OBJECT_FUTEX) {
		const struct wait_futex *x = wait_history_get_futex(s->r->w->history, o->id);

		if (x && x->last.thread)
			story_add_gift(s->r, f, x->last.thread, o->id, "the last wake");
	} else if (o->kind == TRACE_OBJECT_SEM && o->detail->sem.posters.count) {
		story_add_gift(s->r, f, newest_poster(&o->detail->sem), o->id, "the last one");
	}
}

/* Cause by cause, so that the first ones are those of the title. */
static void add_wait_stacks(const struct stuck *s, struct finding *f)
{
	uint32_t *threads = allocate(s->waiter_count, sizeof(*threads)), count, shown = 0;

	for (uint32_t i = 0; i < s->target_count && i < SHOWN_TARGETS; i++) {
		analysis_add_lock(s->r->a, f, id_of(s, i));
		waiters_at(s, i, threads, &count);
		for (uint32_t k = 0; k < count; k++) {
			analysis_add_thread(s->r->a, f, threads[k]);
			if (k < 2 || shown < SHOWN_WAITERS) {
				story_add_wait(s->r, f, threads[k], s->targets[i]);
				shown++;
			}
		}
	}
	free(threads);
}

void stuck_report(struct stuck *s)
{
	struct analysis *a = s->r->a;
	struct finding *f;

	find_waiters(s);
	if (s->waiter_count && analysis_wants(a, RULE_STUCK_WAIT)) {
		f = analysis_begin(a, RULE_STUCK_WAIT, s->confidence);
		add_wait_stacks(s, f);
		for (uint32_t i = 0; i < s->target_count && i < SHOWN_TARGETS; i++)
			add_last_gift(s, f, i);
		if (s->main_behind)
			story_add_wait(s->r, f, 1, story_wait_node(s->r->w, 1));
		f->title = make_title(s);
		f->message = make_message(s);
		analysis_commit(a, f);
	}
	free(s->waiter);
}
