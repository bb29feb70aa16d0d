/* SPDX-License-Identifier: MIT */
/*
 * thread_leak.c - rule leaked-thread: what became of the threads of a process that went through
 * exit().
 *
 *  finished, never joined nor detached              warning, grouped by where they were created
 *  blocked at exit, and nobody was left to wake it  warning, grouped by where they wait
 *  still running at exit                            note, grouped by where they were created
 *
 * Parked threads are silent: idle workers are meant to die with the process. A wait counts as
 * parked when some thread left a wait at the same call stack before, when several threads wait at
 * the same place (a pool), or when somebody who used to wake it was there until the end. So are
 * threads that wait for input, a connection, a child or a signal, the workers of a runtime that keeps them for ever,
 * and detached threads, unless they were at work when main returned. After _exit, quick_exit, exec, a
 * kill or a crash nothing is said: nobody tidies up then.
 *
 * Python's daemon threads are meant to die with the process, idle or not. They leak where one place makes several, each of which waits for
 * something of its own that nobody ever gave: the next request makes one more.
 */
#include "wait_story.h"

#include <stdlib.h>
#include <string.h>

#define SHOWN_THREADS 8u

enum fate {
	FATE_FINE,
	FATE_FINISHED, /* never joined nor detached */
	FATE_BLOCKED,
	FATE_RUNNING,
	FATE_OUTLIVED, /* ended after main returned */
	FATE_COUNT
};

struct leak {
	struct wait_report *r;
	uint8_t *fate;	  /* enum fate, by thread id; owned */
	uint8_t *joining; /* somebody is in a join of the thread at the end; owned */
};

static void *allocate(size_t count, size_t element_bytes)
{
	void *memory = calloc(count ? count : 1, element_bytes);

	if (!memory)
		abort();
	return memory;
}

/* ---- parked waits ---- */

struct waker {
	const struct wait_world *w;
	uint32_t waiter;
	bool there;
};

/* Who waits at the same place wakes nobody there. */
static void look_for_waker(void *cookie, uint32_t thread)
{
	struct waker *k = cookie;

	uint32_t target = k->w->party[k->waiter].target;

	if (thread != k->waiter && thread < k->w->thread_count &&
	    k->w->party[thread].status >= WAIT_RUNNING &&
	    (!target || k->w->party[thread].target != target))
		k->there = true;
}

/*
 * Another thread waits at the same place for the same condvar or semaphore; or for a lock of its
 * own, which is how programs stop each worker with a mutex (redis). Several threads at one lock are
 * no pool, they contend.
 */
static bool is_in_pool(const struct wait_world *w, uint32_t thread)
{
	const struct wait_party *p = &w->party[thread];

	for (uint32_t id = 1; id < w->thread_count; id++) {
		const struct wait_party *q = &w->party[id];

		if (id != thread && q->kind == p->kind && q->stack == p->stack &&
		    (q->object == p->object) == (p->kind != TRACE_WAIT_LOCK))
			return true;
	}
	return false;
}

static bool is_parked(const struct wait_world *w, uint32_t thread)
{
	const struct wait_party *p = &w->party[thread];
	struct waker waker = { .w = w, .waiter = thread };

	if (wait_history_was_left(w->history, p->stack))
		return true;
	switch (p->kind) {
	case TRACE_WAIT_COND:
	case TRACE_WAIT_SEM:
		wait_world_visit_givers(w, p->object, look_for_waker, &waker);
		return waker.there || is_in_pool(w, thread);
	case TRACE_WAIT_BARRIER:
		/* Two threads at a barrier are no pool: they want a third one. */
		wait_world_visit_givers(w, p->object, look_for_waker, &waker);
		return waker.there;
	case TRACE_WAIT_LOCK:
		return is_in_pool(w, thread);
	case TRACE_WAIT_FUTEX:
		return is_in_pool(w, thread);
	default: /* joins and initialisers; a number from a file */
		return false;
	}
}

/*
 * In a call that the world outside ends: what an idle event loop or service thread is in. Its party
 * says so only where the call waits for somebody of this trace.
 */
static bool is_idle(const struct wait_world *w, uint32_t thread)
{
	const struct trace_wait_state *slot = model_get_wait(w->model, thread);
	enum { SLEEP, POLL, READ, WRITE, DISK, NET, CHILD, SIGNAL, THREAD };
	static const uint8_t class_of[] = {
#define CALL(number, NAME, word, class) [number] = class,
#include "../../spec/calls.def"
#undef CALL
	};

	/* A library waits behind our back, and looks again after a while. */
	if (slot && slot->wait.kind == TRACE_WAIT_FUTEX && slot->wait.mode & TRACE_MODE_TIMED)
		return true;
	if (!slot || slot->wait.kind != TRACE_WAIT_CALL || slot->wait.other >= sizeof(class_of))
		return false;
	switch (class_of[slot->wait.other]) {
	case POLL:
	case READ:
	case NET:
	case CHILD:
	case SIGNAL:
		return true;
	default:
		return false;
	}
}

