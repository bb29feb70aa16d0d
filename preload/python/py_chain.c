/* SPDX-License-Identifier: MIT */
/*
 * py_chain.c - what a task awaits: from its coroutine down to asyncio's own functions, which are known by their code objects.
 *
 * Local variables are read where the frame has them: frame.f_locals would make a dict that keeps them alive. Arguments of the functions
 * in the table are no cells, in all versions of the layout table.
 */
#include "py_chain.h"

/* ---- functions of asyncio ---- */

enum meaning { OWN_KIND, LIMITED, SEVERAL, GROUP, NURSERY, OWN_TASK };

static struct known {
	const char *module, *class, *function;
	uint32_t kind;
	enum meaning meaning;
	uintptr_t code; /* 0 = this version has none */
} known[] = {
	{ "asyncio.locks", "Lock", "acquire", TF_AWAIT_LOCK, OWN_KIND, 0 },
	{ "asyncio.locks", "Semaphore", "acquire", TF_AWAIT_SEMAPHORE, OWN_KIND, 0 },
	{ "asyncio.locks", "Event", "wait", TF_AWAIT_EVENT, OWN_KIND, 0 },
	{ "asyncio.locks", "Condition", "wait", TF_AWAIT_CONDITION, OWN_KIND, 0 },
	{ "asyncio.locks", "Barrier", "wait", TF_AWAIT_BARRIER, OWN_KIND, 0 },
	{ "asyncio.queues", "Queue", "get", TF_AWAIT_GET, OWN_KIND, 0 },
	{ "asyncio.queues", "Queue", "put", TF_AWAIT_PUT, OWN_KIND, 0 },
	{ "asyncio.queues", "Queue", "join", TF_AWAIT_DONE, OWN_KIND, 0 },
	{ "asyncio.tasks", NULL, "sleep", TF_AWAIT_SLEEP, OWN_KIND, 0 },
	{ "asyncio.tasks", NULL, "wait_for", 0, LIMITED, 0 },
	{ "asyncio.tasks", NULL, "wait", TF_AWAIT_TASK, SEVERAL, 0 },
	{ "asyncio.taskgroups", "TaskGroup", "__aexit__", TF_AWAIT_TASK, GROUP, 0 },
	{ "asyncio.taskgroups", "TaskGroup", "_aexit", TF_AWAIT_TASK, GROUP, 0 },
	{ "trio._sync", "_LockImpl", "acquire", TF_AWAIT_LOCK, OWN_KIND, 0 },
	{ "trio._sync", "Semaphore", "acquire", TF_AWAIT_SEMAPHORE, OWN_KIND, 0 },
	{ "trio._sync", "CapacityLimiter", "acquire_on_behalf_of", TF_AWAIT_SEMAPHORE, OWN_KIND,
	  0 },
	{ "trio._sync", "Event", "wait", TF_AWAIT_EVENT, OWN_KIND, 0 },
	{ "trio._sync", "Condition", "wait", TF_AWAIT_CONDITION, OWN_KIND, 0 },
	{ "trio._channel", "MemoryReceiveChannel", "receive", TF_AWAIT_GET, OWN_KIND, 0 },
	{ "trio._channel", "MemorySendChannel", "send", TF_AWAIT_PUT, OWN_KIND, 0 },
	{ "trio._timeouts", NULL, "sleep_until", TF_AWAIT_SLEEP, OWN_KIND, 0 },
	{ "trio._timeouts", NULL, "sleep_forever", TF_AWAIT_SLEEP, OWN_KIND, 0 },
	{ "trio._core._run", "Nursery", "_nested_child_finished", TF_AWAIT_TASK, NURSERY, 0 },
	{ "trio._core._io_epoll", "EpollIOManager", "_epoll_wait", TF_AWAIT_IO, OWN_KIND, 0 },
	{ "trio._core._entry_queue", "EntryQueue", "task", 0, OWN_TASK, 0 },
	{ "trio._signals", "SignalReceiver", "__anext__", TF_AWAIT_IO, OWN_KIND, 0 },
};
enum { KNOWN = sizeof(known) / sizeof(known[0]) };
static PyObject *cancelled_error; /* the class */

static bool has_learned;

/* Behind the decorators of trio's. */
static uintptr_t code_of(PyObject *function)
{
	PyObject *wrapped = function ? py_get(function, "__wrapped__") : NULL;
	uintptr_t code = wrapped    ? py_function_code(wrapped)
			 : function ? py_function_code(function)
				    : 0;

	py_drop(wrapped); /* the function keeps it */
	return code;
}

