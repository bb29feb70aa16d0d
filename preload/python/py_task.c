/* SPDX-License-Identifier: MIT */
/*
 * py_task.c - asyncio: tasks from their making to their end, the steps between, callbacks that other threads post.
 *
 * A task is met where its type initialises one, whatever loop it is for, and leaves where it is destroyed at the latest. Its steps are seen
 * where asyncio's own loop runs a handle; another loop (uvloop) shows its steps as callbacks of its library.
 */
#include "py_chain.h"
#include "py_context.h"
#include "py_pure.h"
#include "py_race.h"
#include "py_read.h"

static PyObject *task_type;
static int (*old_init)(PyObject *, PyObject *, PyObject *);
PY_HOOK(hook_run, run_handle)
static struct py_patched is_done, get_name, was_cancelled;
static PyObject *handle_type;
static struct py_reader callback_of, coroutine_of, loop_of, exception_of;
uint64_t py_task_changes;
int64_t py_tasks_alive;

/* ---- tasks ---- */

/* The C module's: what its functions take. */
static bool is_native(PyObject *o)
{
	return (void *)o->type == (void *)task_type || py_PyType_IsSubtype(o->type, task_type);
}

bool py_is_task(PyObject *o)
{
	return o && task_type && (is_native(o) || py_is_pure_task(o));
}

static PyObject *attribute(const struct py_reader *r, PyObject *task)
{
	return likely(is_native(task)) ? py_read(r, task) : py_get(task, r->name);
}

static void ask(struct py_about *a, PyObject *task)
{
	PyObject *coroutine = attribute(&coroutine_of, task), *loop = attribute(&loop_of, task);
	PyObject *name = !is_native(task) ? py_get(task, "_name")
			 : get_name.call  ? get_name.call(task, NULL, NULL, NULL, NULL)
					  : NULL;

	py_about(a, name, coroutine);
	a->loop = loop && loop != PY_NONE ? loop : NULL;
	py_PyErr_Clear();
	py_drop(name);
	py_drop(loop);
	py_drop(coroutine);
}

void py_task_about(struct py_about *a, PyObject *task)
{
	ask(a, task);
}

void py_task_made(struct call *c, PyObject *task, const struct py_about *a)
{
	struct task *t;

	py_meet(c, task, TRACE_TASK_PY_TASK, a);
	py_tasks_alive++;
	t = task_find(task, TRACE_TASK_PY_TASK);
	if (t) {
		t->callback_stack[PY_PURE] = !is_native(task);
	}
}

/* From 3.12 on a task may run its first step while it is made: it has to be known before. */
static int init_eager(struct arch_caller caller, PyObject *task, PyObject *args, PyObject *kwargs)
{
	PyObject *coroutine = py_PyTuple_Size(args) ? py_PyTuple_GetItem(args, 0)
						    : py_PyDict_GetItemString(kwargs, "coro");
	PyObject *loop = py_PyDict_GetItemString(kwargs, "loop");
	struct py_about about;
	struct py_step step;
	int rc;

	py_about(&about, py_PyDict_GetItemString(kwargs, "name"), coroutine);
	about.loop = loop && loop != PY_NONE ? loop : NULL;
	if (!py_eager_begin(&step, caller, task, &about)) {
		return old_init(task, args, kwargs);
	}
	rc = old_init(task, args, kwargs);
	py_eager_end(&step, caller, rc == 0);
	return rc;
}

static int init_task(PyObject *task, PyObject *args, PyObject *kwargs)
{
	struct arch_caller caller = PY_CALLER();
	bool is_eager = kwargs && shim_stream &&
			py_PyDict_GetItemString(kwargs, "eager_start") == PY_TRUE;
	int rc = is_eager ? init_eager(caller, task, args, kwargs) : old_init(task, args, kwargs);
	struct py_about about;
	struct call call;

	if (rc == 0 && !is_eager) {
		ask(&about, task);
		if (task_enter_any(&call, caller)) {
			py_task_made(&call, task, &about);
			shim_leave(&call);
		}
	}
	return rc;
}

/* create_task() gives the name after the task was made, up to 3.11. */
static struct py_patched set_name;

void py_task_named(struct arch_caller caller, PyObject *task)
{
	struct py_about about;
	struct task *t;
	struct call call;

	ask(&about, task);
	if (task_enter_any(&call, caller)) {
		t = task_find(task, TRACE_TASK_PY_TASK);
		if (t && task_is_of_image(t)) {
			py_define_name(&call, t, about.text, about.bytes);
		}
		shim_leave(&call);
	}
}

static PyObject *hook_set_name(void *a, void *b, void *c, void *d, void *e)
{
	struct arch_caller caller = ARCH_CALLER();
	PyObject *result = set_name.call(a, b, c, d, e);

	if (result && py_is_task(a)) {
		py_task_named(caller, a);
	}
	return result;
}

