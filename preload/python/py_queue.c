/* SPDX-License-Identifier: MIT */
/*
 * py_queue.c - what the interpreter makes itself and a program waits at: queue.SimpleQueue, a semaphore that counts what lies in it; the
 * semaphores of multiprocessing, which are libc's and get their names here; and which signals the program handles itself.
 *
 * A module of the interpreter's that is written in C is looked at as soon as it is there: its import is announced before.
 */
#include "py_lock.h"
#include "py_name.h"
#include "py_pool.h"

#include "../wrap_library.h"

enum { PY_EXPECT_QUEUE = 1, PY_EXPECT_POOL = 2, PY_EXPECT_SEMAPHORE = 4 };
enum { QUEUE = KIND_OF_LIBRARY(SEM, PYTHON) | KIND_ZERO_BORN };

uint32_t py_module_expected;

static struct py_patched queue_get, queue_get_nowait, queue_put, queue_put_nowait;
static void (*queue_dealloc)(PyObject *);
static PyObject *(*queue_new)(PyObject *, PyObject *, PyObject *);

/* Argument `index` of a method that is told its class as well, or not. */
static PyObject *argument(const struct py_patched *p, void *b, void *c, void *d, void *e,
			  unsigned index, const char *name)
{
	return p->flags & PY_METHOD ? py_argument(p, c, d, e, index, name)
				    : py_argument(p, b, c, d, index, name);
}

static PyObject *take(struct arch_caller caller, const struct py_patched *p, void *a, void *b,
		      void *c, void *d, void *e)
{
	PyObject *block = argument(p, b, c, d, e, 0, "block");
	PyObject *timeout = argument(p, b, c, d, e, 1, "timeout");
	unsigned mode = p == &queue_get_nowait || block == PY_FALSE ? TRACE_MODE_TRY
			: timeout && timeout != PY_NONE		    ? TRACE_MODE_TIMED
								    : 0;
	struct call call;
	PyObject *result;

	if (!shim_enter_with(&call, caller, ROOM_EARLY) || !lock_before(&call, QUEUE, a, mode)) {
		return p->call(a, b, c, d, e);
	}
	shim_mute(&call);
	result = p->call(a, b, c, d, e);
	lock_after(&call, QUEUE, mode, result ? 0 : mode & TRACE_MODE_TRY ? EBUSY : ETIMEDOUT);
	if (result) {
		py_pool_taken(caller, result);
	}
	return result;
}

/* The GIL is held throughout: who takes it is recorded after. */
static PyObject *give(struct arch_caller caller, const struct py_patched *p, void *a, void *b,
		      void *c, void *d, void *e)
{
	PyObject *item = p->flags & PY_FASTCALL ? py_argument(p, b, c, d, 0, "item") : NULL,
		 *result;
	struct call call;

	if (item) {
		py_pool_put(caller, item);
	}
	result = p->call(a, b, c, d, e);
	if (result && shim_enter_with(&call, caller, ROOM_EARLY)) {
		call.stack = stack_id(&call);
		call.object = object_find(&call, a, QUEUE);
		if (call.object) {
			emit_os_seq(call.s, TRACE_POST, call.object->id, call.stack, 0);
		}
		shim_leave(&call);
	}
	return result;
}

#define HOOK(name, body)                                                          \
	static PyObject *hook_##name(void *a, void *b, void *c, void *d, void *e) \
	{                                                                         \
		return body(PY_CALLER(), &name, a, b, c, d, e);                   \
	}
HOOK(queue_get, take)
HOOK(queue_get_nowait, take)
HOOK(queue_put, give)
HOOK(queue_put_nowait, give)

static PyObject *new_queue(PyObject *type, PyObject *args, PyObject *kwargs)
{
	PyObject *queue = queue_new(type, args, kwargs);

	if (queue) {
		py_object_made(PY_CALLER(), queue, QUEUE, 0, "queue.SimpleQueue");
	}
	return queue;
}

static void dealloc_queue(PyObject *queue)
{
	py_object_gone(PY_CALLER(), queue);
	queue_dealloc(queue);
}

static void install_queue(PyObject *module)
{
	PyObject *type = py_PyObject_GetAttrString(module, "SimpleQueue");

	if (type && py_patch_method(type, "get", hook_queue_get, &queue_get) &&
	    py_patch_method(type, "put", hook_queue_put, &queue_put)) {
		py_patch_method(type, "get_nowait", hook_queue_get_nowait, &queue_get_nowait);
		py_patch_method(type, "put_nowait", hook_queue_put_nowait, &queue_put_nowait);
		py_patch_dealloc_of_extension(type, dealloc_queue, &queue_dealloc);
		py_patch_new_of_extension(type, new_queue, &queue_new);
	}
	py_PyErr_Clear(); /* the reference is kept */
}

/* ---- semaphores of multiprocessing ---- */