static void learn(void)
{
	PyObject *modules = py_PyImport_GetModuleDict(), *module, *class, *function;

	for (size_t i = 0; i < KNOWN; i++) {
		module = py_PyDict_GetItemString(modules, known[i].module);
		class = known[i].class && module ? py_get(module, known[i].class) : NULL;
		function = py_get(known[i].class ? class : module, known[i].function);
		known[i].code = code_of(function);
		py_drop(function);
		py_drop(class);
	}
	module = py_PyDict_GetItemString(modules, "asyncio.exceptions");
	cancelled_error = module ? py_get(module, "CancelledError") : NULL;
	has_learned = true;
	py_PyErr_Clear();
}

void py_chain_learn(void)
{
	has_learned = false;
}

static const struct known *find_known(uintptr_t code)
{
	for (size_t i = 0; i < KNOWN; i++) {
		if (known[i].code == code) {
			return &known[i];
		}
	}
	return NULL;
}

/* ---- frames that do not run ---- */

/* Of a frame object: the argument; borrowed, NULL = not bound. */
static PyObject *argument(PyObject *frame, unsigned index)
{
	enum { FRAME_OF_OBJECT = 24, TAG = 3 };
	const uint8_t *f = py.version >= 0x030b00
				   ? *(const uint8_t **)((uintptr_t)frame + FRAME_OF_OBJECT)
				   : (const uint8_t *)frame;

	return f ? (PyObject *)((uintptr_t)py_frame_local(f, index) & ~(uintptr_t)TAG) : NULL;
}

/* The exception that a coroutine handles while it waits: in its gi_exc_state. */
static bool handles_cancellation(PyObject *coroutine)
{
	static const uint8_t state_at[] = { [9] = 72, [10] = 64, [11] = 48, [12] = 40, [13] = 40 };
	unsigned minor = py.version >> 8 & 255;
	PyObject *value;

	if (minor < 9 || minor > 13 || !cancelled_error) {
		return false;
	}
	value = *(PyObject **)((uintptr_t)coroutine + state_at[minor]);
	return value && value != PY_NONE && (void *)value->type == (void *)cancelled_error;
}

static bool text_is(PyObject *o, const char *word)
{
	char text[32];
	size_t bytes = o ? py_text(o, text, sizeof(text) - 1) : 0;

	text[bytes] = 0;
	return py_text_is(text, word);
}

static void understand(struct py_chain *c, PyObject *frame, uintptr_t code)
{
	const struct known *k = find_known(code);
	PyObject *first = k ? argument(frame, 0) : NULL, *limit;

	if (first && py_text_is(py_type_name(first), "cell")) { /* an inner function uses it too */
		first = py_get(first, "cell_contents");
		py_drop(first); /* the cell keeps it */
	}
	if (!k || (!first && k->meaning != OWN_KIND && k->meaning != OWN_TASK)) {
		return;
	}
	switch (k->meaning) {
	case OWN_TASK:
		c->is_own = true;
		break;
	case NURSERY:
		c->awaited = py_get(first, "_children");
		py_drop(c->awaited); /* the nursery keeps it */
		break;
	case OWN_KIND:
		if (c->kind != TF_AWAIT_DONE &&
		    c->kind != TF_AWAIT_BARRIER) { /* join, by an event */
			c->kind = k->kind;
			c->subject = k->kind == TF_AWAIT_SLEEP ? 0 : (uintptr_t)first;
		}
		break;
	case LIMITED:
		limit = argument(frame, 1);
		c->flags |= limit && limit != PY_NONE ? TF_AWAIT_TIMED : 0;
		if (py.version < 0x030c00 && limit && limit != PY_NONE) {
			c->in_wait_for = true;
			c->awaited = first;
		}
		break;
	case SEVERAL:
		limit = argument(frame, 1);
		c->flags |= limit && limit != PY_NONE ? TF_AWAIT_TIMED : 0;
		c->flags |= text_is(argument(frame, 2), "ALL_COMPLETED") ? 0 : TF_AWAIT_ANY;
		c->awaited = first;
		break;
	case GROUP:
		c->awaited = py_get(first, "_tasks");
		py_drop(c->awaited); /* the group keeps it */
		break;
	}
}

/* A new reference to what it awaits; NULL = nothing that goes on. */
static PyObject *add_link(struct py_chain *c, PyObject *coroutine, const char *frame_word,
			  const char *await_word)
{
	PyObject *frame = py_get(coroutine, frame_word), *where = NULL, *code = NULL;

	if (frame && frame != PY_NONE && c->count < TF_MAX_FRAMES) {
		code = py_PyFrame_GetCode(frame);
		where = py_get(frame, "f_lasti");
		c->code[c->count] = (uintptr_t)code;
		c->at[c->count++] = where ? (int)py_PyLong_AsLong(where) : -1;
		understand(c, frame, (uintptr_t)code);
		c->tidies_up |= handles_cancellation(coroutine);
	}
	py_PyErr_Clear();
	py_drop(where);
	py_drop(code); /* the coroutine keeps it */
	py_drop(frame);
	return py_get(coroutine, await_word);
}

