/* SPDX-License-Identifier: MIT */
/*
 * run_feed.c - the events of all images that take part, in run time, in the ids of the united
 * process. Follows who forked, reaped and replaced whom.
 *
 * Images are opened when their time comes, so that a run of many short processes keeps few files
 * open.
 */
#include "run_union.h"

#include <stdlib.h>
#include <string.h>

/* One image being read. */
struct source {
	struct trace_pass *pass;
	struct trace_event event; /* next */
	uint32_t image;
};

/* Children of the run whose pid no image of the trace has. */
struct strangers {
	uint32_t *pid; /* owned */
	uint32_t count, capacity;
};

struct feed {
	struct run_union *u;
	struct trace_reader *reader;
	const struct run_sink *sink;
	struct source *heap; /* owned; by time, then image */
	uint32_t heap_count;
	uint32_t opened; /* images from here on have not begun */
	struct strangers strangers;
	uint8_t *initialised; /* by object: an INIT came; owned */
	/* by base + local object: thread that took the file lock for its process; owned */
	uint32_t *taker;
};

static void *allocate(size_t count, size_t element_bytes)
{
	void *memory = calloc(count ? count : 1, element_bytes);

	if (!memory)
		abort();
	return memory;
}

/* ---- ids ---- */

static uint32_t thread_of(const struct run_process *p, uint64_t local)
{
	return local && local < p->process->thread_count ? p->first_thread + (uint32_t)local : 0;
}

static uint32_t object_of(const struct run_process *p, uint32_t local)
{
	return local < p->process->object_count ? p->object_of[local] : 0;
}

static bool argument_is_thread(unsigned op)
{
	switch (op) {
	case TRACE_THREAD_BEGIN:
	case TRACE_CREATE:
	case TRACE_CREATE_FAILED:
	case TRACE_JOIN:
	case TRACE_DETACH:
	case TRACE_CANCEL:
	case TRACE_NAME:
	case TRACE_RELEASE_ODD:
	case TRACE_HAND_OVER:
	case TRACE_OF:
		return true;
	default: /* any byte of a file */
		return false;
	}
}

static void translate(const struct run_process *p, struct trace_event *e)
{
	e->thread = thread_of(p, e->thread);
	e->stream = UINT32_MAX; /* streams are of no interest here: threads keep their names */
	e->object = object_of(p, e->object);
	e->other = e->op == TRACE_REQUEST ? thread_of(p, e->other) : object_of(p, e->other);
	e->stack = e->stack && e->stack < p->process->stack_count ? p->first_stack + e->stack : 0;
	if (argument_is_thread(e->op) && e->arg != UINT64_MAX)
		e->arg = thread_of(p, e->arg);
}

/* ---- children ---- */

/* The newest image of `pid` in the whole trace, NULL = none. */
static const struct trace_process *find_image(const struct feed *f, uint32_t pid)
{
	for (size_t i = trace_reader_process_count(f->reader); i-- > 0;)
		if (trace_reader_get_process(f->reader, i)->pid == pid)
			return trace_reader_get_process(f->reader, i);
	return NULL;
}

static void add_child(struct feed *f, uint32_t pid)
{
	struct strangers *s = &f->strangers;
	const struct trace_process *image = find_image(f, pid);

	/* One that exec'd something that cannot be traced is a stranger from then on. */
	if (!pid || (image && image->exit_kind != TRACE_EXIT_EXEC))
		return;
	if (s->count == s->capacity) {
		s->capacity = s->capacity ? 2 * s->capacity : 16;
		s->pid = reallocarray(s->pid, s->capacity, sizeof(*s->pid));
		if (!s->pid)
			abort();
	}
	s->pid[s->count++] = pid;
}

static void remove_child(struct feed *f, uint32_t pid)
{
	struct strangers *s = &f->strangers;

	for (uint32_t i = 0; i < s->count; i++)
		if (s->pid[i] == pid)
			s->pid[i--] = s->pid[--s->count];
}

