/* SPDX-License-Identifier: MIT */
/*
 * wait_story.c - waits in words and stacks. Decides nothing.
 */
#include "wait_story.h"

#include "../signal_name.h"

#include <stdlib.h>
#include <string.h>

/* ---- text ---- */

void story_text_begin(struct story_text *t)
{
	t->buffer = NULL;
	t->bytes = 0;
	t->out = open_memstream(&t->buffer, &t->bytes);
	if (!t->out)
		abort();
}

const char *story_text_take(struct story_text *t, struct analysis *a)
{
	const char *text;

	if (fclose(t->out))
		abort();
	text = analysis_printf(a, "%s", t->buffer + strspn(t->buffer, " "));
	free(t->buffer);
	return text;
}

bool story_told_alone(const struct wait_world *w, uint32_t process, bool hard)
{
	const struct run_process *p;

	if (!w->run)
		return false;
	/* Alone, a thread that waits for another process counts as running. */
	p = &w->run->process[process];
	for (uint32_t t = 1; !hard && t < p->process->thread_count; t++) {
		const struct wait_party *party = &w->party[p->first_thread + t];

		if (party->status == WAIT_BLOCKED &&
		    wait_world_crosses(w, party->target ? party->target : party->retake))
			return false;
	}
	return true;
}

uint32_t story_wait_node(const struct wait_world *w, uint32_t thread)
{
	return w->party[thread].target ? w->party[thread].target : w->party[thread].retake;
}

static uint8_t kind_of(const struct wait_world *w, uint32_t object)
{
	const struct model_object *o = model_get_object(w->model, object);

	return o ? o->kind : TRACE_OBJECT_NONE;
}

static bool is_named_by_python(const struct wait_world *w, uint32_t object)
{
	const struct trace_process *p = w->model->process;

	return object < p->object_count && p->objects && p->objects[object].word;
}

static void print_lock_wait(FILE *out, const struct wait_world *w, const struct wait_party *p,
			    uint32_t object)
{
	switch (kind_of(w, object)) {
	case TRACE_OBJECT_RWLOCK:
		fprintf(out, "waits to %s {lock:%u}",
			p->mode & TRACE_MODE_SHARED ? "read" : "write", object);
		break;
	case TRACE_OBJECT_SPIN:
		fprintf(out, "spins on {lock:%u}", object);
		break;
	case TRACE_OBJECT_ONCE:
	case TRACE_OBJECT_GUARD:
		fprintf(out, "waits for the initialiser of {lock:%u}", object);
		break;
	case TRACE_OBJECT_SEM:
		/* A Lock of Python's, or a queue: nobody calls that a post. */
		fprintf(out, "waits for %s{lock:%u}",
			is_named_by_python(w, object) ? "" : "a post of ", object);
		break;
	case TRACE_OBJECT_BARRIER:
	case TRACE_OBJECT_FUTEX:
		fprintf(out, "waits at {lock:%u}", object);
		break;
	default: /* a number from a file */
		fprintf(out, "waits for {lock:%u}", object);
		break;
	}
}

/* What a read or a write waits for. */
static void print_call_wait(FILE *out, const struct wait_party *p)
{
	fprintf(out, "waits %s {lock:%u}",
		p->mode & TRACE_MODE_SHARED ? "for data from" : "for room in", p->object);
}

bool story_print_handler(FILE *out, const struct wait_world *w, uint32_t thread)
{
	const struct trace_stack *s = model_get_stack(w->model, w->party[thread].stack);
	char name[SIGNAL_NAME_BYTES];

	if (!s || !s->handler_frames)
		return false;
	if (s->signal)
		fprintf(out, ", in a handler of %s", signal_name(s->signal, name));
	else
		fputs(", in a signal handler", out);
	return true;
}

