/* SPDX-License-Identifier: MIT */
/*
 * py_trio_await.c - what trio's tasks wait for, when the run of this thread is about to wait: asked of trio's own runner, which knows its tasks.
 * A task that is not scheduled waits; its chain of coroutines says at what, and the lock or nursery there says for whom.
 */
#include "py_chain.h"
#include "py_context.h"

enum { EDGES = 256 };

struct trio_look {
	struct arch_caller caller;
	uint32_t look, flags;
	uint32_t other[EDGES], count;
};

static PyObject *get_runner(void)
{
	PyObject *context = py_get(py_module("trio._core._run"), "GLOBAL_RUN_CONTEXT");
	PyObject *runner = py_get(context, "runner"); /* of this thread */

	py_drop(context);
	return runner;
}

/* A deadline somewhere around it ends the wait. */
static bool has_deadline(PyObject *task)
{
	PyObject *status = py_get(task, "_cancel_status"), *outer;
	bool has = false;

	while (status && status != PY_NONE && !has) {
		PyObject *scope = py_get(status, "_scope"),
			 *deadline = py_get(scope, "_registered_deadline");

		has = !deadline || deadline->type != py_data_PyFloat_Type ||
		      py_PyFloat_AsDouble(deadline) < 1e300;
		py_drop(deadline);
		py_drop(scope);
		outer = py_get(status, "_parent");
		py_drop(status);
		status = outer;
	}
	py_drop(status);
	py_PyErr_Clear();
	return has;
}

static uint32_t learn_flags(PyObject *runner)
{
	PyObject *deadlines = py_get(runner, "deadlines"), *active = py_get(deadlines, "_active"),
		 *ready = py_get(runner, "runq"), *guest = py_get(runner, "is_guest");
	uint32_t flags = guest == PY_TRUE || !active || !ready ? TF_AWAIT_LOOP_UNKNOWN : 0;

	if ((active && py_PyLong_AsLong(active) > 0) || (ready && py_PyObject_Size(ready) > 0)) {
		flags |= TF_AWAIT_LOOP_TIMERS;
	}
	flags |= py_signals_are_handled() ? TF_AWAIT_LOOP_WATCHES : 0;
	py_PyErr_Clear();
	py_drop(guest);
	py_drop(ready);
	py_drop(active);
	py_drop(deadlines);
	return flags;
}

static void add(struct trio_look *l, PyObject *task)
{
	uint32_t id = py_task_number(task);

	if (id && l->count < EDGES) {
		l->other[l->count++] = id;
	}
}

static void add_each(struct trio_look *l, PyObject *set)
{
	PyObject *iterator = set ? py_PyObject_GetIter(set) : NULL, *o;

	while (iterator && (o = py_PyIter_Next(iterator))) {
		add(l, o);
		py_drop(o);
	}
	py_PyErr_Clear();
	py_drop(iterator);
}

/* Notified, it waits in the queue of the condition's lock. */
static void follow_condition(struct py_chain *chain, PyObject *task)
{
	PyObject *lock = py_get((PyObject *)chain->subject, "_lock"), *lot = py_get(lock, "_lot"),
		 *at = py_get(task, "custom_sleep_data");

	if (lot && lot == at) {
		chain->kind = TF_AWAIT_LOCK;
		chain->subject = (uintptr_t)lock;
	}
	py_drop(at);
	py_drop(lot);
	py_drop(lock); /* the condition keeps it */
}

static void find_holders(struct trio_look *l, struct py_chain *chain)
{
	PyObject *o = (PyObject *)chain->subject, *holder;

	if (chain->awaited) {
		add_each(l, chain->awaited);
		return;
	}
	if (chain->kind == TF_AWAIT_LOCK && o) {
		holder = py_get(o, "_owner");
		add(l, holder);
		py_drop(holder);
	} else if (chain->kind == TF_AWAIT_SEMAPHORE && o) {
		holder = py_get(o, "_borrowers"); /* of a limiter; of several any one is enough */
		if (holder && py_PyObject_Size(holder) == 1) {
			add_each(l, holder);
		}
		py_PyErr_Clear();
		py_drop(holder);
	}
}

static void look_at(struct trio_look *l, PyObject *task)
{
	PyObject *coroutine = py_get(task, "coro"), *next = py_get(task, "_next_send_fn");
	uint32_t id = py_task_number(task);
	bool waits = next == PY_NONE, is_limited = has_deadline(task);
	struct py_context context;
	struct py_chain chain;
	struct call call;

	py_context_read_of(&context, task, "context");
	py_chain_follow(&chain, coroutine);
	l->count = 0;
	if (waits && chain.kind == TF_AWAIT_CONDITION && chain.subject) {
		follow_condition(&chain, task);
	}
	if (waits) {
		find_holders(l, &chain);
	}
	if (id && !chain.is_own && task_enter_any(&call, l->caller)) {
		struct tf_def_await def = {
			.def.type = TF_DEF_AWAIT,
			.def.flags = (uint16_t)(l->flags | chain.flags |
						(is_limited ? TF_AWAIT_TIMED : 0)),
			.task = id,
			.look = l->look,
			.stack = py_stack_of_places(chain.code, chain.at, chain.count),
			.thread = call.s->thread,
			.kind = !waits			  ? TF_AWAIT_NOTHING
				: l->count && !chain.kind ? TF_AWAIT_TASK
							  : chain.kind,
			.subject = waits ? chain.subject : 0,
		};

		for (uint32_t i = 0; i < l->count || i == 0; i++) {
			def.other = l->count ? l->other[i] : 0;
			py_await_define(&call, &def);
		}
		py_context_define(&call, id, l->look, &context);
		shim_leave(&call);
	}
	py_chain_drop(&chain);
	py_drop(next);
	py_drop(coroutine);
}

void py_trio_look(struct arch_caller caller, uint32_t look)
{
	PyObject *runner = get_runner(), *tasks = py_get(runner, "tasks"), *list, *type, *value,
		 *trace;
	struct trio_look l = { .caller = caller, .look = look };

	if (tasks) {
		py_PyErr_Fetch(&type, &value, &trace);
		l.flags = learn_flags(runner);
		list = py_PySequence_List(tasks);
		for (intptr_t i = 0; list && i < py_PyList_Size(list); i++) {
			look_at(&l, py_PyList_GetItem(list, i));
		}
		py_drop(list);
		py_PyErr_Clear();
		py_PyErr_Restore(type, value, trace);
	}
	py_drop(tasks);
	py_drop(runner);
}
