/* SPDX-License-Identifier: MIT */
/*
 * pool_worker.c - rule stuck-wait for multiprocessing.Pool: a worker was ended by a signal, or ended itself, while it had a job, and a thread
 * waits for a result that never comes.
 *
 * The pool makes another worker in its place, and knows nothing of the job: map() and get() wait for ever. All else looks healthy, each thread
 * may be woken by the next result, so that no other rule speaks. The parent's trace says which process was a worker and how it ended, the worker's
 * own where it stood then: one that waited for its next job takes none with it, but the lock of the queue if it was the one that read.
 * Where a fork server makes the workers, it knows how they ended, and each worker's own trace that it was one.
 * concurrent.futures sees such an end and raises BrokenProcessPool.
 */
#include "../checker.h"
#include "../fork_server.h"
#include "../signal_name.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_WORKERS = 4096, POOL_THREADS = 3 };

struct worker {
	uint32_t pid;
	struct model_site forked;
	uint32_t parent; /* process id */
	uint32_t pool; /* whose: 1, 2 …; 0 = it took the place of another one, or is a server's */
	uint64_t ended_ns; /* as far as its parent knew */
	int32_t status;	   /* of its end; 0 = it lives, or has done all that it was to do */
};

struct pool_worker {
	struct worker *worker; /* owned */
	size_t count, capacity;
	struct model_site made;	      /* the first worker of the newest pool */
	uint32_t pools, threads_made; /* the latter by pools that are made, POOL_THREADS each */
	bool is_making; /* the newest pool makes its workers; then it starts threads */
};

static void *pool_worker_begin(struct analysis *a)
{
	struct pool_worker *s = calloc(1, sizeof(*s));

	(void)a;
	if (!s)
		abort();
	return s;
}

static void pool_worker_release(void *state)
{
	struct pool_worker *s = state;

	free(s->worker);
	free(s);
}

static bool ends_with(const char *text, const char *end)
{
	size_t bytes = text ? strlen(text) : 0, need = strlen(end);

	return bytes >= need && strcmp(text + bytes - need, end) == 0;
}

/* The last part of a dotted name. */
static bool is_function(const struct trace_code_place *place, const char *name)
{
	const char *dot = place->function ? strrchr(place->function, '.') : NULL;

	return place->function && strcmp(dot ? dot + 1 : place->function, name) == 0;
}

/* A function of this file of Python's library is on the stack; `names` NULL = any. */
static bool passes(const struct trace_process *p, uint32_t stack, const char *file,
		   const char *const *names)
{
	for (uint32_t i = 0; stack < p->stack_count && i < p->stacks[stack].frames; i++) {
		uint64_t n = p->stacks[stack].ip[i] - TF_PLACE;
		const struct trace_code_place *place = n < p->place_count ? &p->places[n] : NULL;

		if (!place || place->kind != TF_PLACE_LIBRARY || !ends_with(place->file, file))
			continue;
		for (size_t k = 0; names && names[k]; k++)
			if (is_function(place, names[k]))
				return true;
		if (!names)
			return true;
	}
	return false;
}

#define POOL_FILE "multiprocessing/pool.py"
static const char *const making[] = { "__init__", NULL };
static const char *const waiting[] = { "get", "wait", "next", "join", NULL };
static const char *const ending[] = { "_terminate_pool", "_help_stuff_finish", NULL };

/* ---- events ---- */

static void add_worker(struct pool_worker *s, const struct worker *w)
{
	if (s->count == s->capacity) {
		s->capacity = s->capacity ? 2 * s->capacity : 16;
		s->worker = reallocarray(s->worker, s->capacity, sizeof(*s->worker));
		if (!s->worker)
			abort();
	}
	s->worker[s->count++] = *w;
}

static void on_fork(struct pool_worker *s, const struct analysis *a,
		    const struct trace_event *event)
{
	struct worker w = { .pid = (uint32_t)event->arg,
			    .parent = a->process->pid,
			    .forked = { event->thread, event->stack, event->time_ns } };

	if (!passes(a->process, event->stack, POOL_FILE, NULL) || s->count == MAX_WORKERS)
		return;
	if (passes(a->process, event->stack, POOL_FILE, making)) {
		if (!s->is_making) {
			s->pools++;
			s->made = w.forked;
		}
		s->is_making = true;
		w.pool = s->pools;
	}
	add_worker(s, &w);
}

/* A pool that has its workers by now starts threads of its own. */
static void on_create(struct pool_worker *s, const struct trace_event *event)
{
	if (!s->pools)
		s->made = (struct model_site){ event->thread, event->stack, event->time_ns };
	s->threads_made++;
	s->is_making = false;
}

