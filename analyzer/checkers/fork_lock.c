/* SPDX-License-Identifier: MIT */
/*
 * fork_lock.c - rule fork-with-lock-held: a child waits for a lock that was held at the fork, by a
 * thread that the child does not have or by itself before it was born.
 *
 * While the parent is analysed the checker writes down what is locked at each fork (fork_book.h).
 * Of a child that hangs at its end waits.c asks for locks that nobody in the child ever had: if one
 * was locked at the fork, that is why. So a handler of pthread_atfork that unlocks, or makes the
 * lock anew, is silent, and so is a child that keeps its hands off.
 *
 * Other threads run on between FORK_BEGIN and the fork itself: what is held at either end counts, and
 * of a lock that says it was locked the events between are looked at.
 */
#include "wait_story.h"

#include <stdlib.h>
#include <string.h>

/* A fork under way. */
struct pending {
	struct fork_page page;
	uint32_t capacity;
};

struct fork_watch {
	struct pending *pending; /* owned; by thread, in order of their forks */
	uint32_t count, capacity;
};

/* ---- in the parent ---- */

static bool is_private(const struct analysis *a, const struct model_object *o)
{
	const struct trace_object *t = a->process->objects ? &a->process->objects[o->id] : NULL;
	uint32_t shared = o->kind == TRACE_OBJECT_SEM ? (uint32_t)TF_COUNT_SHARED
						      : (uint32_t)TF_PSHARED;

	return t && t->address && !t->identity && o->kind != TRACE_OBJECT_FILE_LOCK &&
	       o->kind != TRACE_OBJECT_LOADER &&
	       !((o->flags & MODEL_ATTRIBUTES) && (o->attributes & shared));
}

static bool has_address(const struct fork_page *page, uint64_t address)
{
	for (uint32_t i = 0; i < page->count; i++)
		if (page->lock[i].address == address)
			return true;
	return false;
}

static void add_lock(struct pending *p, const struct fork_lock *lock)
{
	struct fork_page *page = &p->page;

	if (page->count == FORK_BOOK_LOCKS || has_address(page, lock->address))
		return;
	if (page->count == p->capacity) {
		p->capacity = p->capacity ? 2 * p->capacity : 8;
		page->lock = reallocarray(page->lock, p->capacity, sizeof(*page->lock));
		if (!page->lock)
			abort();
	}
	page->lock[page->count++] = *lock;
}

static void add_holds(struct pending *p, const struct analysis *a, const struct model_thread *t)
{
	for (uint32_t i = 0; i < t->held_count; i++) {
		const struct model_held *h = &t->held[i];
		const struct model_object *o = model_get_object(a->model, h->object);
		struct fork_lock lock = { .since_ns = h->time_ns,
					  .process = a->process_index,
					  .kind = o->kind,
					  .thread = t->id,
					  .stack = h->stack,
					  .flags = h->flags,
					  .by_forker = t->id == p->page.thread };

		if (!is_private(a, o))
			continue;
		lock.address = a->process->objects[o->id].address;
		lock.tid = a->process->threads ? a->process->threads[t->id].tid : 0;
		add_lock(p, &lock);
	}
}

static void look_at_all(struct pending *p, const struct analysis *a)
{
	for (size_t i = 1; i < a->model->thread_count; i++)
		if (a->model->threads[i] && a->model->threads[i]->held_count)
			add_holds(p, a, a->model->threads[i]);
}

/* What was locked when this process was forked and untouched since is so in its child, too. */
static void add_inherited(struct pending *p, const struct analysis *a)
{
	const struct fork_page *own = fork_book_find(a->forks, a->process_index);

	for (uint32_t i = 0; own && i < own->count; i++) {
		bool touched = false;

		for (size_t k = 1; k < a->process->object_count && !touched; k++)
			touched = a->process->objects[k].address == own->lock[i].address &&
				  (a->model->objects[k].flags & MODEL_TOUCHED);
		if (!touched)
			add_lock(p, &own->lock[i]);
	}
}

