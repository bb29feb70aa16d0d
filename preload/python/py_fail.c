/* SPDX-License-Identifier: MIT */
/*
 * py_fail.c - exceptions that nobody looked at, and coroutines that nobody awaited: what asyncio and the interpreter log when they find out.
 */
#include "py_chain.h"

PY_HOOK(hook_exception, exception_handler)
PY_HOOK(hook_unawaited, unawaited)
PyObject *py_in_dealloc;
static struct py_patched set_exception;

/*
 * Where futures were given an exception: the newest, each at the place of its address. A future is given one once, so what is here for an
 * address is of the future that lies there, if that failed.
 */
static struct {
	uintptr_t future;
	uint32_t stack;
} given[512];

static size_t place_of(const PyObject *future)
{
	return ((uintptr_t)future >> 4) * 0x9e3779b97f4a7c15u >> (64 - 9);
}

static PyObject *hook_set_exception(void *a, void *b, void *c, void *d, void *e)
{
	struct arch_caller caller = ARCH_CALLER();
	PyObject *result = set_exception.call(a, b, c, d, e);
	size_t i = place_of(a);
	struct call call;

	if (result) {
		given[i].future = 0;
		if (task_enter_any(&call, caller)) {
			given[i].future = (uintptr_t)a;
			given[i].stack = stack_id(&call);
			shim_leave(&call);
		}
	}
	return result;
}

void py_fail_new_image(void)
{
	__builtin_memset(given, 0, sizeof(given));
}

/* The code objects and instructions of an exception's traceback, outermost first: the innermost ones. They live as long as it does. */
static uint32_t traceback_of(PyObject *exception, uintptr_t *ret_code, int *ret_at)
{
	PyObject *at = py_get(exception, "__traceback__"), *next;
	uint32_t n = 0;

	while (at && at != PY_NONE) {
		PyObject *frame = py_get(at, "tb_frame"), *where = py_get(at, "tb_lasti");
		PyObject *code = frame ? py_PyFrame_GetCode(frame) : NULL;

		if (code && where) {
			if (n == TF_MAX_FRAMES) {
				__builtin_memmove(ret_code, ret_code + 1,
						  (n - 1) * sizeof(*ret_code));
				__builtin_memmove(ret_at, ret_at + 1, (n - 1) * sizeof(*ret_at));
				n--;
			}
			ret_code[n] = (uintptr_t)code;
			ret_at[n++] = (int)py_PyLong_AsLong(where);
		}
		py_drop(code);
		py_drop(where);
		py_drop(frame);
		next = py_get(at, "tb_next");
		py_drop(at);
		at = next;
	}
	py_drop(at);
	py_PyErr_Clear();
	return n;
}

/* `of`, a task or future, failed, and its exception was never looked at. */
static void note_failure(struct arch_caller caller, PyObject *of, PyObject *exception)
{
	uintptr_t code[TF_MAX_FRAMES];
	int at[TF_MAX_FRAMES];
	uint32_t frames = exception ? traceback_of(exception, code, at) : 0;
	size_t i = place_of(of);
	struct call call;
	struct task *t;

	if (!task_enter_any(&call, caller)) {
		return;
	}
	t = task_find(of, TRACE_TASK_PY_TASK);
	if (!t || !task_is_of_image(t)) {
		call.stack =
			stack_id(&call); /* of a future only where it is thrown away is known */
		t = task_new(&call, of, TRACE_TASK_PY_FUTURE, 0);
	}
	if (t && t->kind == TRACE_TASK_PY_FUTURE && given[i].future == (uintptr_t)of) {
		call.stack = given[i].stack;
		task_arm(&call, t, 0, true);
	}
	if (t) {
		call.stack = py_stack_of_places(code, at, frames);
		task_step(&call, t, TRACE_TASK_FAILED);
		if (t->kind == TRACE_TASK_PY_FUTURE) {
			task_end(&call, t, TRACE_TASK_FINISHED);
		}
	}
	shim_leave(&call);
}

/* A task that is about to go. */
void py_note_unseen(struct arch_caller caller, PyObject *task)
{
	PyObject *unseen = py_get(task, "_log_traceback"),
		 *exception = unseen == PY_TRUE ? py_get(task, "_exception") : NULL;

	if (exception && exception != PY_NONE) {
		note_failure(caller, task, exception);
	}
	py_drop(exception);
	py_drop(unseen);
	py_PyErr_Clear();
}

/* call_exception_handler(loop, context) */
void py_note_exception(struct arch_caller caller, PyObject *context)
{
	PyObject *message = py_PyDict_GetItemString(context, "message"),
		 *of = py_PyDict_GetItemString(context, "task");
	const char *text = message && message->type == py_data_PyUnicode_Type
				   ? py_PyUnicode_AsUTF8AndSize(message, NULL)
				   : NULL;

	of = of ? of : py_PyDict_GetItemString(context, "future");
	if (text && of && of != py_in_dealloc && py_text_has(text, "never retrieved")) {
		note_failure(caller, of, py_PyDict_GetItemString(context, "exception"));
	}
}

static PyObject *exception_handler(PyObject *function, PyObject *const *args, size_t count,
				   PyObject *names)
{
	if (PY_COUNT(count) > 1 && args[1]->type == py_data_PyDict_Type) {
		py_note_exception(PY_CALLER(), args[1]);
	}
	return hook_exception.old(function, args, count, names);
}

/* warnings._warn_unawaited_coroutine(coroutine): the interpreter calls it when it throws one away that was never begun. */
static PyObject *unawaited(PyObject *function, PyObject *const *args, size_t count, PyObject *names)
{
	PyObject *name = PY_COUNT(count) ? py_get(args[0], "__qualname__") : NULL;
	uintptr_t code = PY_COUNT(count) ? py_code_of(args[0]) : 0;
	char text[200];
	size_t bytes = py_text(name, text, sizeof(text));
	struct task *t;
	struct call call;

	py_drop(name);
	if (PY_COUNT(count) && task_enter_any(&call, PY_CALLER())) {
		t = task_new(&call, args[0], TRACE_TASK_PY_COROUTINE, 0);
		if (t) {
			py_define_name(&call, t, text, (uint32_t)bytes);
			task_set_callback(t, 0, py_place_of(code));
			task_arm(&call, t, 0, true);
			task_end(&call, t, TRACE_TASK_UNAWAITED);
		}
		shim_leave(&call);
	}
	return hook_unawaited.old(function, args, count, names);
}

void py_fail_install(PyObject *loop, PyObject *future, PyObject *warnings)
{
	if (future) {
		py_patch_method(future, "set_exception", hook_set_exception, &set_exception);
	}
	if (warnings && py_patch_function(warnings, "_warn_unawaited_coroutine", &hook_unawaited)) {
		py.features |= PY_FINALISERS;
	}
	if (loop) {
		py_patch_function(loop, "call_exception_handler", &hook_exception);
	}
}
