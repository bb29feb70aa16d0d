/* SPDX-License-Identifier: MIT */
/*
 * py_task.c - asyncio: tasks from their making to their end, the steps between, callbacks that other threads post.
 *
 * A task is met where its type initialises one, whatever loop it is for, and leaves where it is destroyed at the latest. Its steps are seen
 * where asyncio's own loop runs a handle; another loop (uvloop) shows its steps as callbacks of its library.
 */
#include "py_chain.h"
#include "py_race.h"

static PyObject *task_type;
static int (*old_init)(PyObject *, PyObject *, PyObject *);
static void (*old_dealloc)(PyObject *);
PY_HOOK(hook_run, run_handle)
PY_HOOK(hook_forever, run_forever)
PY_HOOK(hook_post, post)
PY_HOOK(hook_close, close_loop)
PY_HOOK(hook_cancel_all, cancel_all)
static struct py_patched is_done, get_name, was_cancelled;
static PyObject *word_callback;
uint64_t py_task_changes;

/* ---- tasks ---- */

static bool is_task(PyObject *o)
{
	return o &&
	       ((void *)o->type == (void *)task_type || py_PyType_IsSubtype(o->type, task_type));
}

static void ask(struct py_about *a, PyObject *task)
{
	PyObject *coroutine = py_get(task, "_coro"), *loop = py_get(task, "_loop");
	PyObject *name = get_name.call ? get_name.call(task, NULL, NULL, NULL, NULL) : NULL;

	py_about(a, name, coroutine);
	a->loop = loop && loop != PY_NONE ? loop : NULL;
	py_PyErr_Clear();
	py_drop(name);
	py_drop(loop);
	py_drop(coroutine);
}

static int init_task(PyObject *task, PyObject *args, PyObject *kwargs)
{
	struct arch_caller caller = PY_CALLER();
	int rc = old_init(task, args, kwargs);
	struct py_about about;
	struct call call;

	if (rc == 0) {
		ask(&about, task);
		if (task_enter_any(&call, caller)) {
			py_meet(&call, task, TRACE_TASK_PY_TASK, &about);
			shim_leave(&call);
		}
	}
	return rc;
}

/* create_task() gives the name after the task was made, up to 3.11. */
static struct py_patched set_name;

static PyObject *hook_set_name(void *a, void *b, void *c, void *d, void *e)
{
	struct arch_caller caller = ARCH_CALLER();
	PyObject *result = set_name.call(a, b, c, d, e);
	struct py_about about;
	struct task *t;
	struct call call;

	if (result && is_task(a)) {
		ask(&about, a);
		if (task_enter_any(&call, caller)) {
			t = task_find(a, TRACE_TASK_PY_TASK);
			if (t && task_is_of_image(t)) {
				py_define_name(&call, t, about.text, about.bytes);
			}
			shim_leave(&call);
		}
	}
	return result;
}

static bool says(const struct py_patched *method, PyObject *task)
{
	PyObject *answer = method->call ? method->call(task, NULL, NULL, NULL, NULL) : NULL;
	bool yes = answer == PY_TRUE;

	py_drop(answer);
	py_PyErr_Clear();
	return yes;
}

/* True: it failed, and whether anybody will look at its exception shows when it is destroyed. */
static bool has_failed(PyObject *task)
{
	PyObject *exception = py_get(task, "_exception");
	bool failed = exception && exception != PY_NONE;

	py_drop(exception);
	return failed;
}

/*
 * In task.flags, beside those of py_cancel.c: it ended with an exception. The collector of cycles, in which such tasks often are, empties a
 * task before it is destroyed: then it cannot be asked any more.
 */
enum { HAS_FAILED = 128 };

/* FINISHED or CANCELLED; SWALLOWED before it. */
static void end_of(struct arch_caller caller, PyObject *task)
{
	bool cancelled = says(&was_cancelled, task), failed = !cancelled && has_failed(task);
	struct task *t = task_find(task, TRACE_TASK_PY_TASK);
	bool swallowed = t && !cancelled && !failed && py_cancel_was_swallowed(t, task);
	struct call call;

	py_PyErr_Clear();
	py_task_changes++;
	if (failed && t && task_is_of_image(t)) {
		t->flags |= HAS_FAILED;
	}
	if (failed || !task_enter_any(&call, caller)) {
		return;
	}
	t = task_find(task, TRACE_TASK_PY_TASK);
	if (t) {
		if (swallowed) {
			task_step(&call, t, TRACE_TASK_SWALLOWED);
		}
		task_end(&call, t, cancelled ? TRACE_TASK_CANCELLED : TRACE_TASK_FINISHED);
	}
	shim_leave(&call);
}

/* run_until_complete() says so of a task that it left by an exception: then nobody is warned of it. */
static bool may_be_pending(PyObject *task)
{
	PyObject *warns = py_get(task, "_log_destroy_pending");
	bool may = warns == PY_FALSE;

	py_drop(warns);
	return may;
}