static void on_reap(struct pool_worker *s, const struct trace_event *event)
{
	if (event->result <= 0 || event->result > UINT16_MAX || (event->result & 0x7f) == 0x7f)
		return;
	for (size_t i = s->count; i-- > 0;)
		if (s->worker[i].pid == event->arg && !s->worker[i].status) {
			s->worker[i].status = event->result;
			s->worker[i].ended_ns = event->time_ns;
			return;
		}
}

static void pool_worker_on_event(void *state, struct analysis *a, const struct trace_event *event,
				 const struct model_step *step)
{
	struct pool_worker *s = state;

	(void)step;
	if (!a->process->runtime)
		return;
	if (event->op == TRACE_FORK || event->op == TRACE_SPAWN)
		on_fork(s, a, event);
	else if (event->op == TRACE_REAP)
		on_reap(s, event);
	else if (passes(a->process, event->stack, POOL_FILE, making))
		on_create(s, event);
}

/* ---- the end ---- */

/* A thread of the program that waits in a pool's function, without a limit of time; NULL = none. */
static const struct trace_wait_state *find_wait(const struct analysis *a)
{
	const struct trace_process *p = a->process;

	for (size_t i = 1; i < a->model->thread_count; i++) {
		const struct model_thread *t = model_get_thread(a->model, (uint32_t)i);
		const struct trace_wait_state *w = t ? model_get_wait(a->model, t->id) : NULL;

		if (w && t->state == MODEL_THREAD_RUNNING && w->wait.kind != TRACE_WAIT_NONE &&
		    !(w->wait.mode & TRACE_MODE_TIMED) &&
		    passes(p, w->wait.stack, POOL_FILE, waiting) &&
		    !passes(p, w->wait.stack, POOL_FILE, ending))
			return w;
	}
	return NULL;
}

enum stood {
	STOOD_UNKNOWN,
	STOOD_AT_WORK,
	STOOD_IDLE,
	STOOD_READING, /* the next job, with the lock of the queue */
};

/* The newest image of the worker; NULL = it is not in the trace. */
static const struct trace_process *process_of(const struct analysis *a, const struct worker *worker,
					      size_t *ret_image)
{
	size_t count = a->forks ? trace_reader_process_count(a->forks->reader) : 0;

	while (count-- > 0) {
		const struct trace_process *p = trace_reader_get_process(a->forks->reader, count);

		if (p->pid == worker->pid && p->ppid == worker->parent) {
			*ret_image = count;
			return p;
		}
	}
	return NULL;
}

/* Where the worker's main thread stood when it was ended. */
static enum stood where_it_stood(const struct analysis *a, const struct worker *worker,
				 size_t *ret_image, const struct trace_wait_state **ret_wait)
{
	static const char *const getting[] = { "get", NULL };
	const struct trace_process *p = process_of(a, worker, ret_image);

	if (!p)
		return STOOD_UNKNOWN;
	for (size_t i = 0; i < p->wait_count; i++) {
		const struct trace_wait_state *w = &p->waits[i];

		if (w->thread != 1)
			continue;
		*ret_wait = w->wait.kind != TRACE_WAIT_NONE ? w : NULL;
		if (!*ret_wait || !passes(p, w->wait.stack, "multiprocessing/queues.py", getting) ||
		    !passes(p, w->wait.stack, POOL_FILE, (const char *const[]){ "worker", NULL }))
			return STOOD_AT_WORK;
		return w->wait.kind == TRACE_WAIT_CALL ? STOOD_READING : STOOD_IDLE;
	}
	return STOOD_UNKNOWN;
}

