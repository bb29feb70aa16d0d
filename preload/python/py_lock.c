/* SPDX-License-Identifier: MIT */
/*
 * py_lock.c - threading's Lock and RLock, by their own methods; and what the standard library builds on them, told by the frame that calls.
 *
 * A Lock may be released by any thread, so it is recorded as a semaphore of one: the analyzer takes it for a lock as long as each
 * release is its holder's. An RLock is a recursive mutex. What the real method does below (sem_t, futex, parking lot) goes unrecorded.
 *
 * threading.Condition makes a Lock for each wait, takes it twice, and notify() releases it: such a Lock is no lock at all. Calls
 * from Condition.wait and notify are recorded as what they mean, on the Condition. Thread.join of 3.12 and older takes a Lock that the
 * thread's end releases: that is a join.
 */
#include "py_lock.h"
#include "py_name.h"
#include "py_thread.h"

#include "../steer/steer.h"
#include "../wrap_library.h"

enum {
	LOCK = KIND_OF_LIBRARY(SEM, PYTHON) | KIND_ZERO_BORN,
	RLOCK = KIND_OF_LIBRARY(MUTEX, PYTHON) | KIND_TYPE_1 | KIND_ZERO_BORN,
};

static struct py_patched lock_acquire, lock_acquire_old, lock_enter, lock_release, lock_release_old,
	lock_exit, lock_locked, allocate, allocate_old;
static struct py_patched rlock_acquire, rlock_enter, rlock_release, rlock_exit, rlock_save,
	rlock_restore, rlock_owned;
static void (*lock_dealloc)(PyObject *), (*rlock_dealloc)(PyObject *);
static PyObject *(*lock_new)(PyObject *, PyObject *, PyObject *),
	*(*rlock_new)(PyObject *, PyObject *, PyObject *);

static bool is_locked(PyObject *lock)
{
	return lock_locked.call && lock_locked.call(lock, NULL, NULL, NULL, NULL) == PY_TRUE;
}

/* ---- Lock ---- */

static PyObject *silent(struct arch_caller caller, const struct py_patched *p, void *a, void *b,
			void *c, void *d, void *e)
{
	struct call call;
	PyObject *result;

	if (unlikely(py_module_expected)) {
		py_module_look();
	}
	if (!shim_enter_with(&call, caller, ROOM)) {
		return p->call(a, b, c, d, e);
	}
	shim_mute(&call);
	result = p->call(a, b, c, d, e);
	shim_unmute(&call);
	return result;
}

static void *leave_gil(void)
{
	return py_PyEval_SaveThread();
}

static void enter_gil(void *left)
{
	py_PyEval_RestoreThread(left);
}

static const struct steer_outside gil = { .leave = leave_gil, .enter = enter_gil };

static bool is_steered(void)
{
	return unlikely(steer_is_on) && py_PyEval_SaveThread && py_PyEval_RestoreThread;
}

/* The real method, of an object whose wait slot is filled: it may wait, so it may wait for us, too. */
static PyObject *call_steered(const struct py_patched *p, unsigned mode, void *a, void *b, void *c,
			      void *d, void *e)
{
	struct steer_call call;
	PyObject *result;

	steer_take_before(&call, (uintptr_t)a, mode, (uintptr_t)__builtin_frame_address(0), &gil);
	result = p->call(a, b, c, d, e);
	steer_take_after(&call, (uintptr_t)a, mode, result && py_result_of(result, mode) == 0,
			 ARCH_CALLER());
	return result;
}

static PyObject *acquire(struct arch_caller caller, unsigned kind, const struct py_patched *p,
			 void *a, void *b, void *c, void *d, void *e)
{
	unsigned mode = py_mode_of(p, b, c, d);
	/* An RLock has an owner, a semaphore none: whether this will be a wait only the lock itself knows. */
	bool waits = kind == LOCK && !(mode & TRACE_MODE_TRY) && is_locked(a);
	struct call call;
	PyObject *result;

	if (!shim_enter_with(&call, caller, ROOM_EARLY)) {
		return p->call(a, b, c, d, e);
	}
	if (unlikely(waits)) {
		struct object *o;

		call.stack = stack_id(&call);
		o = object_find(&call, a, kind);
		if (o) {
			emit_request(call.s, o->id, call.stack, mode, 0);
		}
	}
	if (unlikely(py_names_inherited)) {
		struct object *o;

		call.stack = stack_id(&call);
		o = object_find(&call, a, kind);
		if (o) {
			py_lock_met(a, o->id);
		}
	}
	if (!lock_before(&call, kind, a, mode)) {
		return p->call(a, b, c, d, e);
	}
	shim_mute(&call);
	result = is_steered() && p != &rlock_restore ? call_steered(p, mode, a, b, c, d, e)
						     : p->call(a, b, c, d, e);
	lock_after(&call, kind, mode, p == &rlock_restore ? 0 : py_result_of(result, mode));
	call.s->python_held += kind == LOCK && result == PY_TRUE;
	return result;
}