static uint32_t find_pending(const struct fork_watch *w, uint32_t thread)
{
	uint32_t i = 0;

	while (i < w->count && w->pending[i].page.thread != thread)
		i++;
	return i;
}

static void drop_pending(struct fork_watch *w, uint32_t i)
{
	w->count--;
	memmove(&w->pending[i], &w->pending[i + 1], (w->count - i) * sizeof(*w->pending));
}

static void begin_fork(struct fork_watch *w, const struct analysis *a,
		       const struct trace_event *event)
{
	uint32_t i = find_pending(w, event->thread);

	if (i < w->count) { /* one that never came back */
		free(w->pending[i].page.lock);
		drop_pending(w, i);
	}
	if (w->count == w->capacity) {
		w->capacity = w->capacity ? 2 * w->capacity : 4;
		w->pending = reallocarray(w->pending, w->capacity, sizeof(*w->pending));
		if (!w->pending)
			abort();
	}
	w->pending[w->count] = (struct pending){ .page = { .parent = a->process_index,
							   .thread = event->thread,
							   .stack = event->stack,
							   .time_ns = event->time_ns } };
	look_at_all(&w->pending[w->count++], a);
}

static int compare_locks(const void *x, const void *y)
{
	const struct fork_lock *a = x, *b = y;

	return (a->address > b->address) - (a->address < b->address);
}

static void end_fork(struct fork_watch *w, const struct analysis *a, uint32_t i, uint32_t child,
		     uint64_t time_ns)
{
	struct pending *p = &w->pending[i];

	look_at_all(p, a);
	add_inherited(p, a);
	p->page.child = child;
	p->page.end_ns = time_ns;
	if (fork_book_is_wanted(a->forks, a->process_index, child)) {
		if (p->page.count)
			qsort(p->page.lock, p->page.count, sizeof(*p->page.lock), compare_locks);
		fork_book_add(a->forks, &p->page);
	} else {
		free(p->page.lock);
	}
	drop_pending(w, i);
}

static void *fork_lock_begin(struct analysis *a)
{
	struct fork_watch *w = calloc(1, sizeof(*w));

	(void)a;
	if (!w)
		abort();
	return w;
}

static void fork_lock_on_event(void *state, struct analysis *a, const struct trace_event *event,
			       const struct model_step *step)
{
	struct fork_watch *w = state;
	uint32_t i;

	(void)step;
	if (!a->forks)
		return;
	if (event->op == TRACE_FORK_BEGIN) {
		begin_fork(w, a, event);
		return;
	}
	i = find_pending(w, event->thread);
	if (i < w->count)
		end_fork(w, a, i, (uint32_t)event->arg, event->time_ns);
}

/* daemon() and vfork-like calls do not come back in the parent. */
static void fork_lock_finish(void *state, struct analysis *a)
{
	struct fork_watch *w = state;

	while (w->count)
		end_fork(w, a, w->count - 1, 0, w->pending[w->count - 1].page.time_ns);
}

static void fork_lock_release(void *state)
{
	struct fork_watch *w = state;

	for (uint32_t i = 0; i < w->count; i++)
		free(w->pending[i].page.lock);
	free(w->pending);
	free(w);
}

const struct checker checker_fork_lock = {
	.name = "fork_lock",
	.consumes = CHECKER_OP(TRACE_FORK_BEGIN) | CHECKER_OP(TRACE_FORK),
	.begin = fork_lock_begin,
	.on_event = fork_lock_on_event,
	.finish = fork_lock_finish,
	.release = fork_lock_release,
};

/* ---- in the child ---- */

/* Ids in the finding: it spans two processes. */
enum { WAITER = 1, HOLDER = 2, FORKER = 3, THE_LOCK = 1 };

