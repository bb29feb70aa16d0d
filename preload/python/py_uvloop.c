/* SPDX-License-Identifier: MIT */
/*
 * py_uvloop.c - asyncio's tasks on a loop of uvloop, which is compiled. Its handles call what call_soon() was given: for a task an object
 * that does a step, or a built-in function that wakes the task. These two are known from the first of them that is given, and
 * replaced in their type and definition. Other callbacks are seen where a handle runs them by Context.run() from the frame that called
 * run_forever(): there is no Python in between.
 */
#include "py_chain.h"
#include "py_race.h"

static struct py_patched context_run, run_forever, close_loop, call_soon, post, exception_handler;

/* The loops that run, one below the other in each thread. The GIL protects it. */
struct running {
	const struct stream *stream;
	const uint8_t *frame;
	struct running *outer;
};
static struct running *running;

static bool shows_callbacks; /* this version's handles run them by Context.run() */

static bool is_called_by_loop(void)
{
	const struct running *r = running;

	while (r && r->stream != shim_stream) {
		r = r->outer;
	}
	return r && shim_stream && r->frame == py_frame_raw();
}

static bool runs_already(PyObject *task)
{
	const struct task *t = task_find(task, TRACE_TASK_PY_TASK);

	return !shim_stream || (t && shim_stream->task == t->id && task_is_of_image(t));
}

static void end(struct py_step *step, struct arch_caller caller, const PyObject *result)
{
	PyObject *type, *value, *trace;

	if (!result) {
		py_PyErr_Fetch(&type, &value, &trace);
	}
	py_step_end(step, caller);
	if (!result) {
		py_PyErr_Restore(type, value, trace);
	}
}

/* ---- what a task gives to a loop ---- */

/* Objects that do a step, and up to 3.9 others that wake. */
static struct wrapper {
	const struct py_type *type;
	PyObject *(*old)(PyObject *, PyObject *, PyObject *);
} wrappers[2];

static struct wrapper *find_wrapper(const struct py_type *type)
{
	for (size_t i = 0; i < 2; i++) {
		if (!wrappers[i].type || wrappers[i].type == type) {
			return &wrappers[i];
		}
	}
	return NULL;
}

static PyObject *hook_wrapper(PyObject *callback, PyObject *args, PyObject *names)
{
	struct arch_caller caller = ARCH_CALLER();
	PyObject *task = py_step_task(callback), *result;
	const struct wrapper *w = find_wrapper(callback->type);
	struct py_step step;

	if (!task || runs_already(task)) {
		return w->old(callback, args, names);
	}
	py_step_begin_of(&step, caller, task);
	result = w->old(callback, args, names);
	end(&step, caller, result);
	return result;
}

static struct py_method *wake_definition;
static py_function *old_wake;

static PyObject *hook_wake(void *task, void *b, void *c, void *d, void *e)
{
	struct arch_caller caller = ARCH_CALLER();
	PyObject *result;
	struct py_step step;

	if (!py_is_task(task) || runs_already(task)) {
		return old_wake(task, b, c, d, e);
	}
	py_step_begin_of(&step, caller, task);
	result = old_wake(task, b, c, d, e);
	end(&step, caller, result);
	return result;
}

static void learn(PyObject *callback)
{
	enum { FUNCTION_METHOD = 16 };

	if (py_text_has(py_type_name(callback), "MethWrapper")) {
		struct wrapper *w = find_wrapper(callback->type);

		if (w && !w->type &&
		    py_patch_call_of_extension((PyObject *)callback->type, hook_wrapper, &w->old)) {
			w->type = callback->type;
		}
	} else if (!wake_definition && callback->type == py_data_PyCFunction_Type) {
		struct py_method *m = *(struct py_method **)((uintptr_t)callback + FUNCTION_METHOD);

		/* A function of tasks that is no method of their type's. */
		if (m && m->flags == PY_O && py_text_is(m->name, "task_wakeup")) {
			old_wake = m->call;
			wake_definition = m;
			__atomic_store_n(&m->call, hook_wake, __ATOMIC_RELEASE);
		}
	}
}