static cold_call PyObject *acquire_lock(struct arch_caller caller, const struct py_patched *p,
					void *a, void *b, void *c, void *d, void *e)
{
	uintptr_t code = py_calling_code();

	if (unlikely(code && code == py_meaning.wait)) {
		return is_locked(a) ? py_condition_wait(caller, p, a, b, c, d, e)
				    : silent(caller, p, a, b, c, d, e);
	}
	if (unlikely(code && code == py_meaning.is_owned)) {
		const uint8_t *frame = py_frame_back(py_frame_now());

		if (frame && py_frame_code(frame) == py_meaning.notify) {
			py_condition_notified(caller, frame);
		}
		return silent(caller, p, a, b, c, d, e);
	}
	/* The other lock there is taken by `with`. */
	if (unlikely(code && code == py_meaning.set_lock && p == &lock_acquire)) {
		py_thread_lock(a);
		return silent(caller, p, a, b, c, d, e);
	}
	if (unlikely(code && (code == py_meaning.join || code == py_meaning.shutdown))) {
		struct py_thread *t = py_thread_of(a);

		if (t) {
			return py_join(caller, t, py_mode_of(p, b, c, d), p, a, b, c, d, e);
		}
	}
	return acquire(caller, LOCK, p, a, b, c, d, e);
}

/* It was free, or another thread's: the program has a RuntimeError. */
static cold_call void refused(struct arch_caller caller, void *lock, unsigned kind)
{
	struct call call;

	if (shim_enter_with(&call, caller, ROOM_EARLY)) {
		call.stack = stack_id(&call);
		call.object = object_find(&call, lock, kind);
		if (call.object) {
			emit_osar(call.s, TRACE_RELEASE_ODD, call.object->id, call.stack,
				  kind == RLOCK ? odd_owner(call.object) : 0, EPERM);
		}
		shim_leave(&call);
	}
}

/* The GIL is held until after the record: nobody who takes it is recorded before. */
static cold_call PyObject *release_lock(struct arch_caller caller, const struct py_patched *p,
					void *a, void *b, void *c, void *d, void *e)
{
	uintptr_t code = py_calling_code();
	PyObject *result = silent(caller, p, a, b, c, d, e);
	struct call call;

	if (!result && !(code && code == py_meaning.notify)) {
		refused(caller, a, LOCK);
	}
	if (!result || (code && (code == py_meaning.notify || code == py_meaning.is_owned ||
				 ((code == py_meaning.join || code == py_meaning.shutdown) &&
				  py_thread_of(a))))) {
		return result;
	}
	if (shim_enter_with(&call, caller, ROOM_EARLY)) {
		call.stack = stack_id(&call);
		call.object = object_find(&call, a, LOCK);
		if (call.object) {
			emit_os_seq(call.s, TRACE_POST, call.object->id, call.stack, 0);
		}
		call.s->python_held--;
		shim_leave(&call);
	}
	if (is_steered()) {
		steer_given((uintptr_t)a, &gil);
	}
	return result;
}

/*
 * Most locks are taken while they are free and given back by code that means nothing else by it. As long as the GIL is held nothing comes
 * between the call and its record, and what the real one calls in turn is not ours to record: then one record after it does.
 * 0: the long way.
 */
static hot_inline uint32_t plain_stack(void)
{
	struct stream *s = shim_stream;

	if (unlikely(!s || !py.is_own_module ||
		     py_module_expected | py_names_inherited | steer_is_on)) {
		return 0;
	}
	return py_stack_of_plain(s);
}

static hot_inline bool plain_enter(struct call *c, struct arch_caller caller, uint32_t stack,
				   void *lock)
{
	if (!shim_enter_with(c, caller, ROOM_EARLY)) {
		return false;
	}
	c->stack = stack;
	c->object = object_find(c, lock, LOCK);
	if (unlikely(!c->object)) {
		c->s->segment->lost++;
		shim_leave(c);
	}
	return c->object != NULL;
}

static hot_inline PyObject *take(struct arch_caller caller, const struct py_patched *p, void *a,
				 void *b, void *c, void *d, void *e)
{
	uint32_t stack = plain_stack();
	PyObject *result;
	struct call call;

	if (unlikely(!stack || !py_has_no_arguments(p, b, c, d) || is_locked(a))) {
		return acquire_lock(caller, p, a, b, c, d, e);
	}
	result = p->call(a, b, c, d, e);
	if (likely(result == PY_TRUE && plain_enter(&call, caller, stack, a))) {
		emit_sem_taken(call.s, TRACE_ACQUIRE, call.object->id, stack);
		call.s->python_held++;
		shim_leave(&call);
	}
	return result;
}

