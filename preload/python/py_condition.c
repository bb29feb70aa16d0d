/* SPDX-License-Identifier: MIT */
/*
 * py_condition.c - what a call of a lock means by the function of threading.py that makes it, and Conditions, which are only that.
 */
#include "py_lock.h"
#include "py_name.h"

#include "../wrap_library.h"

enum { CONDITION = KIND_OF_LIBRARY(COND, PYTHON) | KIND_ZERO_BORN };

struct py_meaning py_meaning;
static PyObject *lock_word; /* "_lock" */

bool py_conditions_install(void)
{
	lock_word = py_PyUnicode_InternFromString("_lock");
	return lock_word != NULL;
}

/* The code object of module.class.function or module.function; 0 = it has none of that name. It lives as long as its function does. */
static uintptr_t code_of(PyObject *module, const char *class, const char *function)
{
	PyObject *type = py_PyObject_GetAttrString(module, class), *f = type, *code = NULL;

	if (type && function) {
		f = py_PyObject_GetAttrString(type, function);
		py_Py_DecRef(type);
	}
	code = f ? py_PyObject_GetAttrString(f, "__code__") : NULL;
	if (code) {
		py_Py_DecRef(code); /* the function keeps it */
	}
	if (f) {
		py_Py_DecRef(f);
	}
	py_PyErr_Clear();
	return code && code->type == py_data_PyCode_Type ? (uintptr_t)code : 0;
}

/* The program imports threading, we do not. Until that is done it has no Condition; its last function tells. */
static void learn_meanings(void)
{
	PyObject *modules = py_is_finalizing() ? NULL : py_PyImport_GetModuleDict();
	PyObject *threading = modules ? py_PyDict_GetItemString(modules, "threading") : NULL;
	PyObject *type, *value, *trace, *last;

	if (!threading) {
		return;
	}
	py_PyErr_Fetch(&type, &value, &trace);
	last = py_PyObject_GetAttrString(threading, "_after_fork");
	if (last) {
		py_meaning.notify = code_of(threading, "Condition", "notify");
		py_meaning.notify_all = code_of(threading, "Condition", "notify_all");
		py_meaning.is_owned = code_of(threading, "Condition", "_is_owned");
		py_meaning.join = code_of(threading, "Thread", "_wait_for_tstate_lock");
		py_meaning.set_lock = code_of(threading, "Thread", "_set_tstate_lock");
		py_meaning.bootstrap = code_of(threading, "Thread", "_bootstrap_inner");
		py_meaning.shutdown = code_of(threading, "_shutdown", NULL);
		py_meaning.wait = code_of(threading, "Condition", "wait");
		py_Py_DecRef(last);
		py_stack_forget();
	}
	py_PyErr_Clear();
	py_PyErr_Restore(type, value, trace);
}

bool py_locks_mean_plain(const uint8_t *frame)
{
	const uintptr_t *meaning = (const uintptr_t *)&py_meaning;
	uintptr_t code = frame ? py_frame_code(frame) : 0;

	for (size_t i = 0; i < sizeof(py_meaning) / sizeof(*meaning); i++) {
		if (code == meaning[i]) {
			return false;
		}
	}
	return py_meaning.wait && code;
}

uintptr_t py_calling_code(void)
{
	const uint8_t *f = py_frame_real(py_frame_here());

	if (unlikely(!py_meaning.wait)) {
		learn_meanings();
	}

	return f ? py_frame_code(f) : 0;
}

/* TRACE_MODE_* of acquire(blocking=True, timeout=-1). Objects of other types are not asked: their answers may be code of the program's. */
unsigned py_mode_of(const struct py_patched *p, void *b, void *c, void *d)
{
	PyObject *blocking, *timeout;

	if (likely(py_has_no_arguments(p, b, c, d))) {
		return 0;
	}
	blocking = py_argument(p, b, c, d, 0, "blocking");
	if (blocking && (blocking == PY_FALSE || (blocking->type == py_data_PyLong_Type &&
						  py_PyLong_AsUnsignedLongMask(blocking) == 0))) {
		return TRACE_MODE_TRY;
	}
	timeout = py_argument(p, b, c, d, 1, "timeout");
	if (timeout && timeout->type == py_data_PyFloat_Type) {
		return py_PyFloat_AsDouble(timeout) >= 0 ? TRACE_MODE_TIMED : 0;
	}
	if (timeout && timeout->type == py_data_PyLong_Type) {
		return (long)py_PyLong_AsUnsignedLongMask(timeout) >= 0 ? TRACE_MODE_TIMED : 0;
	}
	return timeout ? TRACE_MODE_TIMED : 0;
}

int py_result_of(const PyObject *result, unsigned mode)
{
	return !result		       ? EINTR /* an exception, of a signal's handler perhaps */
	       : result == PY_TRUE     ? 0
	       : mode & TRACE_MODE_TRY ? EBUSY
				       : ETIMEDOUT;
}

/* ---- a wait for a Condition ---- */