static bool says(const struct py_patched *method, PyObject *task)
{
	PyObject *answer = method->call ? method->call(task, NULL, NULL, NULL, NULL) : NULL;
	bool yes = answer == PY_TRUE;

	if (likely(answer != NULL)) {
		py_Py_DecRef(answer);
	} else {
		py_PyErr_Clear();
	}
	return yes;
}

/* True: it failed, and whether anybody will look at its exception shows when it is destroyed. */
static bool has_failed(PyObject *task)
{
	PyObject *exception = attribute(&exception_of, task);
	bool failed = exception && exception != PY_NONE;

	py_drop(exception);
	return failed;
}

static bool was_task_cancelled(PyObject *task)
{
	return is_native(task) ? says(&was_cancelled, task) : py_pure_was_cancelled(task);
}

/* RETURNED; then FINISHED or CANCELLED, and SWALLOWED before that. */
static void end_of(struct task_run *run, struct arch_caller caller, PyObject *task)
{
	bool cancelled = was_task_cancelled(task), failed = !cancelled && has_failed(task);
	struct task *t = task_find(task, TRACE_TASK_PY_TASK);
	bool swallowed = t && !cancelled && !failed && py_cancel_was_swallowed(t, task);
	struct call call;

	py_PyErr_Clear();
	py_task_changes++;
	py_tasks_alive--;
	if (failed && t && task_is_of_image(t)) {
		t->flags |= PY_TASK_FAILED;
	}
	if (failed || swallowed) {
		py_context_note(caller, task);
	}
	if (failed || swallowed || !run->s) {
		task_returned(run, caller);
	}
	if (failed || !(swallowed || !run->s ? task_enter_any(&call, caller)
					     : task_returned_enter(&call, run, caller))) {
		return;
	}
	if (t) {
		unsigned end = cancelled ? TRACE_TASK_CANCELLED : TRACE_TASK_FINISHED;

		if (swallowed) {
			task_step(&call, t, TRACE_TASK_SWALLOWED);
			task_end(&call, t, end);
		} else {
			task_end_at_return(&call, t, end);
		}
	}
	shim_leave(&call);
}

bool py_task_is_done(PyObject *task)
{
	return likely(is_native(task)) ? says(&is_done, task) : py_pure_is_done(task);
}

static bool is_finalized(PyObject *task)
{
	return py_PyObject_GC_IsFinalized && py_PyObject_GC_IsFinalized(task);
}

/* ---- steps ---- */

PyObject *py_step_task(PyObject *callback)
{
	enum { FUNCTION_SELF = 24, STEP_TASK = 16 };
	static const struct py_type *step_type; /* the one that was met last */
	PyObject *self = NULL;

	if (callback->type == py_data_PyFunction_Type) {
		return NULL;
	}
	if (callback->type == py_data_PyMethod_Type) {
		return py_pure_step_task(callback);
	}
	if (callback->type == py_data_PyCFunction_Type) {
		self = *(PyObject **)((uintptr_t)callback + FUNCTION_SELF);
	} else if (callback->type == step_type ||
		   py_text_has(py_type_name(callback), "MethWrapper")) {
		step_type = callback->type;
		self = *(PyObject **)((uintptr_t)callback + STEP_TASK);
	}
	return py_is_task(self) ? self : NULL;
}

/* A callback that is no task's: one entry for each function. */
static void begin_callback(struct py_step *step, struct arch_caller caller, PyObject *handle,
			   PyObject *callback)
{
	struct task *t = task_find(handle, TRACE_TASK_PY_CALL);
	uintptr_t code = t && task_is_of_image(t) ? 0 : py_code_of(callback);
	struct call call;

	if (py.features & PY_RACES) {
		py_variable_publish(caller, py_post_channel(), true);
	}
	if (t && task_is_of_image(t)) {
		task_called(&step->run, caller, handle, TRACE_TASK_PY_CALL, 0, TASK_IS_OVER);
		return;
	}
	if (!code || !(py.features & PY_STACKS)) {
		return;
	}
	t = task_find((const void *)code, TRACE_TASK_PY_CALLBACK);
	if (!t || !task_is_of_image(t)) {
		if (!task_enter_any(&call, caller)) {
			return;
		}
		call.stack = 0;
		t = task_new(&call, (const void *)code, TRACE_TASK_PY_CALLBACK, 0);
		if (t) {
			task_set_callback(t, 0, py_place_of(code));
		}
		shim_leave(&call);
	}
	task_called(&step->run, caller, (const void *)code, TRACE_TASK_PY_CALLBACK, 0,
		    TASK_GOES_ON);
}

/* It took long, or took a lock of threads and has it still. */
static bool is_worth_a_look(struct py_step *step)
{
	step->run.until = arch_ticks();
	return step->run.s && ((int64_t)(step->run.until - step->run.since) > TASK_BUSY_TICKS ||
			       py_locks_held() > step->locks);
}