static hot_inline PyObject *give(struct arch_caller caller, const struct py_patched *p, void *a,
				 void *b, void *c, void *d, void *e)
{
	uint32_t stack = plain_stack();
	PyObject *result;
	struct call call;

	if (unlikely(!stack)) {
		return release_lock(caller, p, a, b, c, d, e);
	}
	result = p->call(a, b, c, d, e);
	if (likely(result && plain_enter(&call, caller, stack, a))) {
		emit_os_seq(call.s, TRACE_POST, call.object->id, stack, 0);
		call.s->python_held--;
		shim_leave(&call);
	} else if (unlikely(!result)) {
		refused(caller, a, LOCK);
	}
	return result;
}

/* Condition.notify's question to an RLock. */
static PyObject *owned_rlock(struct arch_caller caller, const struct py_patched *p, void *a,
			     void *b, void *c, void *d, void *e)
{
	uintptr_t code = py_calling_code();
	PyObject *result = p->call(a, b, c, d, e);

	if (code && code == py_meaning.notify && result == PY_TRUE) {
		py_condition_notified(caller, py_frame_now());
	}
	return result;
}

static PyObject *release_rlock(struct arch_caller caller, const struct py_patched *p, void *a,
			       void *b, void *c, void *d, void *e)
{
	PyObject *result = silent(caller, p, a, b, c, d, e);
	struct call call;

	if (result && shim_enter_with(&call, caller, ROOM_EARLY)) {
		library_unlock(&call, a, RLOCK);
	} else if (unlikely(!result)) {
		refused(caller, a, RLOCK);
	}
	if (result && is_steered()) {
		steer_given((uintptr_t)a, &gil);
	}
	return result;
}

/* _release_save() of a Condition's RLock, however often it was taken; _acquire_restore() takes it back as often. */
static PyObject *save_rlock(struct arch_caller caller, const struct py_patched *p, void *a, void *b,
			    void *c, void *d, void *e)
{
	PyObject *result = silent(caller, p, a, b, c, d, e);
	struct call call;
	struct object *o;

	if (result && shim_enter_with(&call, caller, ROOM_EARLY)) {
		o = unlock_find(&call, a, RLOCK);
		while (o && o->depth && unlock_owned(&call, o, RLOCK)) {
		}
		library_unlock(&call, a, RLOCK);
	}
	return result;
}

static PyObject *restore_rlock(struct arch_caller caller, const struct py_patched *p, void *a,
			       void *b, void *c, void *d, void *e)
{
	PyObject *state = b && ((PyObject *)b)->type == py_data_PyTuple_Type ? b : NULL, *count;
	PyObject *result = acquire(caller, RLOCK, p, a, b, c, d, e);
	struct object *o;
	struct call call;

	/* ((count, owner),) */
	if (state && py_PyTuple_Size(state) == 1) {
		state = py_PyTuple_GetItem(state, 0);
	}
	count = state && state->type == py_data_PyTuple_Type ? py_PyTuple_GetItem(state, 0) : NULL;
	if (result && count && py_PyLong_AsLong(count) > 1 &&
	    shim_enter_with(&call, caller, ROOM_EARLY)) {
		o = unlock_find(&call, a, RLOCK);
		for (long n = py_PyLong_AsLong(count); o && n > 1 && n < 1000; n--) {
			call.stack = stack_id(&call);
			call.object = o;
			call.object_id = o->id;
			lock_acquired(&call, RLOCK, 0, 0);
		}
		shim_leave(&call);
	}
	return result;
}

/* Each row of a method table gets a function of its own, which knows what it replaced. */
#define HOOK(name, body)                                                          \
	static PyObject *hook_##name(void *a, void *b, void *c, void *d, void *e) \
	{                                                                         \
		return body(PY_CALLER(), &name, a, b, c, d, e);                   \
	}