/* ---- runtimes that keep their workers ---- */

/* Threads that these make wait for the next parallel region, inside, and die with the process. */
static const char *const keepers[] = { "libgomp.so", "libomp.so", "libomp5.so", "libiomp5.so",
				       "libtbb.so" };

static bool is_kept_by_runtime(const struct trace_process *p, uint32_t stack)
{
	const struct trace_module *found = NULL;
	uint64_t ip;

	if (!stack || !p->stacks || stack >= p->stack_count || !p->stacks[stack].frames)
		return false;
	ip = p->stacks[stack].ip[0] - 1;
	for (size_t i = 0; i < p->module_count && !found; i++)
		if (ip >= p->modules[i].start && ip < p->modules[i].end)
			found = &p->modules[i];
	if (!found || !found->path)
		return false;
	for (size_t i = 0; i < sizeof(keepers) / sizeof(*keepers); i++) {
		const char *name = strrchr(found->path, '/');

		name = name ? name + 1 : found->path;
		if (strncmp(name, keepers[i], strlen(keepers[i])) == 0)
			return true;
	}
	return false;
}

/* ---- one thread ---- */

/*
 * The first wait that `thread` is behind, along joins and locks; itself when its wait is an open
 * one. 0 = it runs on.
 */
static uint32_t cause_of(const struct wait_world *w, uint32_t thread)
{
	/* No cycle can be met (those are deadlocks, told already); the bound is for safety only. */
	for (uint32_t steps = 0; steps < w->thread_count; steps++) {
		uint32_t node = story_wait_node(w, thread);

		if (w->party[thread].status != WAIT_BLOCKED)
			return 0;
		if (!wait_node_is_thread(w, node))
			return thread;
		if (w->party[node].status != WAIT_BLOCKED)
			return thread;
		thread = node;
	}
	return thread;
}

static enum fate fate_of_blocked(const struct leak *l, uint32_t thread)
{
	const struct wait_world *w = l->r->w;
	const struct wait_party *p = &w->party[thread];
	uint32_t cause;

	if (p->timed || p->status != WAIT_BLOCKED)
		return p->timed && is_parked(w, thread) ? FATE_FINE : FATE_RUNNING;
	/* Somebody else runs on. */
	if (w->can[thread] && !w->closed)
		return wait_world_is_open_wait(w, thread) ? FATE_FINE : FATE_RUNNING;
	cause = cause_of(w, thread);
	if (cause == 0)
		return FATE_RUNNING;
	/* A holder that has ended is no reason to be patient, wherever the wait is. */
	if (w->party[cause].target && !wait_node_is_thread(w, w->party[cause].target) &&
	    wait_world_get_target(w, w->party[cause].target)->side != WAIT_SIDE_OPEN &&
	    wait_world_get_target(w, w->party[cause].target)->dead)
		return FATE_BLOCKED;
	return is_parked(w, cause) ? FATE_FINE : FATE_BLOCKED;
}

static uint32_t creation_stack(const struct wait_world *w, uint32_t thread)
{
	const struct trace_process *p = w->model->process;
	uint32_t defined = p->threads ? p->threads[thread].stack : 0;

	return defined ? defined : model_get_thread(w->model, thread)->create.stack;
}

/* The interpreter joins all but its daemon threads before it ends, and stops those wherever they are. */
static bool is_pythons(const struct trace_process *process, const struct model_thread *t)
{
	return process->runtime && process->runtime->features && t->detached;
}

static enum fate fate_of_pythons(const struct wait_world *w, uint32_t thread)
{
	const struct wait_party *p = &w->party[thread];

	if (p->timed || !p->object || wait_history_was_left(w->history, p->stack))
		return FATE_FINE;
	for (uint32_t id = 1; id < w->thread_count; id++) {
		const struct wait_party *q = &w->party[id];

		if (id != thread && q->kind == p->kind && q->stack == p->stack && !q->timed &&
		    q->object != p->object && creation_stack(w, id) == creation_stack(w, thread))
			return FATE_BLOCKED;
	}
	return FATE_FINE;
}

static enum fate fate_of(const struct leak *l, uint32_t thread)
{
	const struct wait_world *w = l->r->w;
	const struct model_thread *t = model_get_thread(w->model, thread);
	const struct trace_process *process = w->model->process;
	bool foreign = process->threads && (process->threads[thread].flags & TF_THREAD_FOREIGN);
	bool ended_late = t && t->end.time_ns && w->model->exit_ns &&
			  t->end.time_ns > w->model->exit_ns;

