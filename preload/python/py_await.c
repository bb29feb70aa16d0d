/* SPDX-License-Identifier: MIT */
/*
 * py_await.c - a look at what every task waits for: the chain of its coroutines, and the task, lock or other thing at the end of it.
 *
 * Nothing is recorded when a task begins to wait. When a loop has been at rest for a while, and something changed since the last look,
 * the tasks that are alive are asked. All of it is C: no line of Python runs, so no signal handler of the program's does, and no tracer
 * sees it.
 */
#include "../shim_task_lock.h"
#include "py_chain.h"
#include "py_context.h"
#include "py_pure.h"

enum { CHILDREN = 256, TIMERS = 4096 };

static uint64_t looked_at;	  /* py_task_changes then */
static uint64_t steps_then;	  /* py_task_steps */
static uint32_t look, tasks_seen; /* by the newest */
static int64_t most_seen;	  /* by any */
static uint64_t last_look_ns, look_took_ns;

/* ---- loops ---- */

/* What a loop has to do; asked once a look for each loop in a row of tasks. */
struct loop_facts {
	const struct py_rest *rest; /* of this thread's loop */
	PyObject *running;	    /* this thread's loop; a reference, NULL = none */
	PyObject *loop;		    /* borrowed; NULL = none yet */
	uint32_t flags;		    /* enum tf_await_flag */
	uint32_t limited_count;
	PyObject *limited[CHILDREN]; /* tasks that a timer is about; borrowed */
};

/* asyncio.timeout's timer calls a method of an object that knows its task; others are given the task. */
static void learn_timer(struct loop_facts *f, PyObject *timer)
{
	enum { METHOD_SELF = 24 };
	PyObject *cancelled = py_get(timer, "_cancelled"), *callback = py_get(timer, "_callback"),
		 *args = py_get(timer, "_args"), *of = NULL;

	if (cancelled != PY_TRUE && callback) {
		f->flags |= TF_AWAIT_LOOP_TIMERS;
		of = callback->type == py_data_PyMethod_Type
			     ? py_get(*(PyObject **)((uintptr_t)callback + METHOD_SELF), "_task")
			     : NULL;
		if (!of && args && args->type == py_data_PyTuple_Type && py_PyTuple_Size(args)) {
			of = py_PyTuple_GetItem(args, 0);
			py_Py_IncRef(of);
		}
		if (of && task_find(of, TRACE_TASK_PY_TASK) && f->limited_count < CHILDREN) {
			f->limited[f->limited_count++] = of;
		}
	}
	py_drop(of); /* the timer keeps it */
	py_drop(args);
	py_drop(callback);
	py_drop(cancelled);
}

static void learn_loop(struct loop_facts *f, PyObject *loop)
{
	PyObject *timers = py_get(loop, "_scheduled"), *ready = py_get(loop, "_ready"),
		 *selector = py_get(loop, "_selector"), *signals = py_get(loop, "_signal_handlers");
	PyObject *watched = selector ? py_get(selector, "_fd_to_key") : NULL;

	f->loop = loop;
	f->flags = 0;
	f->limited_count = 0;
	if (!timers || timers->type != py_data_PyList_Type || !watched ||
	    watched->type != py_data_PyDict_Type) {
		f->flags = py_rest_flags(loop == f->running ? f->rest : NULL);
	}
	for (intptr_t i = 0; timers && timers->type == py_data_PyList_Type &&
			     i < py_PyList_Size(timers) && i < TIMERS;
	     i++) {
		learn_timer(f, py_PyList_GetItem(timers, i));
	}
	if (ready && py_PyObject_Size(ready) > 0) {
		f->flags |= TF_AWAIT_LOOP_TIMERS;
	}
	if (watched && watched->type == py_data_PyDict_Type && py_PyDict_Size(watched) > 1) {
		f->flags |= TF_AWAIT_LOOP_WATCHES;
	}
	if ((signals && signals->type == py_data_PyDict_Type && py_PyDict_Size(signals) > 0) ||
	    py_signals_are_handled()) {
		f->flags |= TF_AWAIT_LOOP_WATCHES;
	}
	py_PyErr_Clear();
	py_drop(watched);
	py_drop(signals);
	py_drop(selector);
	py_drop(ready);
	py_drop(timers);
}

static bool is_limited(const struct loop_facts *f, const PyObject *task)
{
	for (uint32_t i = 0; i < f->limited_count; i++) {
		if (f->limited[i] == task) {
			return true;
		}
	}
	return false;
}

/* ---- one task ---- */

uint32_t py_task_number(PyObject *o)
{
	static const uint8_t kinds[] = { TRACE_TASK_PY_TASK, TRACE_TASK_TRIO_TASK,
					 TRACE_TASK_GREENLET };

	for (size_t i = 0; i < sizeof(kinds); i++) {
		struct task *t = task_find(o, kinds[i]);

		if (t && task_is_of_image(t) && (!py_task_may_be_gone(t) || py_is_task(o))) {
			return t->id;
		}
	}
	return 0;
}

struct edges {
	uint32_t task[CHILDREN];
	uint32_t count;
};