static PyObject *acquire_rlock(struct arch_caller caller, const struct py_patched *p, void *a,
			       void *b, void *c, void *d, void *e)
{
	uintptr_t code = py_calling_code();

	/* A thread that begins enters itself into the list of threads, under an RLock (from 3.9 on). */
	if (unlikely(code && code == py_meaning.bootstrap)) {
		py_thread_named(caller, py_frame_local(py_frame_now(), 0));
	}
	return acquire(caller, RLOCK, p, a, b, c, d, e);
}
HOOK(lock_acquire, take)
HOOK(lock_acquire_old, take)
HOOK(lock_enter, take)
HOOK(lock_release, give)
HOOK(lock_release_old, give)
HOOK(lock_exit, give)
HOOK(rlock_acquire, acquire_rlock)
HOOK(rlock_enter, acquire_rlock)
HOOK(rlock_release, release_rlock)
HOOK(rlock_exit, release_rlock)
HOOK(rlock_save, save_rlock)
HOOK(rlock_restore, restore_rlock)
HOOK(rlock_owned, owned_rlock)

/* ---- life ---- */

static void made(struct arch_caller caller, PyObject *lock, unsigned kind)
{
	uintptr_t code = kind == LOCK ? py_calling_code() : 0;

	if (lock && (!code || code != py_meaning.wait)) {
		py_object_made(caller, lock, kind, kind == LOCK ? 1 : PTHREAD_MUTEX_RECURSIVE_NP,
			       kind == LOCK ? "threading.Lock" : "threading.RLock");
	}
}

static PyObject *allocated(struct arch_caller caller, const struct py_patched *p, void *a, void *b,
			   void *c, void *d, void *e)
{
	PyObject *lock = silent(caller, p, a, b, c, d, e);

	made(caller, lock, LOCK);
	return lock;
}
HOOK(allocate, allocated)
HOOK(allocate_old, allocated)

static PyObject *new_lock(PyObject *type, PyObject *args, PyObject *kwargs)
{
	PyObject *lock = lock_new(type, args, kwargs);

	made(PY_CALLER(), lock, LOCK);
	return lock;
}

static PyObject *new_rlock(PyObject *type, PyObject *args, PyObject *kwargs)
{
	PyObject *lock = rlock_new(type, args, kwargs);

	made(PY_CALLER(), lock, RLOCK);
	return lock;
}

static void gone(struct arch_caller caller, PyObject *lock)
{
	py_thread_lock_gone(lock);
	py_object_gone(caller, lock);
}

static void dealloc_lock(PyObject *lock)
{
	gone(PY_CALLER(), lock);
	lock_dealloc(lock);
}

static void dealloc_rlock(PyObject *lock)
{
	gone(PY_CALLER(), lock);
	rlock_dealloc(lock);
}

/* ---- into place ---- */

#define PATCH(type, name, patched) py_patch_method(type, name, hook_##patched, &patched)

static bool patch_lock(PyObject *module, PyObject *type)
{
	PyObject *locked = py_PyObject_GetAttrString(type, "locked");

	if (!locked || locked->type != py_data_PyMethodDescr_Type) {
		return false;
	}
	lock_locked.call = (*(struct py_method **)((uintptr_t)locked + 40))->call;
	py_Py_DecRef(locked);
	PATCH(module, "allocate_lock", allocate);
	PATCH(module, "allocate", allocate_old);
	if (py.version >= 0x030d00) {
		py_patch_new(type, new_lock, &lock_new);
	}
	py_patch_dealloc(type, dealloc_lock, &lock_dealloc);
	PATCH(type, "acquire_lock", lock_acquire_old);
	PATCH(type, "release_lock", lock_release_old);
	PATCH(type, "__enter__", lock_enter);
	PATCH(type, "__exit__", lock_exit);
	return PATCH(type, "acquire", lock_acquire) && PATCH(type, "release", lock_release);
}

static bool patch_rlock(PyObject *type)
{
	py_patch_new(type, new_rlock, &rlock_new);
	py_patch_dealloc(type, dealloc_rlock, &rlock_dealloc);
	PATCH(type, "__enter__", rlock_enter);
	PATCH(type, "__exit__", rlock_exit);
	PATCH(type, "_release_save", rlock_save);
	PATCH(type, "_acquire_restore", rlock_restore);
	PATCH(type, "_is_owned", rlock_owned);
	return PATCH(type, "acquire", rlock_acquire) && PATCH(type, "release", rlock_release);
}

bool py_locks_install(void)
{
	PyObject *module = py_module("_thread");
	PyObject *lock = module ? py_PyObject_GetAttrString(module, "LockType") : NULL;
	PyObject *rlock = module ? py_PyObject_GetAttrString(module, "RLock") : NULL;
	bool done = false;

	if (lock && rlock && py_conditions_install() && py_data_PyMethodDescr_Type &&
	    py_data_PyCFunction_Type && py.layout) {
		done = patch_lock(module, lock) && patch_rlock(rlock);
	}
	if (module && py.version >= 0x030d00) {
		py_threads_install(module);
	}
	py_PyErr_Clear();
	return done; /* the references are kept: both types live as long as the interpreter */
}
