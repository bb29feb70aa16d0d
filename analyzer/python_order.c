/* SPDX-License-Identifier: MIT */
/*
 * python_order.c - the table of the places where CPython's library takes locks. Seen with 3.9 to 3.13.
 */
#include "python_order.h"

#include <stdlib.h>
#include <string.h>

enum order {
	ORDERS = 1, /* as any lock does */
	ORDERS_NOTHING,
	QUEUE_PUTS, /* what was put, to who gets */
	QUEUE_GETS,
	QUEUE_DONE, /* what was done, to who joins the queue */
	QUEUE_JOINS,
};

enum { LANE_PUT, LANE_DONE };

/* A lock of the library that a thread is in. */
struct inside {
	uint32_t object;
	uint8_t order; /* enum order */
};

struct python_order {
	const struct trace_process *process; /* borrowed */
	uint8_t *of_stack;		     /* owned; enum order, 0 = not asked yet */
	struct inside *inside;		     /* owned; by thread */
	size_t thread_count;
};

struct row {
	const char *file;     /* the end of its path */
	const char *function; /* without its class; NULL = any other */
	enum order order;
};

/* The first that fits. */
static const struct row rows[] = {
	{ "/threading.py", "start", ORDERS_NOTHING },
	{ "/threading.py", "_bootstrap_inner", ORDERS_NOTHING },
	{ "/threading.py", "_set_tstate_lock", ORDERS_NOTHING },
	{ "/threading.py", "_stop", ORDERS_NOTHING },
	{ "/threading.py", "_delete", ORDERS_NOTHING },
	{ "/threading.py", "_maintain_shutdown_locks", ORDERS_NOTHING },
	{ "/threading.py", "enumerate", ORDERS_NOTHING },
	{ "/threading.py", "active_count", ORDERS_NOTHING },
	{ "/concurrent/futures/thread.py", NULL, ORDERS_NOTHING },
	{ "/logging/__init__.py", NULL, ORDERS_NOTHING },
	{ "<frozen importlib._bootstrap>", NULL, ORDERS_NOTHING },
	{ "/queue.py", "put", QUEUE_PUTS },
	{ "/queue.py", "get", QUEUE_GETS },
	{ "/queue.py", "task_done", QUEUE_DONE },
	{ "/queue.py", "join", QUEUE_JOINS },
	{ "/queue.py", NULL, ORDERS_NOTHING },
};

/* What primitives are made of: their caller says what for. */
static const char *const primitives[] = { "Condition.", "Semaphore.", "BoundedSemaphore." };

static bool ends_with(const char *text, const char *end)
{
	size_t bytes = strlen(text), tail = strlen(end);

	return bytes >= tail && !strcmp(text + bytes - tail, end);
}

/* 3.10 and older have no names of classes. */
static bool is_primitive(const struct trace_code_place *place)
{
	static const char *const bare[] = { "__enter__", "__exit__",   "acquire",
					    "release",	 "wait",       "wait_for",
					    "notify",	 "notify_all", "_acquire_restore" };

	if (!ends_with(place->file, "/threading.py"))
		return false;
	for (size_t i = 0; i < sizeof(primitives) / sizeof(primitives[0]); i++)
		if (!strncmp(place->function, primitives[i], strlen(primitives[i])))
			return true;
	for (size_t i = 0; i < sizeof(bare) / sizeof(bare[0]); i++)
		if (!strcmp(place->function, bare[i]))
			return true;
	return false;
}

static enum order find(const struct trace_code_place *place)
{
	const char *function = strrchr(place->function, '.');

	function = function ? function + 1 : place->function;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (ends_with(place->file, rows[i].file) &&
		    (!rows[i].function || !strcmp(rows[i].function, function)))
			return rows[i].order;
	return ORDERS;
}

/* By the innermost frames of an acquisition. */
static enum order order_at(const struct trace_process *p, const struct trace_stack *stack)
{
	for (uint32_t i = 0; stack && i < stack->frames; i++) {
		uint64_t id = stack->ip[i] - TF_PLACE;
		const struct trace_code_place *place;

		if (!TF_IS_PLACE(stack->ip[i]) || id >= p->place_count)
			continue;
		place = &p->places[id];
		if (place->kind != TF_PLACE_LIBRARY || !place->function || !place->file)
			return ORDERS;
		if (!is_primitive(place))
			return find(place);
	}
	return ORDERS;
}

static void *checked(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

struct python_order *python_order_new(const struct trace_process *process)
{
	struct python_order *o = checked(calloc(1, sizeof(*o)));

	o->process = process;
	o->thread_count = process->thread_count ? process->thread_count : 1;
	o->of_stack = checked(calloc(process->stack_count ? process->stack_count : 1, 1));
	o->inside = checked(calloc(o->thread_count, sizeof(*o->inside)));
	return o;
}

void python_order_free(struct python_order *o)
{
	if (!o)
		return;
	free(o->of_stack);
	free(o->inside);
	free(o);
}

static enum order order_of(struct python_order *o, uint32_t stack)
{
	const struct trace_process *p = o->process;

	if (!stack || stack >= p->stack_count || !p->stacks)
		return ORDERS;
	if (!o->of_stack[stack])
		o->of_stack[stack] = (uint8_t)order_at(p, &p->stacks[stack]);
	return o->of_stack[stack];
}

/* True = the library's own, and done with. */
static bool takes(struct python_order *o, struct happens_before *hb, const struct trace_event *e)
{
	enum order order = order_of(o, e->stack);

	if (order == ORDERS)
		return false;
	o->inside[e->thread] = (struct inside){ e->object, (uint8_t)order };
	if (order == QUEUE_GETS)
		happens_before_obtain(hb, e->thread, e->object, LANE_PUT);
	else if (order == QUEUE_JOINS)
		happens_before_obtain(hb, e->thread, e->object, LANE_DONE);
	return true;
}

static bool gives(struct python_order *o, struct happens_before *hb, const struct trace_event *e)
{
	struct inside *inside = &o->inside[e->thread];

	if (!inside->order || inside->object != e->object)
		return false;
	if (inside->order == QUEUE_PUTS)
		happens_before_publish(hb, e->thread, e->object, LANE_PUT);
	else if (inside->order == QUEUE_DONE)
		happens_before_publish(hb, e->thread, e->object, LANE_DONE);
	inside->order = 0;
	return true;
}

void python_order_apply(struct python_order *o, struct happens_before *hb,
			const struct trace_event *e)
{
	bool told = false;

	switch (e->thread < o->thread_count ? e->op : TRACE_OP_NONE) {
	case TRACE_ACQUIRE:
	case TRACE_ACQUIRE_TRY:
	case TRACE_ACQUIRE_TIMED:
		told = takes(o, hb, e);
		break;
	case TRACE_RELEASE:
	case TRACE_RELEASE_ODD:
	case TRACE_POST:
		told = gives(o, hb, e);
		break;
	default:
		break;
	}
	if (!told)
		happens_before_apply(hb, e);
}
