/* SPDX-License-Identifier: MIT */
/*
 * py_thread.c - Python's threads: their names, and joins.
 *
 * Thread.join() does not come down to pthread_join. Up to 3.12 a thread is detached; it takes a lock of its own when it begins, the interpreter
 * releases that when its part of it is over, and join takes it. From 3.13 a handle knows. In both cases the wait is recorded as a join, and the
 * first one that succeeds as the thread's. The lock itself is no lock to anybody: it goes unrecorded.
 *
 * All tables here are under the GIL; what is taken out again is under a spin lock too.
 */
#include "py_thread.h"

#include "../wrap_library.h"
#include "../wrap_thread.h"

#include <sys/mman.h>

enum { BUCKETS = 1024 };

struct py_thread {
	struct py_thread *next;
	uintptr_t lock; /* or handle */
	uint32_t id;
	bool joined;
	struct stream *stream; /* its own; NULL = its end is waited for by pthread_join */
};

static struct py_thread *threads[BUCKETS], *unused;

/* Both lists point into memory that is wiped in a forked child. */
void py_threads_new_image(void)
{
	__builtin_memset(threads, 0, sizeof(threads));
	unused = NULL;
}

/* Interpreters with a GIL of their own have threads at the same time. */
static spin_t threads_spin;

static struct py_thread **place_of(const void *lock)
{
	struct py_thread **p = &threads[(((uintptr_t)lock >> 4) * 0x9e3779b97f4a7c15u) >> 54];

	while (*p && (*p)->lock != (uintptr_t)lock) {
		p = &(*p)->next;
	}
	return p;
}

static struct py_thread *thread_add(const void *lock, uint32_t id, struct stream *stream)
{
	struct py_thread **p, *t;

	spin_lock(&threads_spin);
	p = place_of(lock);
	t = *p;
	if (!t) {
		t = unused;
		if (t) {
			unused = t->next;
		} else {
			t = shim_alloc(sizeof(*t));
		}
	}
	if (t) {
		*t = (struct py_thread){ .next = *p ? t->next : NULL,
					 .lock = (uintptr_t)lock,
					 .id = id,
					 .stream = stream };
		*p = t;
	}
	spin_unlock(&threads_spin);
	return t;
}

void py_thread_lock(const void *lock)
{
	if (shim_stream && shim_stream->thread) {
		thread_add(lock, shim_stream->thread, shim_stream);
	}
}

void py_thread_lock_gone(const void *lock)
{
	struct py_thread **p, *t;

	spin_lock(&threads_spin);
	p = place_of(lock);
	t = *p;
	if (t) {
		*p = t->next;
		t->next = unused;
		unused = t;
	}
	spin_unlock(&threads_spin);
}

struct py_thread *py_thread_of(const void *lock)
{
	struct py_thread *t;

	spin_lock(&threads_spin);
	t = *place_of(lock);
	spin_unlock(&threads_spin);
	return t;
}

/*
 * Up to 3.12 the lock is released before the thread is over: what that still records may come after what the joiner does next.
 * How many records there were when the lock came; 0 = the thread is over, or nobody knows. Streams are never given back.
 */
static uint64_t records_of(const struct stream *s, uint32_t id)
{
	const struct tf_segment *g = s ? s->segment : NULL;
	uint64_t records = g ? __atomic_load_n(&g->events, __ATOMIC_ACQUIRE) : 0;

	return g && s->thread == id ? records : 0;
}

PyObject *py_join(struct arch_caller caller, struct py_thread *t, unsigned mode,
		  const struct py_patched *p, void *a, void *b, void *c, void *d, void *e)
{
	uint32_t id = t->id;
	struct call call;
	PyObject *result;

	if (!shim_enter_with(&call, caller, ROOM_EARLY)) {
		return p->call(a, b, c, d, e);
	}
	call.stack = stack_id(&call);
	if (!(mode & TRACE_MODE_TRY)) {
		wait_set(&call, TRACE_WAIT_JOIN, 0, id, mode, arch_ticks());
		if (call.s->held || task_is_inside(call.s, caller.sp)) {
			emit_osa_seq(call.s, TRACE_BLOCK, 0, call.stack, TRACE_CALL_JOIN, 0);
		}
	}
	shim_mute(&call);
	result = p->call(a, b, c, d, e);
	shim_reenter(&call);
	if (!(mode & TRACE_MODE_TRY)) {
		wait_clear(&call);
		if (call.s->held || task_is_inside(call.s, caller.sp)) {
			emit_plain(call.s, TRACE_UNBLOCK, 2, TRACE_CALL_JOIN,
				   encode_zigzag(result ? 0 : EINTR), 0);
		}
	}
	t = py_thread_of(a);
	if (result && (result == PY_TRUE || result == PY_NONE) && id && t && !t->joined) {
		t->joined = true;
		emit_join(call.s, id, call.stack, encode_zigzag(0), records_of(t->stream, id));
	}
	shim_leave(&call);
	return result;
}

/* ---- names ---- */