	if (!t || thread == 1 || thread == w->exit_thread || foreign || t->joined ||
	    l->joining[thread] || l->r->explained[thread] || w->party[thread].status == WAIT_ABSENT)
		return FATE_FINE;
	if (w->party[thread].status == WAIT_FINISHED) {
		if (ended_late)
			return is_pythons(process, t) ? FATE_FINE : FATE_OUTLIVED;
		/* A join or detach may be among the records that are missing, or still to come. */
		return t->detached || t->busy_ns > t->end.time_ns || w->lossy || !t->create.thread
			       ? FATE_FINE
			       : FATE_FINISHED;
	}
	if (is_idle(w, thread))
		return FATE_FINE;
	if (w->party[thread].kind != TRACE_WAIT_NONE && is_pythons(process, t))
		return fate_of_pythons(w, thread);
	if (w->party[thread].kind != TRACE_WAIT_NONE)
		return t->detached ? FATE_FINE : fate_of_blocked(l, thread);
	return is_kept_by_runtime(process, creation_stack(w, thread)) || is_pythons(process, t)
		       ? FATE_FINE
		       : FATE_RUNNING;
}

static void find_fates(struct leak *l)
{
	const struct wait_world *w = l->r->w;

	l->fate = allocate(w->thread_count, 1);
	l->joining = allocate(w->thread_count, 1);
	for (uint32_t id = 1; id < w->thread_count; id++) {
		const struct wait_party *p = &w->party[id];

		if (p->kind == TRACE_WAIT_JOIN && p->status >= WAIT_RUNNING &&
		    p->other < w->thread_count && w->party[p->other].status == WAIT_FINISHED)
			l->joining[p->other] = 1;
	}
	for (uint32_t id = 1; id < w->thread_count; id++)
		l->fate[id] = (uint8_t)fate_of(l, id);
}

/* ---- groups ---- */

struct group {
	enum fate fate;
	uint32_t key; /* creation stack, or stack of the wait */
	uint32_t key2;
	uint32_t first, count;
	uint32_t thread[SHOWN_THREADS];
};

static void print_subject(FILE *out, const struct group *g, const char *one, const char *several)
{
	if (g->count == 1)
		fprintf(out, "{thread:%u} %s", g->first, one);
	else
		fprintf(out, "%u threads %s", g->count, several);
}

static const char *make_title(const struct leak *l, const struct group *g)
{
	struct story_text text;

	story_text_begin(&text);
	fputs("Leaked thread: ", text.out);
	switch (g->fate) {
	case FATE_FINISHED:
		print_subject(text.out, g, "finished and was never joined nor detached",
			      "finished and were never joined nor detached");
		break;
	case FATE_BLOCKED:
		story_print_wait(text.out, l->r->w, g->first, story_wait_node(l->r->w, g->first));
		fputs(" at exit and nobody can wake it", text.out);
		if (g->count > 1)
			fprintf(text.out, "; so do %u more", g->count - 1);
		break;
	case FATE_RUNNING:
		print_subject(text.out, g, "was still running at exit",
			      "were still running at exit");
		break;
	case FATE_OUTLIVED:
		print_subject(text.out, g, "finished after main returned",
			      "finished after main returned");
		break;
	case FATE_FINE:
	case FATE_COUNT:
		break;
	}
	return story_text_take(&text, l->r->a);
}

static const char *make_message(const struct leak *l, const struct group *g)
{
	const struct wait_world *w = l->r->w;
	struct story_text text;

	story_text_begin(&text);
	switch (g->fate) {
	case FATE_FINISHED:
		print_subject(text.out, g, "ended", "ended");
		fputs(", but its stack and result are kept until somebody joins or detaches it.",
		      text.out);
		break;
	case FATE_BLOCKED: {
		uint32_t node = story_wait_node(w, g->first);

		story_print_wait(text.out, w, g->first, node);
		if (node && !wait_node_is_thread(w, node)) {
			const struct wait_target *t = wait_world_get_target(w, node);

			if (t->side != WAIT_SIDE_OPEN && t->dead)
				fprintf(text.out, ", held by {thread:%u}, which has ended",
					t->dead);
			else if (t->side != WAIT_SIDE_OPEN && w->exit_thread &&
				 model_find_held(model_get_thread(w->model, w->exit_thread),
						 t->object))
				fprintf(text.out, ", held by {thread:%u}, which called exit",
					w->exit_thread);
		}
		fputs(". When the process exited, no thread was left that could wake it.",
		      text.out);
		break;
	}
	case FATE_RUNNING:
		print_subject(text.out, g, "was at work when main returned",
			      "were at work when main returned");
		fputs(": the end of the process cut it off, and until then it could use what exit handlers already destroyed.",
		      text.out);
		break;
	case FATE_OUTLIVED:
		print_subject(text.out, g, "ended", "ended");
		fputs(" while exit handlers and static destructors ran, and could use what these destroy.",
		      text.out);
		break;
	case FATE_FINE:
	case FATE_COUNT:
		break;
	}
	return story_text_take(&text, l->r->a);
}