/* The real one may call the exception handler. */
static void dealloc_task(PyObject *task)
{
	struct arch_caller caller = PY_CALLER();
	struct task *t = task_find(task, TRACE_TASK_PY_TASK);
	PyObject *type, *value, *trace, *outer = py_in_dealloc;
	struct call call;
	bool done = false;

	if (!t || !task_is_of_image(t) || py.over) {
		old_dealloc(task);
		return;
	}
	py_PyErr_Fetch(&type, &value, &trace);
	task->references++; /* nobody else has one: what is asked must not free it again */
	done = t->flags & HAS_FAILED || says(&is_done, task);
	if (done) {
		py_note_unseen(caller, task);
	}
	done = done || may_be_pending(task);
	task->references--;
	py_PyErr_Restore(type, value, trace);
	py_in_dealloc = task;
	old_dealloc(task);
	py_in_dealloc = outer;
	if (task_enter_any(&call, caller)) {
		t = task_find(task, TRACE_TASK_PY_TASK);
		py_task_changes++;
		if (t) {
			task_end(&call, t, done ? TRACE_TASK_FINISHED : TRACE_TASK_DESTROYED);
		}
		shim_leave(&call);
	}
}

/* ---- steps ---- */

/* Whose step or wake-up a callback is: borrowed; NULL = no task's. */
static PyObject *task_of(PyObject *callback)
{
	enum { FUNCTION_SELF = 24, STEP_TASK = 16 };
	PyObject *self = NULL;

	if (callback->type == py_data_PyCFunction_Type || callback->type == py_data_PyMethod_Type) {
		self = *(PyObject **)((uintptr_t)callback + FUNCTION_SELF);
	} else if (py_text_has(py_type_name(callback), "MethWrapper")) {
		self = *(PyObject **)((uintptr_t)callback + STEP_TASK);
	}
	return is_task(self) ? self : NULL;
}

struct step {
	struct task_run run;
	PyObject *task; /* a reference; NULL = another callback */
};