static void define_name(struct stream *s, const char *text, uint32_t bytes)
{
	struct tf_def_name def = { .def.type = TF_DEF_NAME, .thread = s->thread, .bytes = bytes };

	region_define(&def.def, sizeof(def), text, bytes, "", 1);
	emit_plain(s, TRACE_NAME, 1, s->thread, 0, 0);
}

void py_thread_named(struct arch_caller caller, PyObject *thread)
{
	PyObject *word = thread ? py_PyUnicode_InternFromString("_name") : NULL;
	PyObject *name = word ? py_PyObject_GenericGetAttr(thread, word) : NULL;
	char text[64];
	size_t bytes;
	struct call call;

	if (name && shim_enter_with(&call, caller, ROOM)) {
		bytes = py_text(name, text, sizeof(text) - 1);
		text[bytes] = 0;
		define_name(call.s, text, (uint32_t)bytes);
		shim_leave(&call);
	}
	if (!name) {
		py_PyErr_Clear();
	} else {
		py_Py_DecRef(name);
	}
	if (word) {
		py_Py_DecRef(word);
	}
}

/* ---- from 3.13: _thread._ThreadHandle ---- */

static struct py_patched handle_join;
static void (*handle_dealloc)(PyObject *);

static PyObject *hook_handle_join(void *a, void *b, void *c, void *d, void *e)
{
	struct py_thread *t = py_thread_of(a);
	PyObject *timeout = py_argument(&handle_join, b, c, d, 0, "timeout");
	struct call call;

	if (!t) {
		PyObject *ident = py_PyObject_GetAttrString(a, "ident");
		uintptr_t handle = ident && ident->type == py_data_PyLong_Type
					   ? py_PyLong_AsUnsignedLongMask(ident)
					   : 0;

		if (ident) {
			py_Py_DecRef(ident);
		}
		py_PyErr_Clear();
		if (handle && shim_enter_with(&call, ARCH_CALLER(), ROOM)) {
			t = thread_add(a, thread_id_of(&call, handle), NULL);
			shim_leave(&call);
		}
	}
	if (!t) {
		return handle_join.call(a, b, c, d, e);
	}
	return py_join(ARCH_CALLER(), t, timeout && timeout != PY_NONE ? TRACE_MODE_TIMED : 0,
		       &handle_join, a, b, c, d, e);
}

/* A thread that the end of the program has to wait for, as the module threading knows them: the first; 0 = none. */
static uintptr_t awaited_at_end(void)
{
	PyObject *threading = py_PyDict_GetItemString(py_PyImport_GetModuleDict(), "threading");
	PyObject *active = threading ? py_PyObject_GetAttrString(threading, "_active") : NULL;
	PyObject *list = active && active->type == py_data_PyDict_Type ? py_PyDict_Values(active)
								       : NULL;
	uintptr_t found = 0;

	for (intptr_t i = 0; list && !found && i < py_PyList_Size(list); i++) {
		PyObject *thread = py_PyList_GetItem(list, i);
		PyObject *daemonic = py_PyObject_GetAttrString(thread, "_daemonic");
		PyObject *ident = py_PyObject_GetAttrString(thread, "_ident");
		uintptr_t handle = ident && ident->type == py_data_PyLong_Type
					   ? py_PyLong_AsUnsignedLongMask(ident)
					   : 0;

		if (daemonic == PY_FALSE && handle != (uintptr_t)pthread_self()) {
			found = handle;
		}
		if (daemonic) {
			py_Py_DecRef(daemonic);
		}
		if (ident) {
			py_Py_DecRef(ident);
		}
		py_PyErr_Clear();
	}
	if (list) {
		py_Py_DecRef(list);
	}
	if (active) {
		py_Py_DecRef(active);
	}
	py_PyErr_Clear();
	return found;
}

static struct py_patched shutdown_all;

/* It waits for one thread after the other, in a way that does not show: the slot names the one that it begins with. */
static PyObject *hook_shutdown_all(void *a, void *b, void *c, void *d, void *e)
{
	uintptr_t handle = awaited_at_end();
	struct call call;
	PyObject *result;
	bool noted = handle && shim_enter_with(&call, ARCH_CALLER(), ROOM_EARLY);

	if (noted) {
		call.stack = stack_id(&call);
		wait_set(&call, TRACE_WAIT_JOIN, 0, thread_id_of(&call, handle), 0, arch_ticks());
		shim_leave(&call);
	}
	result = shutdown_all.call(a, b, c, d, e);
	if (noted) {
		shim_reenter(&call);
		wait_clear(&call);
		shim_leave(&call);
	}
	return result;
}

static void dealloc_handle(PyObject *handle)
{
	py_thread_lock_gone(handle);
	handle_dealloc(handle);
}

bool py_threads_install(PyObject *module)
{
	PyObject *type = py_PyObject_GetAttrString(module, "_ThreadHandle");
	bool done = false;

	if (type) {
		done = py_patch_dealloc(type, dealloc_handle, &handle_dealloc) &&
		       py_patch_method(type, "join", hook_handle_join, &handle_join);
		py_patch_method(module, "_shutdown", hook_shutdown_all, &shutdown_all);
	}
	py_PyErr_Clear();
	return done; /* the reference is kept */
}