static void report(const struct pool_worker *s, struct analysis *a, const struct worker *killed,
		   const struct trace_wait_state *waits)
{
	const struct trace_wait_state *last = NULL;
	size_t image = 0;
	enum stood stood = where_it_stood(a, killed, &image, &last);
	char buffer[SIGNAL_NAME_BYTES];
	const char *how;
	struct finding *f;

	if (stood == STOOD_UNKNOWN || stood == STOOD_IDLE)
		return;
	f = analysis_begin(a, RULE_STUCK_WAIT, CONFIDENCE_OBSERVED);
	analysis_add_stack(a, f, ROLE_WAITS, waits->thread, waits->wait.object, waits->wait.stack,
			   waits->since_ns, NULL, 0);
	analysis_add_stack(a, f, ROLE_CREATES, 0, 0, s->made.stack, s->made.time_ns, NULL, 0)
		->note = "the pool was made here";
	if (last && stood == STOOD_AT_WORK) {
		struct finding_stack *where =
			analysis_add_stack(a, f, ROLE_BLOCKS, 0, 0, 0, last->since_ns, NULL, 0);

		where->process = image;
		where->stack = last->wait.stack;
		where->beside = true;
		where->note = "what the worker was in when it was ended";
	}
	how = killed->status & 0x7f
		      ? analysis_printf(a, "signal %s ended it",
					signal_name((unsigned)killed->status & 0x7f, buffer))
		      : analysis_printf(a, "it ended with status %d", killed->status >> 8);
	f->title = analysis_printf(
		a, "{thread:%u} waits for a pool that lost a worker: %s %s", waits->thread, how,
		stood == STOOD_AT_WORK ? "while it had a job"
				       : "while it held the lock of the queue of jobs");
	f->message = analysis_printf(
		a,
		"%s. Process %u was a worker of the pool. The pool put another in its place, and does not know that the job is lost: "
		"its result never comes%s. Find out what ended it (for lack of memory the system kills), let what waits have a limit of time,"
		" or use concurrent.futures.ProcessPoolExecutor, which raises BrokenProcessPool.",
		f->title, killed->pid,
		stood == STOOD_AT_WORK ? "" : ", and nobody else gets one out of the queue");
	analysis_commit(a, f);
}

static bool is_told(const struct analysis *a, uint32_t thread)
{
	for (size_t i = 0; i < finding_list_count(a->findings); i++) {
		const struct finding *f = finding_list_get(a->findings, i);

		if ((f->rule == RULE_DEADLOCK || f->rule == RULE_STUCK_WAIT) &&
		    f->process == a->process_index && finding_find_thread(f, thread))
			return true;
	}
	return false;
}

/* The result was asked for before: of a job that was lost earlier somebody else may have had enough. */
static bool was_asked_before(const struct analysis *a, const struct trace_wait_state *w,
			     uint64_t time_ns)
{
	const struct trace_process *p = a->process;
	uint32_t object = w->wait.object;

	return w->wait.kind == TRACE_WAIT_JOIN || w->since_ns <= time_ns ||
	       (object < p->object_count && p->objects[object].time_ns <= time_ns);
}

static bool is_served(const struct trace_process *p, uint32_t stack)
{
	return passes(p, stack, "multiprocessing/forkserver.py",
		      (const char *const[]){ "main", NULL });
}

static bool is_pool_worker(const struct trace_process *p)
{
	for (uint32_t i = 1; i < p->stack_count; i++)
		if (passes(p, i, POOL_FILE, (const char *const[]){ "worker", NULL }))
			return true;
	return false;
}

/* Workers of the only pool that a fork server made. */
static void add_served(struct pool_worker *s, const struct analysis *a)
{
	struct server_child end[64];
	size_t ends, image;

	if (!a->forks || !s->threads_made || s->threads_made > POOL_THREADS)
		return;
	ends = fork_server_ends(a->forks, a->process_index, is_served, end,
				sizeof(end) / sizeof(end[0]));
	for (size_t i = 0; i < ends; i++) {
		struct worker w = { .pid = end[i].pid,
				    .parent = end[i].server,
				    .status = end[i].status,
				    .ended_ns = end[i].ended_ns };
		const struct trace_process *p = process_of(a, &w, &image);

		if (end[i].status <= UINT16_MAX && (end[i].status & 0x7f) != 0x7f && p &&
		    is_pool_worker(p))
			add_worker(s, &w);
	}
}

static void pool_worker_finish(void *state, struct analysis *a)
{
	struct pool_worker *s = state;
	const struct trace_wait_state *waits = NULL;

	if (!s->made.stack || a->model->exit_kind || !analysis_wants(a, RULE_STUCK_WAIT))
		return;
	waits = find_wait(a);
	if (waits)
		add_served(s, a);
	for (size_t i = 0; i < s->count && waits; i++) {
		/* Of several pools the newest: an older one may be over, with what was asked of it. */
		if (s->worker[i].status &&
		    s->worker[i].pool == (s->pools > 1 ? s->pools : s->worker[i].pool) &&
		    was_asked_before(a, waits, s->worker[i].ended_ns) && !is_told(a, waits->thread))
			report(s, a, &s->worker[i], waits);
	}
}

#define OP(op) CHECKER_OP(TRACE_##op)

const struct checker checker_pool_worker = {
	.name = "pool_worker",
	.consumes = OP(FORK) | OP(SPAWN) | OP(REAP) | OP(CREATE),
	.begin = pool_worker_begin,
	.on_event = pool_worker_on_event,
	.finish = pool_worker_finish,
	.release = pool_worker_release,
};
