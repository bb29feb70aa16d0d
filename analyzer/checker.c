/* SPDX-License-Identifier: MIT */
/*
 * checker.c - the table of checkers and what they share when they build findings.
 */
#include "checker.h"

#include "../trace/trace_ops.h"
#include "model/model_loops.h"

#include <stdlib.h>
#include <string.h>

/* name of the object in its file: checker_NAME. Order: see checker.h. */
#define CHECKERS(ROW)       \
	ROW(fork_lock)      \
	ROW(waits)          \
	ROW(lock_order)     \
	ROW(declared_order) \
	ROW(join_order)     \
	ROW(lock_misuse)    \
	ROW(cond_misuse)    \
	ROW(barrier_misuse) \
	ROW(lock_leak)      \
	ROW(join_misuse)    \
	ROW(signal_lock)    \
	ROW(blocking_call)  \
	ROW(task_misuse)    \
	ROW(loop_stall)     \
	ROW(task_leak)      \
	ROW(task_fate)      \
	ROW(task_awaits)    \
	ROW(pool_worker)    \
	ROW(shared_state)   \
	ROW(races)          \
	ROW(memory_races)   \
	ROW(tsan_reports)   \
	ROW(contention)     \
	ROW(benign)

#define ROW(name) extern const struct checker checker_##name;
CHECKERS(ROW)
#undef ROW

const struct checker *const checker_table[] = {
#define ROW(name) &checker_##name,
	CHECKERS(ROW)
#undef ROW
		NULL,
};

bool analysis_wants(const struct analysis *a, enum rule rule)
{
	return !a->options || !(a->options->rules_off >> rule & 1);
}

struct finding *analysis_begin(struct analysis *a, enum rule rule, enum confidence confidence)
{
	return finding_begin(a->findings, rule, confidence, a->process_index);
}

static const char *label_in_run(struct analysis *a, uint32_t thread, const char *name, bool is_main)
{
	const struct run_process *p = &a->run->process[run_process_of_thread(a->run, thread)];
	uint32_t local = thread - p->first_thread;
	char process[96];

	run_process_words(p->process, process, sizeof(process));
	if (is_main || local == 1)
		return analysis_printf(a, "%s", process);
	if (name && *name)
		return analysis_printf(a, "thread %u \"%s\" of %s", local, name, process);
	return analysis_printf(a, "thread %u of %s", local, process);
}

const char *analysis_thread_label(struct analysis *a, uint32_t thread)
{
	const struct trace_process *p = a->process;
	const struct trace_thread *known =
		thread < p->thread_count && p->threads ? &p->threads[thread] : NULL;
	const char *name = known ? known->name : NULL;
	bool is_main = known && (known->flags & TF_THREAD_MAIN);

	if (a->run)
		return label_in_run(a, thread, name, is_main);
	if (is_main || thread == 1)
		return "main thread";
	if (name && *name)
		return analysis_printf(a, "thread %u \"%s\"", thread, name);
	return analysis_printf(a, "thread %u", thread);
}

/* Who runs it now; else 0. */
static uint32_t tid_of(const struct analysis *a, uint32_t thread)
{
	for (size_t i = 0; i < a->process->wait_count; i++)
		if (a->process->waits[i].thread == thread)
			return a->process->waits[i].tid;
	return 0;
}

void analysis_add_thread(struct analysis *a, struct finding *f, uint32_t thread)
{
	const struct trace_process *p = a->process;
	const struct trace_thread *known =
		thread < p->thread_count && p->threads ? &p->threads[thread] : NULL;
	const struct model_thread *t = model_get_thread(a->model, thread);
	struct finding_thread *ft;

	if (thread == 0)
		return;
	ft = finding_add_thread(a->findings, f, thread);
	if (ft->label)
		return;
	ft->pid = p->pid;
	ft->tid = known && known->tid ? known->tid : tid_of(a, thread);
	ft->name = known ? known->name : NULL;
	ft->label = analysis_thread_label(a, thread);
	ft->created_stack = known && known->stack ? known->stack : t ? t->create.stack : 0;
	ft->start_routine = known ? known->start_routine : 0;
}