/* Who holds the lock that the thread wants: it explains the wait. */
static void add_holder(struct leak *l, struct finding *f, uint32_t thread)
{
	const struct wait_world *w = l->r->w;
	uint32_t node = story_wait_node(w, thread), holder;
	const struct wait_target *t;

	if (!node || wait_node_is_thread(w, node))
		return;
	t = wait_world_get_target(w, node);
	holder = t->dead ? t->dead : w->exit_thread;
	if (t->side != WAIT_SIDE_OPEN && holder)
		story_add_hold(l->r, f, holder, t->object);
}

static void report_group(struct leak *l, const struct group *g)
{
	static const enum confidence confidences[FATE_COUNT] = {
		[FATE_FINISHED] = CONFIDENCE_OBSERVED,
		[FATE_BLOCKED] = CONFIDENCE_OBSERVED,
		[FATE_RUNNING] = CONFIDENCE_HINT,
		[FATE_OUTLIVED] = CONFIDENCE_HINT,
	};
	struct wait_world *w = l->r->w;
	uint32_t shown = g->count < SHOWN_THREADS ? g->count : SHOWN_THREADS;
	struct finding *f = analysis_begin(l->r->a, RULE_LEAKED_THREAD, confidences[g->fate]);

	for (uint32_t i = 0; i < shown; i++)
		analysis_add_thread(l->r->a, f, g->thread[i]);
	if (g->fate == FATE_BLOCKED) {
		story_add_wait(l->r, f, g->first, story_wait_node(w, g->first));
		add_holder(l, f, g->first);
	}
	if (creation_stack(w, g->first)) {
		const struct model_thread *t = model_get_thread(w->model, g->first);

		/* The creator is no party of the leak: only its stack is. */
		analysis_add_stack(l->r->a, f, ROLE_CREATES, g->first, 0,
				   creation_stack(w, g->first), t->create.time_ns, NULL, 0);
	}
	f->count = g->count;
	f->title = make_title(l, g);
	f->message = make_message(l, g);
	analysis_commit(l->r->a, f);
}

struct sortable {
	uint32_t fate, key, key2, thread;
};

static int compare(const void *x, const void *y)
{
	const struct sortable *a = x, *b = y;

	if (a->fate != b->fate)
		return a->fate < b->fate ? -1 : 1;
	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	if (a->key2 != b->key2)
		return a->key2 < b->key2 ? -1 : 1;
	return a->thread < b->thread ? -1 : a->thread > b->thread;
}

static void report_groups(struct leak *l)
{
	const struct wait_world *w = l->r->w;
	struct sortable *all = allocate(w->thread_count, sizeof(*all));
	size_t count = 0;

	for (uint32_t id = 1; id < w->thread_count; id++) {
		if (l->fate[id] == FATE_FINE)
			continue;
		all[count] = (struct sortable){ .fate = l->fate[id],
						.key = creation_stack(w, id),
						.thread = id };
		if (l->fate[id] == FATE_BLOCKED) {
			all[count].key = w->party[id].stack;
			all[count].key2 = w->party[id].kind;
		}
		count++;
	}
	qsort(all, count, sizeof(*all), compare);
	for (size_t i = 0; i < count;) {
		struct group g = { .fate = all[i].fate,
				   .key = all[i].key,
				   .key2 = all[i].key2,
				   .first = all[i].thread };

		for (; i < count && all[i].fate == (uint32_t)g.fate && all[i].key == g.key &&
		       all[i].key2 == g.key2;
		     i++) {
			if (g.count < SHOWN_THREADS)
				g.thread[g.count] = all[i].thread;
			g.count++;
		}
		report_group(l, &g);
	}
	free(all);
}

void thread_leak_report(struct wait_report *r)
{
	struct leak l = { .r = r };

	if (r->w->exit_kind != TRACE_EXIT_DESTRUCTORS || !analysis_wants(r->a, RULE_LEAKED_THREAD))
		return;
	find_fates(&l);
	report_groups(&l);
	free(l.fate);
	free(l.joining);
}