static void add_edge(struct edges *e, PyObject *o)
{
	uint32_t id = py_task_number(o);

	if (id && e->count < CHILDREN) {
		e->task[e->count++] = id;
	}
}

/* The tasks of a list or set. */
static void add_each(struct edges *e, PyObject *several)
{
	PyObject *iterator = several && !py_task_number(several) ? py_PyObject_GetIter(several)
								 : NULL,
		 *o;

	while (iterator && (o = py_PyIter_Next(iterator))) {
		add_edge(e, o);
		py_drop(o);
	}
	py_PyErr_Clear();
	py_drop(iterator);
}

static bool is_collection(const PyObject *o)
{
	return o->type == py_data_PyList_Type || py_text_is(py_type_name(o), "set");
}

/* The task that shield() protects: its callback on the outer future has it in a cell. */
static void add_shielded(struct edges *e, PyObject *future)
{
	PyObject *callbacks = py_get(future, "_callbacks");

	for (intptr_t i = 0; callbacks && callbacks->type == py_data_PyList_Type &&
			     i < py_PyList_Size(callbacks) && i < 4;
	     i++) {
		PyObject *pair = py_PyList_GetItem(callbacks, i);
		PyObject *callback = pair->type == py_data_PyTuple_Type && py_PyTuple_Size(pair)
					     ? py_PyTuple_GetItem(pair, 0)
					     : NULL;
		PyObject *name = callback && callback->type == py_data_PyFunction_Type
					 ? py_get(callback, "__name__")
					 : NULL;
		PyObject *cells = name ? py_get(callback, "__closure__") : NULL;
		char text[32];
		size_t bytes = name ? py_text(name, text, sizeof(text) - 1) : 0;

		text[bytes] = 0;
		for (intptr_t n = 0;
		     cells && cells->type == py_data_PyTuple_Type &&
		     py_text_is(text, "_outer_done_callback") && n < py_PyTuple_Size(cells);
		     n++) {
			PyObject *inner = py_get(py_PyTuple_GetItem(cells, n), "cell_contents");

			add_edge(e, inner);
			py_drop(inner);
		}
		py_drop(cells);
		py_drop(name);
	}
	py_PyErr_Clear();
	py_drop(callbacks);
}

static void find_edges(struct edges *e, PyObject *future, const struct py_chain *chain)
{
	PyObject *of = chain->awaited ? chain->awaited : future, *children;

	e->count = 0;
	add_edge(e, of);
	if (e->count) {
		return;
	}
	if (is_collection(of)) {
		add_each(e, of);
		return;
	}
	children = py_get(of, "_children"); /* of gather() */
	if (children && children->type == py_data_PyList_Type) {
		add_each(e, children);
	} else {
		add_shielded(e, of);
	}
	py_drop(children);
}

void py_await_define(struct call *c, struct tf_def_await *def)
{
	struct object *o = def->kind == TF_AWAIT_LOCK && def->subject
				   ? object_find(c, (void *)def->subject, PY_ASYNC_LOCK)
				   : NULL;

	def->object = o ? o->id : 0;
	def->ticks = arch_ticks();
	if (o && task_locks_are_kept(c->s)) {
		task_lock_awaited(c, o, def->task, def->look);
	}
	task_look_define(c->s, def);
}

static bool is_pending(PyObject *future)
{
	PyObject *state = py_get(future, "_state");
	char text[12];
	size_t bytes = state ? py_text(state, text, sizeof(text) - 1) : 0;

	py_drop(state);
	text[bytes] = 0;
	return !bytes || py_text_is(text, "PENDING");
}

static void look_at(struct arch_caller caller, PyObject *task, struct loop_facts *facts)
{
	PyObject *coroutine = py_get(task, "_coro"), *future = py_get(task, "_fut_waiter"),
		 *loop = py_get(task, "_loop");
	bool waits = future && future != PY_NONE && is_pending(future);
	struct edges edges = { .count = 0 };
	struct py_context context;
	struct py_chain chain;
	struct call call;
	uint32_t id = py_task_number(task);

	if (loop && facts->loop != loop) {
		learn_loop(facts, loop);
	}
	py_context_read_task(&context, task);
	py_chain_follow(&chain, coroutine);
	if (waits) {
		find_edges(&edges, future, &chain);
	}
	if (id && future && task_enter_any(&call, caller)) {
		struct tf_def_await def = {
			.def.type = TF_DEF_AWAIT,
			.def.flags = (uint16_t)(facts->flags | chain.flags |
						(is_limited(facts, task) ? TF_AWAIT_TIMED : 0)),
			.task = id,
			.look = look,
			.stack = py_stack_of_places(chain.code, chain.at, chain.count),
			.thread = call.s->thread,
			.kind = !waits	      ? TF_AWAIT_NOTHING
				: edges.count ? TF_AWAIT_TASK
					      : chain.kind,
			.loop = loop && loop != PY_NONE ? task_loop(&call, loop, PY_LOOP) : 0,
			.subject = !waits || edges.count ? 0
				   : chain.subject	 ? chain.subject
							 : (uintptr_t)future,
		};

		for (uint32_t i = 0; i < edges.count || i == 0; i++) {
			def.other = edges.count ? edges.task[i] : 0;
			py_await_define(&call, &def);
		}
		py_context_define(&call, id, look, &context);
		shim_leave(&call);
	}
	py_chain_drop(&chain);
	py_drop(loop);
	py_drop(future);
	py_drop(coroutine);
}