/* Which attribute of the object whose method waits or notifies is it? Only the standard library's objects are asked. */
static const char *part_of(const PyObject *condition, const uint8_t *frame)
{
	static const char *const parts[] = { "not_empty", "not_full", "all_tasks_done" };
	PyObject *owner = frame && py_code_kind(py_frame_code(frame)) == TF_PLACE_LIBRARY
				  ? py_frame_local(frame, 0)
				  : NULL;

	for (size_t i = 0; owner && owner != condition && i < sizeof(parts) / sizeof(parts[0]);
	     i++) {
		PyObject *name = py_PyUnicode_InternFromString(parts[i]);
		PyObject *found = name ? py_PyObject_GenericGetAttr(owner, name) : NULL;

		if (name) {
			py_Py_DecRef(name);
		}
		if (found) {
			py_Py_DecRef(found); /* its owner keeps it */
		}
		if (found == condition) {
			return parts[i];
		}
	}
	py_PyErr_Clear();
	return NULL;
}

/* Takes the guard, finds the Condition and its name; NULL: nothing is recorded, the guard is open. */
static struct object *condition_enter(struct call *call, struct arch_caller caller,
				      PyObject *condition, const uint8_t *user)
{
	const struct py_site *site = NULL;
	const char *part = NULL;
	bool is_new;

	if (!condition || !shim_enter_with(call, caller, ROOM_EARLY)) {
		return NULL;
	}
	is_new = !object_peek((uintptr_t)condition);
	if (unlikely(is_new)) {
		PyObject *lock, *type, *value, *trace;

		shim_leave(call);
		py_PyErr_Fetch(&type, &value, &trace);
		lock = py_PyObject_GenericGetAttr(condition, lock_word);
		site = lock ? py_lock_site(lock) : NULL;
		if (lock) {
			py_Py_DecRef(lock);
		}
		part = part_of(condition, user);
		py_PyErr_Clear();
		py_PyErr_Restore(type, value, trace);
		if (!shim_enter_with(call, caller, ROOM_EARLY)) {
			return NULL;
		}
	}
	call->stack = stack_id(call);
	call->object = object_find(call, condition, CONDITION);
	if (!call->object) {
		shim_leave(call);
		return NULL;
	}
	call->object_id = call->object->id;
	if (unlikely(is_new)) {
		py_name_condition(call->object_id, site, part);
	}
	return call->object;
}

PyObject *py_condition_wait(struct arch_caller caller, const struct py_patched *p, void *a, void *b,
			    void *c, void *d, void *e)
{
	const uint8_t *frame = py_frame_now();
	unsigned mode = py_mode_of(p, b, c, d);
	struct call call;
	PyObject *result;

	if (!condition_enter(&call, caller, py_frame_local(frame, 0), py_frame_back(frame))) {
		return p->call(a, b, c, d, e);
	}
	atomic_fetch_add_explicit(&call.object->waiters, 1, memory_order_relaxed);
	emit_cond_wait(call.s, call.object_id, 0, call.stack, mode & TRACE_MODE_TIMED);
	wait_set(&call, TRACE_WAIT_COND, call.object_id, 0, mode, call.s->last_ticks);
	shim_mute(&call);
	result = p->call(a, b, c, d, e);
	shim_reenter(&call);
	wait_clear(&call);
	if (call.object->id == call.object_id) {
		atomic_fetch_sub_explicit(&call.object->waiters, 1, memory_order_relaxed);
	}
	emit_cond_wake(call.s, call.object_id, 0, call.stack, 0, py_result_of(result, mode), 0);
	shim_leave(&call);
	return result;
}

/*
 * notify() asks first whether its lock is held: that is the moment, whether somebody waits or not. One that nobody ever waited for
 * is recorded where the program itself notifies (the next wait may be too late), not where a class does that keeps what it tells.
 */
void py_condition_notified(struct arch_caller caller, const uint8_t *frame)
{
	PyObject *condition = py_frame_local(frame, 0), *count = py_frame_local(frame, 1);
	const uint8_t *user = py_frame_back(frame);
	bool all = user && py_frame_code(user) == py_meaning.notify_all;
	unsigned long n = count && count->type == py_data_PyLong_Type
				  ? py_PyLong_AsUnsignedLongMask(count)
				  : 1;
	uint32_t waiters;
	struct call call;
	bool known;

	if (all) {
		user = py_frame_back(user);
	}
	if (!condition || !shim_enter_with(&call, caller, ROOM_EARLY)) {
		return;
	}
	known = object_peek((uintptr_t)condition) != NULL;
	shim_leave(&call);
	if ((!known && user && py_code_is_library(py_frame_code(user))) ||
	    !condition_enter(&call, caller, condition, user)) {
		return;
	}
	waiters = atomic_load_explicit(&call.object->waiters, memory_order_relaxed);
	if (all || (waiters > 1 && n >= waiters)) {
		emit_osa_seq(call.s, TRACE_COND_BROADCAST, call.object_id, call.stack, waiters, 0);
	} else {
		for (unsigned long i = 0; i < n && i < (waiters ? waiters : 1) && i < 8; i++) {
			emit_osa_seq(call.s, TRACE_COND_SIGNAL, call.object_id, call.stack, waiters,
				     0);
		}
	}
	shim_leave(&call);
}