void py_step_begin_of(struct py_step *step, struct arch_caller caller, PyObject *task)
{
	struct task *t;
	struct call call;

	*step = (struct py_step){ .task = task };
	py_Py_IncRef(task);
	t = task_find(task, TRACE_TASK_PY_TASK);
	if (t && !task_is_of_image(t)) {
		t = NULL;
	}
	if (!t && !is_finalized(task)) {
		struct py_about about;

		ask(&about, task);
		if (task_enter_any(&call, caller)) {
			call.stack = 0; /* whoever made it did so out of our sight */
			py_task_made(&call, task, &about);
			shim_leave(&call);
		}
		t = task_find(step->task, TRACE_TASK_PY_TASK);
	}
	py_task_changes++;
	py_task_steps++;
	step->t = t;
	step->locks = py_locks_held();
	if (t) {
		py_cancel_before_step(caller, t, task);
		task_called_as(&step->run, caller, t, 0, TASK_GOES_ON);
	}
}

void py_step_begin(struct py_step *step, struct arch_caller caller, PyObject *handle,
		   PyObject *callback)
{
	PyObject *task = py_step_task(callback);

	*step = (struct py_step){ .task = NULL };
	if (task) {
		py_step_begin_of(step, caller, task);
	} else {
		begin_callback(step, caller, handle, callback);
	}
}

void py_step_end(struct py_step *step, struct arch_caller caller)
{
	if (!step->task) {
		task_returned(&step->run, caller);
		return;
	}
	if (unlikely(step->run.s && (int64_t)(arch_ticks() - step->run.since) > TASK_BUSY_TICKS)) {
		py_context_note(caller, step->task);
	}
	if (py_task_is_done(step->task)) {
		end_of(&step->run, caller, step->task);
	} else {
		if (unlikely(is_worth_a_look(step))) {
			step->run.stood = py_stands_at(caller, step->task, "_coro");
		}
		task_returned(&step->run, caller);
		if (step->t && task_is_at(step->t, step->task)) {
			py_cancel_after_step(caller, step->t, step->task);
		}
	}
	py_Py_DecRef(step->task);
}

static PyObject *run_handle(PyObject *function, PyObject *const *args, size_t count,
			    PyObject *names)
{
	struct arch_caller caller = PY_CALLER();
	PyObject *result, *type, *value, *trace, *callback;
	struct py_step step;
	bool is_handle;

	if (!shim_stream || PY_COUNT(count) < 1) {
		return hook_run.old(function, args, count, names);
	}
	is_handle = (void *)args[0]->type == (void *)handle_type ||
		    py_PyType_IsSubtype(args[0]->type, handle_type);
	callback = is_handle ? py_read(&callback_of, args[0]) : py_get(args[0], callback_of.name);
	if (likely(callback != NULL)) {
		py_step_begin(&step, caller, args[0], callback);
		py_drop(callback);
	} else {
		step = (struct py_step){ .task = NULL };
	}
	result = hook_run.old(function, args, count, names);
	if (!result) {
		py_PyErr_Fetch(&type, &value, &trace);
	}
	py_step_end(&step, caller);
	if (!result) {
		py_PyErr_Restore(type, value, trace);
	}
	return result;
}

/* ---- into place ---- */

static bool find_method(const char *name, struct py_patched *ret)
{
	PyObject *d = py_get(task_type, name);
	bool found = d && d->type == py_data_PyMethodDescr_Type;

	if (found) {
		const struct py_method *m = *(struct py_method **)((uintptr_t)d + 40);

		*ret = (struct py_patched){ .call = m->call, .flags = m->flags };
		found = m->flags & PY_NOARGS;
	}
	py_drop(d);
	return found;
}

static PyObject *member(const char *module, const char *name)
{
	return py_get(py_module(module), name); /* the reference is kept */
}

void py_tasks_install(void)
{
	PyObject *handle = handle_type = member("asyncio.events", "Handle"),
		 *loop = member("asyncio.base_events", "BaseEventLoop");
	PyObject *lock = member("asyncio.locks", "Lock");
	PyObject *runners = py_module("asyncio.runners"), *warnings = py_module("warnings");

	task_type = member("_asyncio", "Task");
	py_reader_find(&callback_of, handle_type, "_callback");
	py_reader_find(&coroutine_of, task_type, "_coro");
	py_reader_find(&loop_of, task_type, "_loop");
	py_reader_find(&exception_of, task_type, "_exception");
	py_fail_install(loop, member("_asyncio", "Future"), warnings);
	if (!find_method("get_name", &get_name)) {
		get_name.call = NULL;
	}
	if (!task_type || !handle || !loop || !py.layout || !find_method("done", &is_done) ||
	    !find_method("cancelled", &was_cancelled)) {
		return;
	}
	if (!py_patch_init(task_type, init_task, &old_init)) {
		return;
	}
	py_task_ends_install(task_type);
	py_context_install(task_type);
	py_pure_install(task_type);
	py_cancel_install(task_type);
	py_patch_method(task_type, "set_name", hook_set_name, &set_name);
	if (py_patch_function(handle, "_run", &hook_run) && py_loops_install(loop, runners)) {
		py.features |= PY_TASKS | PY_AWAITS;
	}
	if (lock) {
		py_async_lock_install(lock);
	}
}
