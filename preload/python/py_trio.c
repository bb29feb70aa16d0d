/* SPDX-License-Identifier: MIT */
/*
 * py_trio.c - trio's tasks, by what trio offers for that: an instrument, given to each run beside the program's own.
 *
 * Trio asks an instrument for the methods that it knows, by name; ours is a module object, since that can hold functions and be a key.
 */
#include "py_chain.h"

static PyObject *instrument;

static PyObject *task_spawned(PyObject *self, PyObject *task)
{
	PyObject *name = py_get(task, "name"), *coroutine = py_get(task, "coro");
	struct py_about about;
	struct call call;

	(void)self;
	py_about(&about, name, coroutine);
	if (task_enter_any(&call, ARCH_CALLER())) {
		py_meet(&call, task, TRACE_TASK_TRIO_TASK, &about);
		shim_leave(&call);
	}
	py_drop(coroutine);
	py_drop(name);
	py_Py_IncRef(PY_NONE);
	return PY_NONE;
}

/* 0 = nobody will ask. */
static uint32_t stands_at(struct arch_caller caller, PyObject *task)
{
	const struct stream *s = shim_stream;
	bool took_long = s && (int64_t)(arch_ticks() - s->step_ticks) > TASK_BUSY_TICKS;

	return unlikely(s && (took_long || py_locks_held() > s->step_held))
		       ? py_stands_at(caller, task, "coro")
		       : 0;
}

static PyObject *step(struct arch_caller caller, PyObject *task, enum trace_task_step what)
{
	struct task *t = task_find(task, TRACE_TASK_TRIO_TASK);
	uint32_t stands = what == TRACE_TASK_SUSPENDED ? stands_at(caller, task) : 0;
	struct call call;

	if (t && task_is_of_image(t) && shim_enter_with(&call, caller, ROOM_EARLY)) {
		py_task_changes++;
		py_task_steps += what == TRACE_TASK_RESUMED;
		call.stack = stands;
		if (what == TRACE_TASK_RESUMED) {
			call.s->step_ticks = arch_ticks();
			call.s->step_held = py_locks_held();
		}
		/* Trio says that a task is over before it says that its last step is. */
		task_step(&call, t, what == TRACE_TASK_FINISHED ? TRACE_TASK_SUSPENDED : what);
		call.s->task = what == TRACE_TASK_RESUMED ? t->id : 0;
		if (what == TRACE_TASK_FINISHED) {
			task_end(&call, t, what);
		} else if (unlikely(t->argument && what == TRACE_TASK_RESUMED)) {
			py_async_lock_given(&call, t);
		}
		shim_leave(&call);
	}
	py_Py_IncRef(PY_NONE);
	return PY_NONE;
}

static PyObject *before_task_step(PyObject *self, PyObject *task)
{
	(void)self;
	return step(ARCH_CALLER(), task, TRACE_TASK_RESUMED);
}

static PyObject *after_task_step(PyObject *self, PyObject *task)
{
	(void)self;
	return step(ARCH_CALLER(), task, TRACE_TASK_SUSPENDED);
}

static PyObject *task_exited(PyObject *self, PyObject *task)
{
	(void)self;
	return step(ARCH_CALLER(), task, TRACE_TASK_FINISHED);
}

static struct py_method methods[] = {
	{ .name = "task_spawned", .call = (py_function *)(uintptr_t)task_spawned, .flags = PY_O },
	{ .name = "before_task_step",
	  .call = (py_function *)(uintptr_t)before_task_step,
	  .flags = PY_O },
	{ .name = "after_task_step",
	  .call = (py_function *)(uintptr_t)after_task_step,
	  .flags = PY_O },
	{ .name = "task_exited", .call = (py_function *)(uintptr_t)task_exited, .flags = PY_O },
};

