/* SPDX-License-Identifier: MIT */
/*
 * py_gevent.c - what greenlets wait for: gevent's locks, events, queues and joins, at the methods by which a program waits. These are compiled
 * functions; a Semaphore of one is a lock, that the greenlet has which took it last.
 *
 * What a greenlet waits for is kept in its task, not on the stack: that is moved away while another greenlet runs. A look goes over all
 * greenlets when the hub's loop is about to wait, and when gevent gives up because nothing is left that could wake anybody (LoopExit).
 */
#include "../shim_task_lock.h"
#include "py_chain.h"
#include "py_context.h"
#include "py_name.h"

/* In a greenlet's task: what it waits for is the argument, and how is here. */
enum { WAITS_HOW = TASK_CALLBACKS - 1, LIMITED = 16 };

static PyObject *get_current; /* greenlet.getcurrent */

/* The guard is not held: NULL = the main greenlet, or one that was not met yet. */
static struct task *current_task(void)
{
	PyObject *greenlet = get_current ? py_PyObject_CallFunctionObjArgs(get_current, NULL)
					 : NULL;
	struct task *t = greenlet ? task_find(greenlet, TRACE_TASK_GREENLET) : NULL;

	py_drop(greenlet);
	return t && task_is_of_image(t) ? t : NULL;
}

/* ---- locks ---- */

enum { FOR_SEVERAL = 1000 }; /* as depth: a semaphore that is no lock */

/*
 * A take may come twice: `with lock` of a class that has its own acquire(), as the one that threading.Lock is replaced by, calls that, and
 * that the semaphore's. Of another task it says that a release was not seen.
 */
static void take(struct call *c, struct object *o)
{
	if (o->depth == 1 && o->last_stream == c->s->task) {
		return;
	}
	if (o->depth == 1) {
		task_lock_given(c, o);
	}
	if (!c->s->task) { /* the main greenlet */
		return;
	}
	o->last_stream = c->s->task;
	task_lock_taken(c, o, c->s->task, c->stack);
}

static void note_hold(struct arch_caller caller, PyObject *lock, bool taken)
{
	PyObject *counter = taken ? py_get(lock, "counter") : NULL;
	bool is_lock = counter && py_PyLong_AsLong(counter) == 0;
	struct call call;
	struct object *o;

	py_drop(counter);
	py_PyErr_Clear();
	if (!task_enter_any(&call, caller)) {
		return;
	}
	o = object_find(&call, lock, PY_ASYNC_LOCK);
	if (o && taken && !is_lock) {
		o->depth = FOR_SEVERAL;
	} else if (o && taken && o->depth != FOR_SEVERAL) {
		take(&call, o);
	} else if (o && !taken && o->depth == 1) {
		task_lock_given(&call, o);
	}
	shim_leave(&call);
}

static int (*init_old)(PyObject *, PyObject *, PyObject *);

/* A new one, perhaps in another's memory. */
static int init_semaphore(PyObject *lock, PyObject *args, PyObject *kwargs)
{
	struct arch_caller caller = PY_CALLER();
	int failed = init_old(lock, args, kwargs);
	const struct py_site *site = failed ? NULL : py_site_now("gevent lock");
	struct object *o;
	struct call call;

	if (!failed && shim_enter_with(&call, caller, ROOM_EARLY)) {
		call.stack = stack_id(&call);
		o = object_renew(&call, (uintptr_t)lock, PY_ASYNC_LOCK);
		if (o && site) {
			py_name_object(&call, o->id, site);
		}
		shim_leave(&call);
	}
	return failed;
}

/* ---- methods ---- */

enum effect { WAITS, TAKES, GIVES };

static struct row {
	const char *module, *class, *method;
	uint8_t kind; /* enum tf_await_kind */
	uint8_t effect;
	uint8_t limit; /* index of the argument `timeout`; 255 = it has none */
	py_function *ours;
	struct py_patched old;
} rows[];