/* All that the child did is before what its parent does now. */
static void join_child(struct feed *f, const struct trace_event *reap, uint32_t pid)
{
	struct run_processes *run = &f->u->run;

	for (uint32_t i = 0; i < f->opened; i++) {
		struct run_process *p = &run->process[i];

		if (p->process->pid != pid || p->reaped)
			continue;
		p->reaped = true;
		for (uint32_t t = 1; t < p->process->thread_count; t++) {
			struct trace_event join = *reap;

			join.op = TRACE_JOIN;
			join.arg = p->first_thread + t;
			join.result = 0;
			f->sink->event(f->sink->cookie, &join);
		}
	}
}

/* A wait status that says the process is over, not stopped nor continued. */
static bool is_over(int32_t status)
{
	return status >= 0 && (status & 0x7f) != 0x7f && status != 0xffff;
}

/* United thread `by` makes the main thread of image `child`. */
static void create_child(struct feed *f, uint32_t child, uint32_t by, uint32_t stack,
			 uint64_t time_ns)
{
	struct trace_event create = { .op = TRACE_CREATE,
				      .stream = UINT32_MAX,
				      .thread = by,
				      .stack = stack,
				      .arg = run_main_thread(&f->u->run, child),
				      .time_ns = time_ns };

	f->u->run.process[child].created = true;
	if (by)
		f->sink->event(f->sink->cookie, &create);
}

/* fork came back in the parent: the child that has not begun yet comes after this moment. */
static void note_fork(struct feed *f, uint32_t parent, const struct trace_event *local,
		      const struct trace_event *e)
{
	struct run_processes *run = &f->u->run;

	add_child(f, (uint32_t)local->arg);
	for (uint32_t i = 0; i < run->count; i++)
		if (run->process[i].process->pid == local->arg &&
		    run->process[i].parent == parent && !run->process[i].created) {
			create_child(f, i, e->thread, e->stack, e->time_ns);
			return;
		}
}

/* It was made by the thread that is about to fork, or by the one that called exec. */
static void begin_image(struct feed *f, uint32_t image)
{
	struct run_processes *run = &f->u->run;
	struct run_process *p = &run->process[image];
	const struct run_process *parent;

	for (uint32_t i = image; i-- > 0;)
		if (run->process[i].successor == image) {
			const struct run_process *before = &run->process[i];
			uint32_t by = before->exit_thread ? before->exit_thread : 1;

			create_child(f, image, thread_of(before, by), 0, p->start_ns);
			return;
		}
	if (p->created || p->parent == RUN_NO_PROCESS)
		return;
	parent = &run->process[p->parent];
	if (parent->fork_thread)
		create_child(f, image, thread_of(parent, parent->fork_thread), parent->fork_stack,
			     p->start_ns);
}

/* ---- one event ---- */

/*
 * Mappings, and the objects in them, go away in one process only; what is opened twice is told to
 * be initialised twice.
 */
static bool is_local_end(struct feed *f, const struct trace_event *e)
{
	const struct trace_object *o = e->object ? &f->u->process.objects[e->object] : NULL;

	if (!o || !o->identity)
		return false;
	if (e->op == TRACE_GONE || e->op == TRACE_DESTROY)
		return true;
	if (e->op != TRACE_INIT || e->result != 0)
		return false;
	if (f->initialised[e->object] && o->name)
		return true;
	f->initialised[e->object] = 1;
	return false;
}

/* `action`: signal << 2 | 2 for a handler. */
static void note_handler(struct run_process *p, int32_t action)
{
	uint64_t bit = action >= 4 && action >> 2 <= 64 ? UINT64_C(1) << ((action >> 2) - 1) : 0;

	p->handlers = (action & 3) == 2 ? p->handlers | bit : p->handlers & ~bit;
}