void analysis_add_lock(struct analysis *a, struct finding *f, uint32_t object)
{
	const struct trace_process *p = a->process;
	const struct model_object *o = model_get_object(a->model, object);
	struct finding_lock *l;

	if (object == 0)
		return;
	l = finding_add_lock(a->findings, f, object);
	if (l->kind)
		return;
	if (object < p->object_count && p->objects) {
		l->kind = p->objects[object].kind;
		l->address = p->objects[object].address;
		l->first_seen_stack = p->objects[object].stack;
		l->name = p->objects[object].given_name;
		l->word = p->objects[object].word;
	}
	if (!l->kind && o)
		l->kind = o->kind;
}

/* NAME that nobody gave it ("Task-7") says nothing, and differs from run to run; trio's is the function's, with its module. */
static bool is_default_name(const char *name, size_t bytes, const char *function)
{
	static const char *const defaults[] = { "Task-", "Greenlet-" };
	size_t length = strcspn(function, ")");

	if (bytes == 4 && !strncmp(name, "None", bytes)) /* a task factory in 3.13 */
		return true;

	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++)
		if (!strncmp(name, defaults[i], strlen(defaults[i])))
			return true;
	return !bytes || (bytes > length && !strncmp(name + bytes - length, function, length));
}

uint32_t analysis_add_memory(struct analysis *a, struct finding *f, uint32_t index,
			     uint64_t address)
{
	uint32_t id = UINT32_C(0x80000000) + index;
	struct finding_lock *l = finding_add_lock(a->findings, f, id);

	l->kind = TRACE_OBJECT_VARIABLE;
	l->word = "variable";
	l->address = address;
	return id;
}

/* A coroutine's is "NAME (FUNCTION)". */
static const char *name_of_task(struct analysis *a, const char *name)
{
	const char *function = *name == '(' ? name : strstr(name, " (");
	size_t bytes = strlen(name);

	if (!function || name[bytes - 1] != ')')
		return *name ? name : NULL;
	function += *function == ' ' ? 2 : 1;
	if (!is_default_name(name, *name == '(' ? 0 : (size_t)(function - 2 - name), function))
		return name;
	return analysis_printf(a, "%.*s", (int)(strlen(function) - 1), function);
}

const char *analysis_task_label(struct analysis *a, uint32_t task)
{
	const struct trace_process *p = a->process;
	const char *name = p->tasks && task < p->task_count && p->tasks[task].name
				   ? name_of_task(a, p->tasks[task].name)
				   : NULL;

	return name ? analysis_printf(a, "task %s", name) : analysis_printf(a, "task %u", task);
}

void analysis_add_task(struct analysis *a, struct finding *f, uint32_t task, unsigned kind,
		       uint32_t callback, uint32_t made)
{
	static const char *const states[] = {
		[MODEL_JOB_MADE] = "made",	 [MODEL_JOB_ARMED] = "waiting",
		[MODEL_JOB_CALLED] = "running",	 [MODEL_JOB_STOPPED] = "stopped",
		[MODEL_JOB_CLOSING] = "closing", [MODEL_JOB_WORKED] = "waiting for its loop",
	};
	struct finding_task *t = finding_add_task(a->findings, f, task);
	const struct model_job *job = model_get_job(a->model, task);
	const struct trace_process *p = a->process;

	t->kind = trace_task_word(kind);
	t->library = trace_task_library(kind);
	t->callback_stack = callback;
	t->created_stack = made;
	t->loop = job ? job->loop : 0;
	t->state = job ? states[job->state] : NULL;
	if (p->tasks && task < p->task_count) {
		t->context = p->tasks[task].context;
		t->context_count = p->tasks[task].context_count;
	}
	if ((kind == TRACE_TASK_ANNOTATED || model_job_life(kind) == MODEL_LIFE_COROUTINE) &&
	    p->tasks && task < p->task_count && p->tasks[task].name)
		t->callback = name_of_task(a, p->tasks[task].name);
}