static PyObject *on_call(unsigned n, struct arch_caller caller, void *a, void *b, void *c, void *d,
			 void *e)
{
	struct row *r = &rows[n];
	struct task *t = shim_stream && r->effect != GIVES ? current_task() : NULL;
	PyObject *limit = t && r->limit != 255 ? py_argument(&r->old, b, c, d, r->limit, "timeout")
					       : NULL;
	PyObject *result, *type, *value, *trace;
	void *outer = t ? t->argument : NULL;
	uint32_t outer_how = t ? t->callback_stack[WAITS_HOW] : 0;

	if (r->effect == GIVES && shim_stream) { /* before: who waits may have it then */
		note_hold(caller, a, false);
	}
	if (t && !outer) {
		t->argument = a;
		t->callback_stack[WAITS_HOW] =
			r->kind | (limit && limit != PY_NONE ? TF_AWAIT_TIMED << 8 : 0);
	}
	result = r->old.call(a, b, c, d, e);
	if (t && !outer) {
		t->argument = outer;
		t->callback_stack[WAITS_HOW] = outer_how;
	}
	if (r->effect == TAKES && shim_stream && result && result != PY_FALSE) {
		py_PyErr_Fetch(&type, &value, &trace);
		note_hold(caller, a, true);
		py_PyErr_Restore(type, value, trace);
	}
	return result;
}

#define ON_CALL(n)                                                                \
	static PyObject *on_call_##n(void *a, void *b, void *c, void *d, void *e) \
	{                                                                         \
		return on_call(n, PY_CALLER(), a, b, c, d, e);                    \
	}
ON_CALL(0)
ON_CALL(1)
ON_CALL(2)
ON_CALL(3)
ON_CALL(4)
ON_CALL(5)
ON_CALL(6)
ON_CALL(7)
ON_CALL(8)
ON_CALL(9)
ON_CALL(10)
ON_CALL(11)
ON_CALL(12)

#define SEMAPHORE "gevent._gevent_c_semaphore"
#define EVENT "gevent._gevent_cevent"
#define QUEUE "gevent._gevent_cqueue"
#define GREENLET "gevent._gevent_cgreenlet"
static struct row rows[] = {
	{ SEMAPHORE, "Semaphore", "acquire", TF_AWAIT_LOCK, TAKES, 1, on_call_0, { 0 } },
	{ SEMAPHORE, "Semaphore", "__enter__", TF_AWAIT_LOCK, TAKES, 255, on_call_1, { 0 } },
	{ SEMAPHORE, "Semaphore", "release", 0, GIVES, 255, on_call_2, { 0 } },
	{ SEMAPHORE, "Semaphore", "__exit__", 0, GIVES, 255, on_call_3, { 0 } },
	{ SEMAPHORE, "BoundedSemaphore", "release", 0, GIVES, 255, on_call_4, { 0 } },
	{ EVENT, "Event", "wait", TF_AWAIT_EVENT, WAITS, 0, on_call_5, { 0 } },
	{ EVENT, "AsyncResult", "get", TF_AWAIT_UNKNOWN, WAITS, 1, on_call_6, { 0 } },
	{ EVENT, "AsyncResult", "wait", TF_AWAIT_UNKNOWN, WAITS, 0, on_call_7, { 0 } },
	{ QUEUE, "Queue", "get", TF_AWAIT_GET, WAITS, 1, on_call_8, { 0 } },
	{ QUEUE, "Queue", "put", TF_AWAIT_PUT, WAITS, 2, on_call_9, { 0 } },
	{ QUEUE, "JoinableQueue", "join", TF_AWAIT_DONE, WAITS, 0, on_call_10, { 0 } },
	{ GREENLET, "Greenlet", "join", TF_AWAIT_TASK, WAITS, 0, on_call_11, { 0 } },
	{ GREENLET, "Greenlet", "get", TF_AWAIT_TASK, WAITS, 1, on_call_12, { 0 } },
};
static uint32_t missing; /* of them, with their module */
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

/* A gevent.Timeout may end any wait of the greenlet that started one. */
PY_HOOK(hook_timeout, start_timeout)

static PyObject *start_timeout(PyObject *function, PyObject *const *args, size_t count,
			       PyObject *names)
{
	struct task *t = shim_stream ? current_task() : NULL;

	if (t) {
		t->flags |= LIMITED;
	}
	return hook_timeout.old(function, args, count, names);
}

/* ---- a look ---- */