void py_chain_follow(struct py_chain *c, PyObject *coroutine)
{
	PyObject *at = coroutine, *next;

	if (!has_learned) {
		learn();
	}
	*c = (struct py_chain){ .count = 0 };
	if (at) {
		py_Py_IncRef(at);
	}
	while (at && at != PY_NONE && c->count < TF_MAX_FRAMES) {
		if (at->type == py_data_PyCoro_Type) {
			next = add_link(c, at, "cr_frame", "cr_await");
		} else if (at->type == py_data_PyGen_Type) {
			next = add_link(c, at, "gi_frame", "gi_yieldfrom");
		} else if (at->type == py_data_PyAsyncGen_Type) {
			next = add_link(c, at, "ag_frame", "ag_await");
		} else {
			break; /* a future's iterator, or something of an extension's */
		}
		py_drop(at);
		at = next;
	}
	py_drop(at);
	if (c->awaited) {
		py_Py_IncRef(c->awaited);
	}
}

void py_chain_drop(struct py_chain *c)
{
	py_drop(c->awaited);
	c->awaited = NULL;
}

uint32_t py_stands_at(struct arch_caller caller, PyObject *task, const char *attribute)
{
	PyObject *type, *value, *trace, *coroutine;
	struct py_chain chain;
	struct call call;
	uint32_t stack = 0;

	py_PyErr_Fetch(&type, &value, &trace);
	coroutine = py_get(task, attribute);
	py_chain_follow(&chain, coroutine);
	if (chain.count && shim_enter_with(&call, caller, ROOM)) {
		stack = py_stack_of_places(chain.code, chain.at, chain.count);
		shim_leave(&call);
	}
	py_chain_drop(&chain);
	py_drop(coroutine);
	py_PyErr_Restore(type, value, trace);
	return stack;
}

/* ---- loops ---- */

/* Opcodes by minor version: unconditional and conditional jumps back, and what a loop over a sequence begins with. */
static const struct {
	uint8_t jump, first_conditional, last_conditional, for_iter, extended, cache_bytes;
	bool is_relative;
	uint8_t unit; /* of an absolute target */
} opcodes[] = {
	[9] = { 113, 114, 115, 93, 144, 0, false, 1 },
	[10] = { 113, 114, 115, 93, 144, 0, false, 2 },
	[11] = { 140, 173, 176, 93, 144, 0, true, 2 },
	[12] = { 140, 255, 255, 93, 144, 0, true, 2 },
	[13] = { 77, 255, 255, 72, 71, 2, true, 2 },
};

static bool is_for(const uint8_t *text, unsigned minor, intptr_t at)
{
	while (text[at] == opcodes[minor].extended) {
		at += 2;
	}
	return text[at] == opcodes[minor].for_iter;
}

/* `at` is inside a loop that is no `for`. Of a version that is not known: true, for that accuses nobody. */
static bool is_in_loop(const uint8_t *text, intptr_t bytes, int at)
{
	unsigned minor = py.version >> 8 & 255;
	uint32_t extended = 0;

	if (minor < 9 || minor > 13) {
		return true;
	}
	for (intptr_t i = 0; i + 1 < bytes; i += 2) {
		uint8_t op = text[i];
		uint32_t arg = extended << 8 | text[i + 1];
		intptr_t target = opcodes[minor].is_relative
					  ? i + 2 + opcodes[minor].cache_bytes - 2 * (intptr_t)arg
					  : (intptr_t)arg * opcodes[minor].unit;

		extended = op == opcodes[minor].extended ? arg : 0;
		if ((op == opcodes[minor].jump || (op >= opcodes[minor].first_conditional &&
						   op <= opcodes[minor].last_conditional)) &&
		    target >= 0 && target <= at && at < i && !is_for(text, minor, target)) {
			return true;
		}
	}
	return false;
}

static bool is_of_library(uintptr_t code)
{
	char text[sizeof(py.library)];
	size_t bytes = py_text(*(PyObject **)(code + py.layout->filename), text, sizeof(text));

	return py.library_bytes && bytes > py.library_bytes &&
	       !__builtin_memcmp(text, py.library, py.library_bytes);
}

void py_chain_find_loops(struct py_chain *c)
{
	enum { BYTES_LENGTH = 16, BYTES_TEXT = 32 };

	for (uint32_t i = 0; i < c->count && !c->is_endless; i++) {
		PyObject *text = is_of_library(c->code[i])
					 ? NULL
					 : py_get((PyObject *)c->code[i], "co_code");

		c->is_endless = text &&
				is_in_loop((const uint8_t *)text + BYTES_TEXT,
					   *(intptr_t *)((uintptr_t)text + BYTES_LENGTH), c->at[i]);
		py_drop(text);
	}
}