/* Nobody in this process ever had it, nor made it anew. */
static bool is_untouched(const struct wait_world *w, const struct model_object *o)
{
	struct wait_touch touch = { .thread = { 0 } };

	if (o->owner || o->readers || (o->flags & (MODEL_INIT | MODEL_DESTROYED | MODEL_GONE)))
		return false;
	touch = w->history->touch[o->id];
	return !touch.thread[0] && !touch.many;
}

/* Its memory names an owner: then it is the one of the fork or nobody's business. */
static bool names_another(const struct trace_object *o, const struct fork_lock *lock)
{
	return o->was_locked && o->owner_tid && lock->tid && o->owner_tid != lock->tid;
}

/* The private lock that `thread` waits for now and that nobody here ever had; 0 = none. */
static uint32_t unexplained_lock(const struct wait_report *r, uint32_t thread)
{
	const struct trace_process *p = r->a->process;
	const struct trace_wait_state *slot = model_get_wait(r->w->model, thread);
	const struct model_object *o;

	if (!slot || (slot->wait.mode & TRACE_MODE_TIMED) ||
	    (slot->wait.kind != TRACE_WAIT_LOCK && slot->wait.kind != TRACE_WAIT_SEM))
		return 0;
	o = model_get_object(r->w->model, slot->wait.object);
	if (!o || !p->objects || r->w->party[thread].status < WAIT_RUNNING ||
	    !is_untouched(r->w, o) || p->objects[slot->wait.object].identity ||
	    !p->objects[slot->wait.object].address)
		return 0;
	return slot->wait.object;
}

/*
 * Was `object` locked at the fork, and by whom? A mutex says by itself whether it was locked when it
 * was first seen here.
 */
static bool find_ghost(const struct wait_report *r, const struct fork_page *page, uint32_t object,
		       struct fork_lock *ret_lock)
{
	const struct trace_object *o = &r->a->process->objects[object];
	const struct fork_lock *lock = fork_page_find(page, o->address);

	if (lock && lock->kind == o->kind && !names_another(o, lock)) {
		*ret_lock = *lock;
		return true;
	}
	if (!o->was_locked && o->kind == TRACE_OBJECT_MUTEX)
		return false;
	return fork_page_search(r->a->forks, page, o->address, o->owner_tid, ret_lock) &&
	       ret_lock->kind == o->kind;
}

/* "process 123 (worker)", "thread 3 of process 123 (worker)". */
static const char *label_of(struct wait_report *r, const struct trace_process *p, uint32_t thread)
{
	const char *name = p->threads && thread < p->thread_count ? p->threads[thread].name : NULL;
	char words[96];

	run_process_words(p, words, sizeof(words));
	if (thread == 1)
		return analysis_printf(r->a, "%s", words);
	if (name && *name)
		return analysis_printf(r->a, "thread %u \"%s\" of %s", thread, name, words);
	return analysis_printf(r->a, "thread %u of %s", thread, words);
}

static void add_thread(struct wait_report *r, struct finding *f, uint32_t id, size_t process,
		       uint32_t thread)
{
	const struct trace_process *p = trace_reader_get_process(r->a->forks->reader, process);
	struct finding_thread *t = finding_add_thread(r->a->findings, f, id);

	t->process = t->created_process = process;
	t->pid = p->pid;
	t->label = label_of(r, p, thread);
	if (!p->threads || thread >= p->thread_count)
		return;
	t->tid = p->threads[thread].tid;
	t->name = p->threads[thread].name;
	t->created_stack = p->threads[thread].stack;
}

static void add_lock_part(struct wait_report *r, struct finding *f, uint32_t object)
{
	const struct trace_object *o = &r->a->process->objects[object];
	struct finding_lock *l = finding_add_lock(r->a->findings, f, THE_LOCK);

	l->object = object;
	l->kind = o->kind;
	l->address = o->address;
	l->name = o->given_name;
	l->word = o->word;
	l->first_seen_stack = o->stack;
}