/* ---- all of them ---- */

struct crowd {
	PyObject **task;
	uint32_t count, room;
};

static void collect(struct task *t, void *cookie)
{
	struct crowd *c = cookie;

	if (c->count < c->room && !py_task_may_be_gone(t)) {
		c->task[c->count] = (PyObject *)atomic_load(&t->address);
		py_Py_IncRef(c->task[c->count++]);
	}
}

void py_each_task_of(unsigned kind,
		     void (*visit)(struct arch_caller caller, PyObject *task, void *cookie),
		     struct arch_caller caller, void *cookie)
{
	enum { ROOM_FOR = 100000 };
	struct crowd crowd = { .room = ROOM_FOR };
	PyObject *type, *value, *trace;
	struct call call;

	if (!task_enter_any(&call, caller)) {
		return;
	}
	crowd.task = (PyObject **)sys6(SYS_mmap, 0, ROOM_FOR * sizeof(*crowd.task), 3, 0x22, -1, 0);
	if ((uintptr_t)crowd.task >= (uintptr_t)-4095) {
		shim_leave(&call);
		return;
	}
	task_each(kind, collect, &crowd);
	shim_leave(&call);
	py_PyErr_Fetch(&type, &value, &trace);
	for (uint32_t i = 0; i < crowd.count; i++) {
		visit(caller, crowd.task[i], cookie);
		py_Py_DecRef(crowd.task[i]);
	}
	py_PyErr_Clear();
	py_PyErr_Restore(type, value, trace);
	sys2(SYS_munmap, (long)crowd.task, ROOM_FOR * sizeof(*crowd.task));
}

void py_each_task(void (*visit)(struct arch_caller caller, PyObject *task, void *cookie),
		  struct arch_caller caller, void *cookie)
{
	py_each_task_of(TRACE_TASK_PY_TASK, visit, caller, cookie);
	py_each_pure_task(visit, caller, cookie);
}

void py_look_loop_exit(struct arch_caller caller)
{
	py_context_look();
	py_gevent_look(caller, ++look, NULL);
}

static void look_at_one(struct arch_caller caller, PyObject *task, void *facts)
{
	tasks_seen++;
	look_at(caller, task, facts);
}

bool py_look_is_due(void)
{
	return looked_at != py_task_changes && shim_stream;
}

/*
 * While a loop is busy: once a second, and when much was made at once and has begun; but for no more than a hundredth of the time. What was
 * only made yet waits for nothing. And when as many are alive as never before, by twice: so a crowd is seen that gathers and goes within a
 * second, and no task is looked at more than a few times for it.
 */
bool py_look_is_overdue(void)
{
	enum { MUCH = 1500, FOR_EACH = 64, SECOND = 1000000000, CROWD = 1280 };
	uint64_t changes = py_task_changes - looked_at;
	static uint64_t asked; /* ticks: asking for the time is a system call */

	if (changes == 0 || !shim_stream) {
		return false;
	}
	if ((changes > MUCH + FOR_EACH * (uint64_t)tasks_seen ||
	     py_tasks_alive > (most_seen < CROWD ? CROWD : 2 * most_seen)) &&
	    4 * (py_task_steps - steps_then) > changes) {
		return true;
	}
	if ((int64_t)(shim_stream->last_ticks - asked) < (1 << 24)) {
		return false;
	}
	asked = arch_ticks();
	return region_mono_ns() > last_look_ns + SECOND + 100 * look_took_ns;
}

/* asyncio's, by its C function; a new reference. */
static PyObject *running_loop(void)
{
	PyObject *ask = py_get(py_module("_asyncio"), "_get_running_loop"), *loop = NULL;

	if (ask && ask->type == py_data_PyCFunction_Type && py_PyObject_CallFunctionObjArgs) {
		loop = py_PyObject_CallFunctionObjArgs(ask, NULL);
	}
	py_PyErr_Clear();
	py_drop(ask);
	return loop;
}

void py_look_at_awaits(struct arch_caller caller, const struct py_rest *rest)
{
	struct loop_facts facts = { .rest = rest };

	if (py_look_is_due()) {
		facts.running = rest ? running_loop() : NULL;
		last_look_ns = region_mono_ns();
		looked_at = py_task_changes;
		steps_then = py_task_steps;
		look++;
		tasks_seen = 0;
		py_context_look();
		py_each_task(look_at_one, caller, &facts);
		py_tasks_alive = tasks_seen; /* ends that were not seen, of other loops */
		most_seen = tasks_seen > most_seen ? tasks_seen : most_seen;
		if (rest && py_module("gevent._gevent_c_semaphore")) {
			py_gevent_look(caller, look, rest);
		}
		if (rest && py_module("trio._core._run")) {
			py_trio_look(caller, look);
		}
		look_took_ns = region_mono_ns() - last_look_ns;
		py_drop(facts.running);
	}
}