const struct stream *python_semaphore_waits;

static struct py_patched semaphore_acquire, semaphore_enter;

static PyObject *take_semaphore(struct arch_caller caller, const struct py_patched *p, void *a,
				void *b, void *c, void *d, void *e)
{
	PyObject *block = p == &semaphore_enter ? NULL : argument(p, b, c, d, e, 0, "block");
	PyObject *timeout = p == &semaphore_enter ? NULL : argument(p, b, c, d, e, 1, "timeout");
	PyObject *result;

	(void)caller;
	if ((!block || block == PY_TRUE) && (!timeout || timeout == PY_NONE)) {
		__atomic_store_n(&python_semaphore_waits, shim_stream, __ATOMIC_RELAXED);
	}
	result = p->call(a, b, c, d, e);
	return result;
}
HOOK(semaphore_acquire, take_semaphore)
HOOK(semaphore_enter, take_semaphore)

static void install_semaphore(PyObject *module)
{
	PyObject *type = py_PyObject_GetAttrString(module, "SemLock");

	if (type) {
		py_patch_method(type, "acquire", hook_semaphore_acquire, &semaphore_acquire);
		py_patch_method(type, "__enter__", hook_semaphore_enter, &semaphore_enter);
	}
	py_PyErr_Clear(); /* the reference is kept */
}

/* ---- modules that come later ---- */

static PyObject *expected(PyObject *modules, uint32_t which, const char *name)
{
	return modules && py_module_expected & which ? py_PyDict_GetItemString(modules, name)
						     : NULL;
}

void py_module_look(void)
{
	PyObject *modules = py_is_finalizing() ? NULL : py_PyImport_GetModuleDict();
	PyObject *queue = expected(modules, PY_EXPECT_QUEUE, "_queue");
	PyObject *pool = expected(modules, PY_EXPECT_POOL, "concurrent.futures.thread");
	PyObject *semaphore = expected(modules, PY_EXPECT_SEMAPHORE, "_multiprocessing");
	PyObject *type, *value, *trace;

	if (!queue && !pool && !semaphore) {
		return;
	}
	py_PyErr_Fetch(&type, &value, &trace);
	if (queue) {
		py_module_expected &= ~(uint32_t)PY_EXPECT_QUEUE;
		install_queue(queue);
	}
	if (semaphore) {
		py_module_expected &= ~(uint32_t)PY_EXPECT_SEMAPHORE;
		install_semaphore(semaphore);
	}
	if (pool && py_pool_install(pool)) {
		py_module_expected &= ~(uint32_t)PY_EXPECT_POOL;
	}
	py_PyErr_Clear();
	py_PyErr_Restore(type, value, trace);
}

void py_module_announced(const char *name)
{
	if (py_text_is(name, "_queue") && !queue_get.call) {
		py_module_expected |= PY_EXPECT_QUEUE;
	} else if (py_text_is(name, "_multiprocessing") && !semaphore_acquire.call) {
		py_module_expected |= PY_EXPECT_SEMAPHORE;
	} else if (py_text_is(name, "concurrent.futures.thread")) {
		py_module_expected |= PY_EXPECT_POOL;
	}
}

/* ---- their names ---- */

/* Called when sem_open made one: in a thread that runs Python code, inside of what makes a Lock, a Queue. The guard is not held. */
const struct py_site *python_semaphore_site(void)
{
	if (!(py.features & PY_LOCKS) || py_is_finalizing() || !py_PyGILState_Check ||
	    !py_PyGILState_Check() || !py_frame_now()) {
		return NULL;
	}
	return py_site_now("semaphore");
}

/* ---- signals ---- */

static struct py_patched signal_signal;

/* The interpreter has a handler for SIGINT from the start; one of the program's own is another matter. */
static PyObject *hook_signal_signal(void *a, void *b, void *c, void *d, void *e)
{
	PyObject *result = signal_signal.call(a, b, c, d, e);
	PyObject *number = py_argument(&signal_signal, b, c, d, 0, "");
	PyObject *handler = py_argument(&signal_signal, b, c, d, 1, "");

	if (result && number && handler && handler->type != py_data_PyLong_Type &&
	    handler->type != py_data_PyCFunction_Type && !(py.features & TF_PYTHON_HANDLERS)) {
		py.features |= TF_PYTHON_HANDLERS;
		py_say_runtime();
	}
	return result;
}

bool py_queues_install(void)
{
	PyObject *modules = py_PyImport_GetModuleDict();
	PyObject *signals = modules ? py_PyDict_GetItemString(modules, "_signal") : NULL;

	py_module_expected = PY_EXPECT_QUEUE | PY_EXPECT_POOL |
			     PY_EXPECT_SEMAPHORE; /* they may be there already */
	py_module_look();
	py_module_expected = 0;
	return signals && py_patch_method(signals, "signal", hook_signal_signal, &signal_signal);
}