static PyObject *hook_soon(void *a, void *b, void *c, void *d, void *e)
{
	if (unlikely(!wrappers[0].type || !(wake_definition || wrappers[1].type))) {
		PyObject *callback = py_argument(&call_soon, b, c, d, 0, "callback");

		if (callback && py_step_task(callback)) {
			learn(callback);
		}
	}
	return call_soon.call(a, b, c, d, e);
}

/* ---- other callbacks ---- */

/* Context.run(context, callback, …): (context, args, count, names) */
static PyObject *hook_context_run(void *a, void *b, void *c, void *d, void *e)
{
	PyObject *const *args = b;
	PyObject *callback = (intptr_t)c > 0 ? args[0] : NULL, *result;
	struct arch_caller caller = ARCH_CALLER();
	struct py_step step;

	if (!callback || !is_called_by_loop() || py_step_task(callback)) {
		return context_run.call(a, b, c, d, e);
	}
	shows_callbacks = true;
	py_step_begin(&step, caller, callback, callback);
	result = context_run.call(a, b, c, d, e);
	end(&step, caller, result);
	return result;
}

/* ---- loops ---- */

static PyObject *hook_run_forever(void *a, void *b, void *c, void *d, void *e)
{
	struct arch_caller caller = ARCH_CALLER();
	struct running here = { shim_stream, py_frame_raw(), running }, **at = &running;
	PyObject *result;

	py_Py_IncRef(a);
	py_note_loop(caller, a, TRACE_LOOP_RUN);
	running = &here;
	result = run_forever.call(a, b, c, d, e);
	while (*at && *at != &here) {
		at = &(*at)->outer;
	}
	if (*at) {
		*at = here.outer;
	}
	py_note_loop(caller, a, TRACE_LOOP_LEFT);
	py_Py_DecRef(a);
	return result;
}

static PyObject *hook_close(void *a, void *b, void *c, void *d, void *e)
{
	struct arch_caller caller = ARCH_CALLER();
	PyObject *result;

	py_Py_IncRef(a);
	result = close_loop.call(a, b, c, d, e);
	if (result) {
		py_note_loop(caller, a, TRACE_LOOP_CLOSE);
	}
	py_Py_DecRef(a);
	return result;
}

/* Its handle is not known when it runs: the callback itself stands for it. */
static PyObject *hook_post(void *a, void *b, void *c, void *d, void *e)
{
	struct arch_caller caller = ARCH_CALLER();
	PyObject *callback = py_argument(&post, b, c, d, 0, "callback"), *result;

	if (callback && py.features & PY_RACES) {
		py_variable_publish(caller, py_post_channel(), false);
	}
	if (callback && shows_callbacks) { /* before: its loop may run it before the call is back */
		py_note_post(caller, a, callback, callback);
	}
	result = post.call(a, b, c, d, e);
	return result;
}

static PyObject *hook_exception_handler(void *a, void *b, void *c, void *d, void *e)
{
	PyObject *context = exception_handler.flags & PY_O
				    ? b
				    : py_argument(&exception_handler, b, c, d, 0, "context");

	if (context && context->type == py_data_PyDict_Type) {
		py_note_exception(ARCH_CALLER(), context);
	}
	return exception_handler.call(a, b, c, d, e);
}

void py_uvloop_install(void)
{
	PyObject *loop = py_get(py_PyImport_ImportModule("uvloop.loop"), "Loop"); /* kept */

	if (!loop || !py_data_PyContext_Type ||
	    !py_patch_method(loop, "run_forever", hook_run_forever, &run_forever)) {
		py_PyErr_Clear();
		return;
	}
	py_patch_method(py_data_PyContext_Type, "run", hook_context_run, &context_run);
	py_patch_method(loop, "call_soon", hook_soon, &call_soon);
	py_patch_method(loop, "close", hook_close, &close_loop);
	py_patch_method(loop, "call_soon_threadsafe", hook_post, &post);
	py_patch_method(loop, "call_exception_handler", hook_exception_handler, &exception_handler);
}