static bool make_instrument(void)
{
	if (instrument || !py_PyModule_New) {
		return instrument != NULL;
	}
	instrument = py_PyModule_New("thrum");
	for (size_t i = 0; instrument && i < sizeof(methods) / sizeof(methods[0]); i++) {
		PyObject *f = py_PyCFunction_NewEx(&methods[i], NULL, NULL);

		if (!f || py_PyObject_SetAttrString(instrument, methods[i].name, f)) {
			py_PyErr_Clear();
			py_drop(f);
			py_drop(instrument);
			instrument = NULL;
			return false;
		}
		py_drop(f);
	}
	return instrument != NULL;
}

/* ---- loops: what run() drives; a guest's loop is its host's ---- */

static struct {
	const struct stream *stream; /* NULL = unused */
	PyObject *runner;	     /* a reference; NULL = not made yet */
} runs[32];			     /* one for each thread that is in run(); under the GIL */
enum { RUNS = sizeof(runs) / sizeof(runs[0]) };

static void note_loop(struct arch_caller caller, PyObject *runner, unsigned what)
{
	struct call call;

	if (task_enter_any(&call, caller)) {
		task_loop_step(&call, task_loop(&call, runner, PY_LOOP), what, 0);
		shim_leave(&call);
	}
}

static void begin_run(struct arch_caller caller, PyObject *runner)
{
	for (size_t i = 0; i < RUNS; i++) {
		if (runs[i].stream && runs[i].stream == shim_stream && !runs[i].runner) {
			py_Py_IncRef(runner);
			runs[i].runner = runner;
			note_loop(caller, runner, TRACE_LOOP_RUN);
			return;
		}
	}
}

static void end_run(struct arch_caller caller, size_t i)
{
	PyObject *runner = runs[i].runner, *type, *value, *trace;

	runs[i].stream = NULL;
	runs[i].runner = NULL;
	if (runner) {
		py_PyErr_Fetch(&type, &value, &trace);
		note_loop(caller, runner, TRACE_LOOP_LEFT);
		note_loop(caller, runner, TRACE_LOOP_CLOSE);
		py_drop(runner);
		py_PyErr_Restore(type, value, trace);
	}
}

PY_HOOK(hook_run, run)

static PyObject *run(PyObject *function, PyObject *const *args, size_t count, PyObject *names)
{
	struct arch_caller caller = PY_CALLER();
	PyObject *result;
	size_t i = 0;

	while (i < RUNS && runs[i].stream) {
		i++;
	}
	if (i < RUNS) {
		runs[i].stream = shim_stream;
	}
	result = hook_run.old(function, args, count, names);
	if (i < RUNS) {
		end_run(caller, i);
	}
	return result;
}

PY_HOOK(hook_setup, setup_runner)

/* setup_runner(clock, instruments, …) */
static PyObject *setup_with(PyObject *function, PyObject *const *args, size_t count,
			    PyObject *names)
{
	enum { MOST = 8, INSTRUMENTS = 1 };
	size_t n = PY_COUNT(count);
	PyObject *vector[MOST], *list, *result;

	if (n <= INSTRUMENTS || n > MOST || names || !make_instrument()) {
		return hook_setup.old(function, args, count, names);
	}
	list = py_PySequence_List(args[INSTRUMENTS]);
	if (!list || py_PyList_Append(list, instrument)) {
		py_PyErr_Clear();
		py_drop(list);
		return hook_setup.old(function, args, count, names);
	}
	__builtin_memcpy(vector, args, n * sizeof(*vector));
	vector[INSTRUMENTS] = list;
	result = hook_setup.old(function, vector, n, NULL);
	py_drop(list);
	return result;
}

static PyObject *setup_runner(PyObject *function, PyObject *const *args, size_t count,
			      PyObject *names)
{
	PyObject *runner = setup_with(function, args, count, names);

	if (runner) {
		begin_run(PY_CALLER(), runner);
	}
	return runner;
}

void py_trio_install(void)
{
	PyObject *module = py_PyImport_ImportModule("trio._core._run"), *lock;

	if (module) {
		py_patch_function(module, "setup_runner", &hook_setup);
		py_patch_function(module, "run", &hook_run);
		py_chain_learn();
		lock = py_get(py_module("trio._sync"), "_LockImpl");
		if (lock) {
			py_trio_lock_install(lock);
		}
	}
	py_PyErr_Clear();
}