/* Events about processes. True = not for the model. */
static bool follow_process(struct feed *f, struct run_process *p, const struct trace_event *local,
			   const struct trace_event *e)
{
	switch (local->op) {
	case TRACE_FORK_BEGIN:
		p->fork_thread = local->thread;
		p->fork_stack = e->stack;
		return true;
	case TRACE_FORK:
		p->fork_thread = 0;
		note_fork(f, (uint32_t)(p - f->u->run.process), local, e);
		return true;
	case TRACE_SPAWN:
		if (local->result == 0)
			note_fork(f, (uint32_t)(p - f->u->run.process), local, e);
		return true;
	case TRACE_SIGNAL_ACTION:
		note_handler(p, local->result);
		return false;
	case TRACE_REAP:
		if (!local->arg || !is_over(local->result))
			return true;
		remove_child(f, (uint32_t)local->arg);
		join_child(f, e, (uint32_t)local->arg);
		return true;
	case TRACE_PROCESS_EXIT:
		p->exit_thread = local->thread;
		return true;
	case TRACE_EXEC:
		if (local->result == 0)
			p->exit_thread = local->thread;
		return true;
	default: /* any byte of a file */
		return false;
	}
}

/* A file lock is the process's: whichever thread lets go, what one of them took is over. */
static void follow_file_lock(struct feed *f, const struct run_process *p, uint32_t local,
			     struct trace_event *e)
{
	uint32_t *taker = &f->taker[p->first_object + local];

	switch (e->op) {
	case TRACE_ACQUIRE:
	case TRACE_ACQUIRE_SHARED:
	case TRACE_ACQUIRE_TRY:
	case TRACE_ACQUIRE_TRY_SHARED:
	case TRACE_ACQUIRE_TIMED:
	case TRACE_ACQUIRE_TIMED_SHARED:
		*taker = e->thread;
		break;
	case TRACE_RELEASE:
		if (*taker)
			e->thread = *taker;
		*taker = 0;
		break;
	default: /* any byte of a file */
		break;
	}
}

/* Tasks and loops are a matter of each process, and their numbers are its own. */
static bool is_about_tasks(unsigned op)
{
	return op == TRACE_TASK || (op >= TRACE_TASK_NEW && op <= TRACE_WOKEN);
}

static void give(struct feed *f, const struct source *s)
{
	struct run_process *p = &f->u->run.process[s->image];
	struct trace_event e = s->event;

	if (is_about_tasks(e.op))
		return;
	translate(p, &e);
	if (!e.thread || follow_process(f, p, &s->event, &e) || is_local_end(f, &e))
		return;
	if (e.object && f->u->process.objects[e.object].kind == TRACE_OBJECT_FILE_LOCK)
		follow_file_lock(f, p, s->event.object, &e);
	/* What is counted says so in a bit: see run_tables.c. */
	if (e.op == TRACE_INIT && e.object && f->u->process.objects[e.object].identity &&
	    f->u->process.objects[e.object].identity->space == TF_IDENTITY_SYSV_SEM)
		e.arg &= 0xffffu;
	else if (e.op == TRACE_INIT && e.object && f->u->process.objects[e.object].identity)
		e.arg &= f->u->process.objects[e.object].kind == TRACE_OBJECT_SEM ||
					 f->u->process.objects[e.object].kind ==
						 TRACE_OBJECT_BARRIER
				 ? ~(uint64_t)TF_COUNT_SHARED
				 : ~(uint64_t)TF_PSHARED;
	f->sink->event(f->sink->cookie, &e);
}

/* ---- side by side ---- */

static bool comes_before(const struct source *a, const struct source *b)
{
	return a->event.time_ns != b->event.time_ns ? a->event.time_ns < b->event.time_ns
						    : a->image < b->image;
}

static void sift_down(struct feed *f)
{
	struct source moving = f->heap[0];
	uint32_t at = 0;

	for (;;) {
		uint32_t child = 2 * at + 1;

		if (child + 1 < f->heap_count && comes_before(&f->heap[child + 1], &f->heap[child]))
			child++;
		if (child >= f->heap_count || !comes_before(&f->heap[child], &moving))
			break;
		f->heap[at] = f->heap[child];
		at = child;
	}
	f->heap[at] = moving;
}