struct finding_stack *analysis_add_stack(struct analysis *a, struct finding *f,
					 enum stack_role role, uint32_t thread, uint32_t object,
					 uint32_t stack, uint64_t time_ns, const uint32_t *held,
					 size_t held_count)
{
	struct finding_stack *s;

	analysis_add_thread(a, f, thread);
	analysis_add_lock(a, f, object);
	for (size_t i = 0; i < held_count; i++)
		analysis_add_lock(a, f, held[i]);
	s = finding_add_stack(a->findings, f, role, thread, object, stack);
	s->time_ns = time_ns;
	if (held_count) {
		s->held = finding_list_alloc(a->findings, held_count * sizeof(*held));
		memcpy(s->held, held, held_count * sizeof(*held));
		s->held_count = held_count;
	}
	return s;
}

struct finding_stack *analysis_add_stack_now(struct analysis *a, struct finding *f,
					     enum stack_role role, uint32_t thread, uint32_t object,
					     uint32_t stack, uint64_t time_ns)
{
	const struct model_thread *t = model_get_thread(a->model, thread);
	uint32_t count = t ? t->held_count : 0;
	uint32_t *held = malloc((count + 1) * sizeof(*held));
	struct finding_stack *s;

	if (!held)
		abort();
	for (uint32_t i = 0; i < count; i++)
		held[i] = t->held[i].object;
	s = analysis_add_stack(a, f, role, thread, object, stack, time_ns, held, count);
	free(held);
	return s;
}

/* Section 3 of the contract: what a confidence is worth, below the rule's cap. */
static enum level level_of(enum rule rule, enum confidence confidence)
{
	enum level level = LEVEL_ERROR;

	if (confidence == CONFIDENCE_HINT)
		level = LEVEL_NOTE;
	else if (confidence == CONFIDENCE_POTENTIAL && rule != RULE_LOCK_ORDER_INVERSION)
		level = LEVEL_WARNING;
	return level < rule_cap(rule) ? level : rule_cap(rule);
}

void analysis_commit(struct analysis *a, struct finding *f)
{
	f->level = level_of(f->rule, f->confidence);
	if (analysis_wants(a, f->rule))
		finding_commit(a->findings, f);
}

static int compare_u32(const void *x, const void *y)
{
	uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;

	return a < b ? -1 : a > b;
}

/* Count, then the distinct ids in ascending order. Owned by the caller. */
static uint32_t *make_key(const uint32_t *objects, size_t count)
{
	uint32_t *key = malloc((count + 1) * sizeof(*key));
	uint32_t n = 0;

	if (!key)
		abort();
	memcpy(key + 1, objects, count * sizeof(*key));
	qsort(key + 1, count, sizeof(*key), compare_u32);
	for (size_t i = 1; i <= count; i++)
		if (n == 0 || key[n] != key[i])
			key[++n] = key[i];
	key[0] = n;
	return key;
}

void analysis_add_observed(struct analysis *a, const uint32_t *objects, size_t count)
{
	if (count == 0)
		return;
	a->observed = realloc(a->observed, (a->observed_count + 1) * sizeof(*a->observed));
	if (!a->observed)
		abort();
	a->observed[a->observed_count++] = make_key(objects, count);
}

bool analysis_is_observed(const struct analysis *a, const uint32_t *objects, size_t count)
{
	uint32_t *key;
	bool found = false;

	if (a->observed_count == 0 || count == 0)
		return false;
	key = make_key(objects, count);
	for (size_t i = 0; i < a->observed_count && !found; i++)
		found = a->observed[i][0] == key[0] &&
			!memcmp(a->observed[i], key, (key[0] + 1) * sizeof(*key));
	free(key);
	return found;
}