struct look {
	uint32_t number, flags;
};

/* The frames of one that does not run: as those of a coroutine. */
static void follow_frames(struct py_chain *chain, PyObject *greenlet)
{
	PyObject *frame = py_get(greenlet, "gr_frame"), *back;

	*chain = (struct py_chain){ .count = 0 };
	while (frame && frame != PY_NONE && chain->count < TF_MAX_FRAMES) {
		PyObject *code = py_PyFrame_GetCode(frame), *where = py_get(frame, "f_lasti");

		chain->code[chain->count] = (uintptr_t)code;
		chain->at[chain->count++] = where ? (int)py_PyLong_AsLong(where) : -1;
		py_drop(where);
		py_drop(code); /* the frame keeps it */
		back = py_get(frame, "f_back");
		py_drop(frame);
		frame = back;
	}
	py_drop(frame);
	py_PyErr_Clear();
	for (uint32_t i = 0; i < chain->count / 2; i++) { /* outermost first */
		uint32_t j = chain->count - 1 - i;
		uintptr_t code = chain->code[i];
		int at = chain->at[i];

		chain->code[i] = chain->code[j];
		chain->at[i] = chain->at[j];
		chain->code[j] = code;
		chain->at[j] = at;
	}
}

static void look_at(struct arch_caller caller, PyObject *greenlet, void *cookie)
{
	const struct look *l = cookie;
	struct task *t = task_find(greenlet, TRACE_TASK_GREENLET);
	uint32_t how = t ? t->callback_stack[WAITS_HOW] : 0;
	void *subject = t ? t->argument : NULL;
	struct py_context context;
	struct py_chain chain;
	struct call call;

	py_context_read_of(&context, greenlet, "gr_context");
	follow_frames(&chain, greenlet);
	if (t && chain.count && task_enter_any(&call, caller)) {
		struct tf_def_await def = {
			.def.type = TF_DEF_AWAIT,
			.def.flags = (uint16_t)(l->flags | how >> 8 |
						(t->flags & LIMITED ? TF_AWAIT_TIMED : 0)),
			.task = t->id,
			.look = l->number,
			.stack = py_stack_of_places(chain.code, chain.at, chain.count),
			.thread = call.s->thread,
			.kind = subject ? how & 255 : TF_AWAIT_IO,
			.subject = (uintptr_t)subject,
			.other = subject && (how & 255) == TF_AWAIT_TASK ? py_task_number(subject)
									 : 0,
		};

		py_await_define(&call, &def);
		py_context_define(&call, t->id, l->number, &context);
		shim_leave(&call);
	}
}

void py_gevent_look(struct arch_caller caller, uint32_t number, const struct py_rest *rest)
{
	struct look look = { .number = number,
			     .flags = rest ? py_rest_flags(rest) : TF_AWAIT_LOOP_OVER };

	py_each_task_of(TRACE_TASK_GREENLET, look_at, caller, &look);
}

/* ---- into place ---- */

/* `from gevent import lock` is not announced. */
void py_gevent_switched(void)
{
	static uint8_t calls;

	if (missing && (++calls & 15) == 0) {
		py_gevent_install();
	}
}

void py_gevent_install(void)
{
	PyObject *timeout = py_get(py_module("gevent.timeout"), "Timeout");

	if (!get_current) {
		get_current = py_get(py_module("greenlet"), "getcurrent");
	}
	missing = 0;
	for (size_t i = 0; i < ROWS; i++) {
		PyObject *module = rows[i].old.call ? NULL : py_module(rows[i].module);
		PyObject *class = module ? py_get(module, rows[i].class) : NULL;

		if (class) {
			py_patch_method(class, rows[i].method, rows[i].ours, &rows[i].old);
		}
		py_drop(class);
		missing += !rows[i].old.call;
	}
	if (!init_old) {
		PyObject *class = py_get(py_module(SEMAPHORE), "Semaphore");

		if (class) {
			py_patch_init(class, init_semaphore, &init_old);
		}
		py_drop(class);
	}
	if (timeout && !hook_timeout.old) {
		py_patch_function(timeout, "start", &hook_timeout);
	}
	py_drop(timeout);
	py_PyErr_Clear();
}