static struct finding_stack *add_stack(struct wait_report *r, struct finding *f,
				       enum stack_role role, uint32_t thread, uint32_t lock,
				       uint32_t stack, uint64_t time_ns, size_t process)
{
	struct finding_stack *s = finding_add_stack(r->a->findings, f, role, thread, lock, stack);

	s->process = process;
	s->time_ns = time_ns;
	return s;
}

static const char *title_of(struct wait_report *r, const struct fork_lock *lock)
{
	if (lock->by_forker)
		return analysis_printf(
			r->a,
			"{thread:%u} waits for {lock:%u}, which was locked by the thread that forked it",
			WAITER, THE_LOCK);
	return analysis_printf(r->a,
			       "{thread:%u} waits for {lock:%u}, held at the fork by {thread:%u}",
			       WAITER, THE_LOCK, HOLDER);
}

static const char *message_of(struct wait_report *r, const struct fork_lock *lock, uint32_t object,
			      bool forker_too)
{
	const struct trace_process *p = r->a->process;
	const char *ending =
		object < p->object_count && p->objects[object].word
			? "Take it around the fork with os.register_at_fork, fork before other threads are "
			  "started, or start the child by spawn or forkserver."
			: "Unlock it on both sides in handlers of pthread_atfork, fork before other threads are "
			  "started, or do nothing but exec in the child.";

	if (lock->by_forker)
		return analysis_printf(
			r->a,
			"{thread:%u} had {lock:%u} locked when it forked. The child has a copy of the locked lock "
			"and waits for it; nothing in the child unlocked it before. %s",
			HOLDER, THE_LOCK, ending);
	return analysis_printf(
		r->a,
		"{thread:%u} forked while {thread:%u} held {lock:%u}. The child has a copy of the lock, "
		"locked, and of the threads only the one that forked: the owner does not exist there, so "
		"nobody can ever unlock it. %s",
		forker_too ? FORKER : HOLDER, HOLDER, THE_LOCK, ending);
}

static void report(struct wait_report *r, const struct fork_page *page, uint32_t thread,
		   uint32_t object, const struct fork_lock *lock)
{
	struct analysis *a = r->a;
	struct finding *f;
	const struct wait_party *p = &r->w->party[thread];
	bool forker_too = page->parent != lock->process || page->thread != lock->thread;
	struct finding_stack *s;

	if (!analysis_wants(a, RULE_FORK_WITH_LOCK_HELD))
		return;
	f = analysis_begin(a, RULE_FORK_WITH_LOCK_HELD, CONFIDENCE_OBSERVED);
	add_thread(r, f, WAITER, a->process_index, thread);
	add_thread(r, f, HOLDER, lock->process, lock->thread);
	if (forker_too)
		add_thread(r, f, FORKER, page->parent, page->thread);
	add_lock_part(r, f, object);
	add_stack(r, f, ROLE_WAITS, WAITER, THE_LOCK, p->stack, p->since_ns, a->process_index);
	s = add_stack(r, f, ROLE_HOLDS, HOLDER, THE_LOCK, lock->stack, lock->since_ns,
		      lock->process);
	s->note = "at the fork";
	add_stack(r, f, ROLE_CREATES, WAITER, 0, page->stack, page->time_ns, page->parent)->note =
		"by fork";
	f->title = title_of(r, lock);
	f->message = message_of(r, lock, object, forker_too);
	analysis_commit(a, f);
}

unsigned fork_lock_report(struct wait_report *r)
{
	const struct fork_page *page =
		r->a->forks ? fork_book_find(r->a->forks, r->a->process_index) : NULL;
	struct fork_lock lock;
	uint32_t last = 0;
	unsigned found = 0;

	for (uint32_t id = 1; page && !r->w->exit_kind && id < r->w->thread_count; id++) {
		uint32_t object = unexplained_lock(r, id);

		if (!object || (object != last && !find_ghost(r, page, object, &lock)))
			continue;
		r->explained[id] = 1;
		found++;
		if (object != last) /* one finding for all that queue there */
			report(r, page, id, object, &lock);
		last = object;
	}
	return found;
}