/* A callback that is no task's: one entry for each function. */
static void begin_callback(struct step *step, struct arch_caller caller, PyObject *handle,
			   PyObject *callback)
{
	struct task *t = task_find(handle, TRACE_TASK_PY_CALL);
	uintptr_t code = t && task_is_of_image(t) ? 0 : py_code_of(callback);
	struct call call;

	if (py.features & PY_RACES) {
		py_variable_publish(caller, &hook_post, true);
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

static void begin_step(struct step *step, struct arch_caller caller, PyObject *handle)
{
	PyObject *callback = py_PyObject_GetAttr(handle, word_callback);
	struct task *t;
	struct call call;

	*step = (struct step){ .task = NULL };
	if (!callback) {
		py_PyErr_Clear();
		return;
	}
	step->task = task_of(callback);
	if (!step->task) {
		begin_callback(step, caller, handle, callback);
		py_drop(callback);
		return;
	}
	py_Py_IncRef(step->task);
	py_drop(callback);
	t = task_find(step->task, TRACE_TASK_PY_TASK);
	if (!t || !task_is_of_image(t)) {
		struct py_about about;

		ask(&about, step->task);
		if (task_enter_any(&call, caller)) {
			call.stack = 0; /* whoever made it did so out of our sight */
			py_meet(&call, step->task, TRACE_TASK_PY_TASK, &about);
			shim_leave(&call);
		}
	}
	py_task_changes++;
	py_task_steps++;
	t = task_find(step->task, TRACE_TASK_PY_TASK);
	if (t) {
		py_cancel_before_step(caller, t, step->task);
	}
	task_called(&step->run, caller, step->task, TRACE_TASK_PY_TASK, 0, TASK_GOES_ON);
}

static void end_step(struct step *step, struct arch_caller caller)
{
	task_returned(&step->run, caller);
	if (step->task) {
		struct task *t = task_find(step->task, TRACE_TASK_PY_TASK);

		if (says(&is_done, step->task)) {
			end_of(caller, step->task);
		} else if (t) {
			py_cancel_after_step(caller, t, step->task);
		}
		py_drop(step->task);
	}
}

static PyObject *run_handle(PyObject *function, PyObject *const *args, size_t count,
			    PyObject *names)
{
	struct arch_caller caller = PY_CALLER();
	PyObject *result, *type, *value, *trace;
	struct step step;

	if (!shim_stream || PY_COUNT(count) < 1) {
		return hook_run.old(function, args, count, names);
	}
	begin_step(&step, caller, args[0]);
	result = hook_run.old(function, args, count, names);
	if (!result) {
		py_PyErr_Fetch(&type, &value, &trace);
	}
	end_step(&step, caller);
	if (!result) {
		py_PyErr_Restore(type, value, trace);
	}
	return result;
}

/* ---- loops ---- */

static void note_loop(struct arch_caller caller, PyObject *loop, unsigned step)
{
	struct call call;

	if (task_enter_any(&call, caller)) {
		emit_osar(call.s, TRACE_LOOP, task_loop(&call, loop, PY_LOOP), call.stack, step, 0);
		shim_leave(&call);
	}
}

static PyObject *run_forever(PyObject *function, PyObject *const *args, size_t count,
			     PyObject *names)
{
	struct arch_caller caller = PY_CALLER();
	PyObject *loop = PY_COUNT(count) ? args[0] : NULL, *result;

	if (loop) {
		py_Py_IncRef(loop);
		note_loop(caller, loop, TRACE_LOOP_RUN);
	}
	result = hook_forever.old(function, args, count, names);
	if (loop) {
		note_loop(caller, loop, TRACE_LOOP_LEFT);
		py_drop(loop);
	}
	return result;
}

static PyObject *close_loop(PyObject *function, PyObject *const *args, size_t count,
			    PyObject *names)
{
	struct arch_caller caller = PY_CALLER();
	PyObject *loop = PY_COUNT(count) ? args[0] : NULL, *result;

	if (loop) {
		py_Py_IncRef(loop);
	}
	result = hook_close.old(function, args, count, names);
	if (loop && result) {
		note_loop(caller, loop, TRACE_LOOP_CLOSE);
	}
	py_drop(loop);
	return result;
}

/* call_soon_threadsafe(loop, callback, …) gives the handle. */
static PyObject *post(PyObject *function, PyObject *const *args, size_t count, PyObject *names)
{
	struct arch_caller caller = PY_CALLER();
	PyObject *loop = PY_COUNT(count) ? args[0] : NULL,
		 *callback = PY_COUNT(count) > 1 ? args[1] : NULL, *handle;
	struct task *t;
	struct call call;

	if (callback) {
		py_Py_IncRef(loop);
		py_Py_IncRef(callback);
	}
	if (py.features & PY_RACES) { /* the loop may run it before we know its handle */
		py_variable_publish(caller, &hook_post, false);
	}
	handle = hook_post.old(function, args, count, names);
	if (callback) {
		uintptr_t code = handle ? py_code_of(callback) : 0;

		if (handle && task_enter_any(&call, caller)) {
			uint32_t id = task_loop(&call, loop, PY_LOOP);

			t = task_new(&call, handle, TRACE_TASK_PY_CALL, id);
			if (t) {
				task_set_callback(t, 0, py_place_of(code));
				task_arm(&call, t, id, true);
			}
			shim_leave(&call);
		}
		py_drop(loop);
		py_drop(callback);
	}
	return handle;
}

/* _cancel_all_tasks(loop) of asyncio.runners: what is not over when the main coroutine is. */
static void note_pending(struct arch_caller caller, PyObject *task)
{
	PyObject *coroutine = py_get(task, "_coro");
	struct py_chain chain;
	struct call call;
	struct task *t;

	py_chain_follow(&chain, coroutine);
	py_chain_find_loops(&chain);
	if (task_enter_any(&call, caller)) {
		t = task_find(task, TRACE_TASK_PY_TASK);
		if (t) {
			call.stack = py_stack_of_places(chain.code, chain.at, chain.count);
			/* One reference is ours, the other that of what it waits for, or of the loop. */
			task_step(&call, t,
				  !chain.is_endless && task->references <= 2 ? TRACE_TASK_FORGOTTEN
									     : TRACE_TASK_PENDING);
		}
		shim_leave(&call);
	}
	py_chain_drop(&chain);
	py_drop(coroutine);
}

struct of_loop {
	PyObject *loop;
};

static void note_if_pending(struct arch_caller caller, PyObject *task, void *cookie)
{
	const struct of_loop *of = cookie;
	PyObject *loop = py_get(task, "_loop");

	if (loop == of->loop && !says(&is_done, task)) {
		note_pending(caller, task);
	}
	py_drop(loop);
}

static PyObject *cancel_all(PyObject *function, PyObject *const *args, size_t count,
			    PyObject *names)
{
	struct arch_caller caller = PY_CALLER();
	struct of_loop of;

	if (PY_COUNT(count) >= 1 && shim_stream) {
		of.loop = args[0];
		py_look_at_awaits(caller);
		py_each_task(note_if_pending, caller, &of);
	}
	return hook_cancel_all.old(function, args, count, names);
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
	PyObject *handle = member("asyncio.events", "Handle"),
		 *loop = member("asyncio.base_events", "BaseEventLoop");
	PyObject *lock = member("asyncio.locks", "Lock");
	PyObject *runners = py_module("asyncio.runners"), *warnings = py_module("warnings");

	task_type = member("_asyncio", "Task");
	word_callback = py_PyUnicode_InternFromString("_callback");
	py_fail_install(loop, warnings);
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
	py_patch_dealloc_of_extension(task_type, dealloc_task, &old_dealloc);
	py_cancel_install(task_type);
	py_patch_method(task_type, "set_name", hook_set_name, &set_name);
	if (py_patch_function(handle, "_run", &hook_run) &&
	    py_patch_function(loop, "run_forever", &hook_forever)) {
		py.features |= PY_TASKS | PY_AWAITS;
	}
	py_patch_function(loop, "close", &hook_close);
	py_patch_function(loop, "call_soon_threadsafe", &hook_post);
	if (runners) {
		py_patch_function(runners, "_cancel_all_tasks", &hook_cancel_all);
	}
	if (lock) {
		py_async_lock_install(lock);
	}
}