void story_print_wait(FILE *out, const struct wait_world *w, uint32_t thread, uint32_t node)
{
	const struct wait_party *p = &w->party[thread];

	fprintf(out, "{thread:%u} ", thread);
	if (p->awaited)
		fprintf(out, "waits for {thread:%u} to end", p->awaited);
	else if (p->kind == TRACE_WAIT_CHILD)
		fputs("waits for any of its children to end", out);
	else if (p->kind == TRACE_WAIT_CALL)
		print_call_wait(out, p);
	else if (p->kind != TRACE_WAIT_COND)
		print_lock_wait(out, w, p, p->object);
	else if (!node || node != p->retake)
		fprintf(out, "waits for a signal on {lock:%u}", p->object);
	else
		fprintf(out, "%s on {lock:%u} and waits to take {lock:%u} back",
			p->woken   ? "was signalled"
			: p->timed ? "had a timed wait"
				   : "waits",
			p->object, p->other);
	story_print_handler(out, w, thread);
}

static bool is_channel(const struct wait_world *w, uint32_t object)
{
	const struct trace_object *o =
		object && w->model->process->objects ? &w->model->process->objects[object] : NULL;

	return o && (o->kind == TRACE_OBJECT_PIPE || o->kind == TRACE_OBJECT_SOCKET ||
		     o->kind == TRACE_OBJECT_QUEUE);
}

void story_print_obstacle(FILE *out, const struct wait_world *w, uint32_t node, uint32_t next)
{
	const struct wait_target *t;

	if (!node || wait_node_is_thread(w, node))
		return;
	t = wait_world_get_target(w, node);
	if (t->side == WAIT_SIDE_PROCESS)
		return;
	if (is_channel(w, t->object)) {
		fprintf(out, ", which {thread:%u} would have to %s", next,
			node == w->shared_node[t->object] ? "write to" : "read");
	} else if (t->side == WAIT_SIDE_OPEN) {
		fprintf(out, ", which {thread:%u} would have to %s", next,
			kind_of(w, t->object) == TRACE_OBJECT_COND	? "signal"
			: kind_of(w, t->object) == TRACE_OBJECT_SEM	? "post"
			: kind_of(w, t->object) == TRACE_OBJECT_BARRIER ? "reach"
			: kind_of(w, t->object) == TRACE_OBJECT_FUTEX	? "wake"
									: "unlock");
	} else if (kind_of(w, t->object) == TRACE_OBJECT_ONCE ||
		   kind_of(w, t->object) == TRACE_OBJECT_GUARD) {
		fprintf(out, ", which {thread:%u} runs", next);
	} else if (t->side == WAIT_SIDE_SHARED &&
		   !model_find_held(model_get_thread(w->model, next), t->object)) {
		fprintf(out, ", behind {thread:%u}, which waits to write it", next);
	} else {
		fprintf(out, ", held by {thread:%u}", next);
	}
}

void story_print_threads(FILE *out, const uint32_t *threads, size_t count, size_t most)
{
	size_t shown = count > most ? most : count;

	for (size_t i = 0; i < shown; i++) {
		bool last = i + 1 == shown && shown == count;

		fprintf(out, "%s{thread:%u}", i == 0 ? "" : last ? " and " : ", ", threads[i]);
	}
	if (count > shown)
		fprintf(out, " and %zu more", count - shown);
}

void story_print_outsider(FILE *out, struct analysis *a, uint32_t thread)
{
	const struct trace_process *p = a->process;
	const char *name = p->threads && thread < p->thread_count ? p->threads[thread].name : NULL;

	if (a->run)
		fputs(analysis_thread_label(a, thread), out);
	else if (thread == 1)
		fputs("the main thread", out);
	else if (name)
		fprintf(out, "thread %u \"%s\"", thread, name);
	else
		fprintf(out, "thread %u", thread);
}

/* ---- stacks ---- */

/*
 * How long until the last record of the process, at least: a process that hangs writes none. To a
 * tenth of a second, and nothing where that would read 0.0.
 */