static void push(struct feed *f, const struct source *s)
{
	uint32_t at = f->heap_count++;

	while (at && comes_before(s, &f->heap[(at - 1) / 2])) {
		f->heap[at] = f->heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	f->heap[at] = *s;
}

static int open_next(struct feed *f, struct diag *diag)
{
	struct source s = { .image = f->opened };
	int error = trace_pass_new(f->reader, f->u->run.process[s.image].index, &s.pass, diag);

	if (error)
		return error;
	begin_image(f, f->opened++);
	if (trace_pass_next(s.pass, &s.event))
		push(f, &s);
	else
		trace_pass_free(s.pass);
	return 0;
}

static int run(struct feed *f, struct diag *diag)
{
	int error = 0;

	for (;;) {
		while (!error && f->opened < f->u->run.count &&
		       (!f->heap_count ||
			f->u->run.process[f->opened].start_ns <= f->heap[0].event.time_ns))
			error = open_next(f, diag);
		if (error || !f->heap_count)
			return error;
		give(f, &f->heap[0]);
		if (!trace_pass_next(f->heap[0].pass, &f->heap[0].event)) {
			trace_pass_free(f->heap[0].pass);
			f->heap[0] = f->heap[--f->heap_count];
		}
		if (f->heap_count)
			sift_down(f);
	}
}

/* ---- what became of them ---- */

static bool has_wait(const struct trace_process *p, uint32_t thread)
{
	for (size_t i = 0; i < p->wait_count; i++)
		if (p->waits[i].thread == thread && p->waits[i].wait.kind != TRACE_WAIT_NONE)
			return true;
	return false;
}

static void settle(struct feed *f)
{
	struct run_processes *run = &f->u->run;

	for (uint32_t i = 0; i < run->count; i++) {
		struct run_process *p = &run->process[i];
		uint32_t exit_kind = p->process->exit_kind;

		/* Past exit, unless an exit handler hangs. */
		p->ended = p->reaped || p->successor != RUN_NO_PROCESS ||
			   exit_kind == TRACE_EXIT_QUICK || exit_kind == TRACE_EXIT_EXEC ||
			   (exit_kind == TRACE_EXIT_DESTRUCTORS &&
			    !has_wait(p->process, p->exit_thread ? p->exit_thread : 1));
	}
	run->open = f->strangers.count > 0;
	for (uint32_t i = 0; i < run->count; i++) {
		const struct run_process *p = &run->process[i];

		/* What it exec'd could not be traced, and lives on. */
		if (p->process->exit_kind == TRACE_EXIT_EXEC && p->successor == RUN_NO_PROCESS &&
		    !p->reaped)
			run->open = true;
	}
}

/* A feed before this one left its marks. */
static void forget(struct run_processes *run)
{
	for (uint32_t i = 0; i < run->count; i++) {
		struct run_process *p = &run->process[i];

		p->exit_thread = p->fork_thread = p->fork_stack = 0;
		p->handlers = 0;
		p->ended = p->reaped = p->created = false;
	}
	run->open = false;
}

int run_union_feed(struct run_union *u, struct trace_reader *reader, const struct run_sink *sink,
		   struct diag *diag)
{
	struct feed f = { .u = u, .reader = reader, .sink = sink };
	int error;

	forget(&u->run);
	f.heap = allocate(u->run.count, sizeof(*f.heap));
	f.initialised = allocate(u->process.object_count, 1);
	f.taker = allocate(u->process.object_count, sizeof(*f.taker));
	error = run(&f, diag);
	settle(&f);
	while (f.heap_count)
		trace_pass_free(f.heap[--f.heap_count].pass);
	free(f.heap);
	free(f.initialised);
	free(f.taker);
	free(f.strangers.pid);
	return error;
}