static const char *lasted(struct wait_report *r, uint64_t time_ns)
{
	uint64_t end_ns = r->a->process->end_ns;

	if (time_ns == 0 || end_ns < time_ns + STORY_TOLD_NS)
		return NULL;
	return analysis_printf(r->a, "for at least %.1f s", (double)(end_ns - time_ns) / 1e9);
}

/* The object that the wait to `node` is about; 0 for a join. */
static uint32_t object_at(const struct wait_world *w, uint32_t thread, uint32_t node)
{
	const struct wait_party *p = &w->party[thread];

	return node && node == p->retake ? p->other : p->object;
}

void story_add_wait(struct wait_report *r, struct finding *f, uint32_t thread, uint32_t node)
{
	const struct wait_party *p = &r->w->party[thread];
	struct finding_stack *s;

	analysis_add_thread(r->a, f, thread);
	analysis_add_thread(r->a, f, p->awaited);
	if (p->kind == TRACE_WAIT_COND) {
		analysis_add_lock(r->a, f, p->object);
		if (node && node == p->retake)
			analysis_add_lock(r->a, f, p->other);
	}
	s = analysis_add_stack_now(r->a, f, ROLE_WAITS, thread, object_at(r->w, thread, node),
				   p->stack, p->since_ns);
	s->note = lasted(r, p->since_ns);
	s->for_thread = p->awaited;
}

void story_add_hold(struct wait_report *r, struct finding *f, uint32_t thread, uint32_t object)
{
	const struct model_thread *t = model_get_thread(r->w->model, thread);
	const struct model_held *hold = t ? model_find_held(t, object) : NULL;
	struct finding_stack *s;
	uint32_t *held;
	size_t count = 0;

	if (!hold)
		return;
	held = calloc(t->held_count, sizeof(*held));
	if (!held)
		abort();
	for (uint32_t i = 0; i < t->held_count && t->held[i].object != object; i++)
		held[count++] = t->held[i].object;
	s = analysis_add_stack(r->a, f, ROLE_HOLDS, thread, object, hold->stack, hold->time_ns,
			       held, count);
	s->note = lasted(r, hold->time_ns);
	if (hold->flags & MODEL_HOLD_SHARED)
		s->note = s->note ? analysis_printf(r->a, "for reading, %s", s->note)
				  : "for reading";
	free(held);
}

/* Who woke the word last says where to look: a futex names no owner. */
static void add_wake(struct wait_report *r, struct finding *f, uint32_t object, const char *note)
{
	const struct wait_futex *x = wait_history_get_futex(r->w->history, object);
	struct finding_stack *s;

	if (!x || !x->last.thread)
		return;
	s = analysis_add_stack(r->a, f, ROLE_SIGNALS, x->last.thread, object, x->last.stack,
			       x->last.time_ns, NULL, 0);
	s->note = note;
}

struct gift {
	uint32_t thread;
	struct model_site site;
};

static void newest(const struct model_actors *actors, struct gift *g)
{
	for (uint32_t i = 0; i < actors->count; i++)
		if (actors->actor[i].last.thread == g->thread)
			g->site = actors->actor[i].last;
}

void story_add_gift(struct wait_report *r, struct finding *f, uint32_t thread, uint32_t object,
		    const char *note)
{
	const struct model_object *o = model_get_object(r->w->model, object);
	struct gift g = { .thread = thread };
	struct finding_stack *s;

	if (o && o->kind == TRACE_OBJECT_FUTEX)
		add_wake(r, f, object, note);
	if (!o || !o->detail)
		return;
	if (o->kind == TRACE_OBJECT_COND)
		newest(&o->detail->cond.signallers, &g);
	else if (o->kind == TRACE_OBJECT_SEM)
		newest(&o->detail->sem.posters, &g);
	if (!g.site.thread)
		return;
	s = analysis_add_stack(r->a, f, ROLE_SIGNALS, thread, object, g.site.stack, g.site.time_ns,
			       NULL, 0);
	s->note = note;
}
