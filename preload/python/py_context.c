/* SPDX-License-Identifier: MIT */
/*
 * py_context.c - what the context of a task (contextvars) says of whose work it does: its variables that hold a text, a number or a UUID.
 *
 * A context is a tree of nodes that never change once they are made (a HAMT). Its own functions would make objects, and the collector of
 * cycles may run where one is made: finalizers of the program's with it. So the tree is walked as that collector does it, by the function by
 * which each type shows what it refers to: nothing is made, called, compared or counted. Only objects of exactly the known types are
 * looked into, and these as they lie in memory.
 */
#include "py_context.h"

#include "../shim_task_lock.h"
#include "py_pure.h"
#include "py_read.h"
#include "py_task.h"

enum {
	TYPE_TRAVERSE = 184, /* of a type: builds with a GIL, 3.9 to 3.14 */
	DEEP = 10,	     /* seven levels of five bits of a hash, and one of equal hashes */
	CANDIDATES = 64,     /* variables of these types; those above are not looked at */
	SAID = 4096,
	SIZE = 16, /* of a variable-sized object: how many items */
	ITEMS = 24,
	BYTES_TEXT = 32,
};

typedef int visit_function(PyObject *o, void *cookie);

static int (*task_traverse)(PyObject *task, visit_function *visit, void *cookie);
static struct py_reader name_of, uuid_int;
static PyObject *uuid_type; /* a reference; its module is not there yet = NULL */
static const struct py_type *hamt_type;

/* ---- the walk ---- */

struct pair {
	PyObject *name, *value; /* the context keeps both */
	unsigned rank;
};

struct walk {
	struct pair pair[CANDIDATES];
	uint32_t count;
	unsigned depth;
	PyObject *value; /* a node shows a value, then its key; a node below it has no key */
};

static int show(PyObject *o, visit_function *visit, void *cookie)
{
	int (*traverse)(PyObject *, visit_function *, void *) = *(
		int (**)(PyObject *, visit_function *, void *))((uintptr_t)o->type + TYPE_TRAVERSE);

	return (uintptr_t)traverse >= py.module_start && (uintptr_t)traverse < py.module_end
		       ? traverse(o, visit, cookie)
		       : 0;
}

static bool is_node(const PyObject *o)
{
	static const struct py_type *known[3]; /* bitmap, array, collision */
	const char *name;
	size_t i = 0;

	while (i < 3 && known[i] && known[i] != o->type) {
		i++;
	}
	if (i < 3 && known[i]) {
		return true;
	}
	name = py_type_name(o);
	if (i == 3 || (uintptr_t)o->type < py.module_start || (uintptr_t)o->type >= py.module_end ||
	    !(py_text_is(name, "hamt_bitmap_node") || py_text_is(name, "hamt_array_node") ||
	      py_text_is(name, "hamt_collision_node"))) {
		return false;
	}
	known[i] = o->type;
	return true;
}

static bool are_digits_known(void);

/* Ints, texts, byte strings and UUIDs, not of classes that build on these. */
static bool is_shown(const PyObject *value)
{
	return value->type == py_data_PyUnicode_Type || value->type == py_data_PyBytes_Type ||
	       (are_digits_known() &&
		(value->type == py_data_PyLong_Type ||
		 (uuid_int.offset && (void *)value->type == (void *)uuid_type)));
}

static void add(struct walk *w, PyObject *variable, PyObject *value)
{
	if (variable->type == py_data_PyContextVar_Type && is_shown(value) &&
	    w->count < CANDIDATES) {
		w->pair[w->count++] = (struct pair){
			.name = *(PyObject **)((uintptr_t)variable + (uintptr_t)name_of.offset),
			.value = value
		};
	}
}

static int on_node(PyObject *o, void *cookie)
{
	struct walk *w = cookie;
	PyObject *value = w->value;

	if (is_node(o)) {
		w->value = NULL;
		if (w->depth < DEEP) {
			w->depth++;
			show(o, on_node, w);
			w->depth--;
		}
		w->value = NULL;
	} else if (value) {
		w->value = NULL;
		add(w, o, value);
	} else {
		w->value = o;
	}
	return w->count == CANDIDATES;
}

static int on_context(PyObject *o, void *cookie)
{
	if (!hamt_type && (uintptr_t)o->type >= py.module_start &&
	    (uintptr_t)o->type < py.module_end && py_text_is(py_type_name(o), "hamt")) {
		hamt_type = o->type;
	}
	return o->type == hamt_type ? show(o, on_node, cookie) : 0;
}

/* ---- texts ---- */

/* Up to a NUL: of a text that is longer the start, and a mark. */
static size_t cut(char *text, size_t bytes, size_t most)
{
	static const char mark[] = "…";
	size_t end = 0;

	while (end < bytes && text[end]) {
		end++;
	}
	if (end <= most) {
		return end;
	}
	end = most - (sizeof(mark) - 1);
	while (end && ((uint8_t)text[end] & 0xc0) == 0x80) {
		end--;
	}
	__builtin_memcpy(text + end, mark, sizeof(mark) - 1);
	return end + sizeof(mark) - 1;
}

/* A number as the interpreter keeps it, the lowest 30 bits first. False: longer than what is shown. */
static bool digits_of(const PyObject *o, uint32_t *ret_digit, size_t room, size_t *ret_count,
		      bool *ret_is_negative)
{
	intptr_t size = *(const intptr_t *)((uintptr_t)o + SIZE);
	bool is_tagged = py.version >= 0x030c00; /* sign in the two lowest bits */
	size_t count;

	*ret_is_negative = is_tagged ? (size & 3) == 2 : size < 0;
	count = (size_t)(is_tagged ? size >> 3 : size < 0 ? -size : size);
	if (count > room) {
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		ret_digit[i] = ((const uint32_t *)((uintptr_t)o + ITEMS))[i];
		if (ret_digit[i] >> 30) {
			return false; /* not such a build */
		}
	}
	*ret_count = count;
	return true;
}

/* Once, by an example. */
static bool are_digits_known(void)
{
	enum { EXAMPLE = 0x12345678, KNOWN = 1, OTHERS = 2 };
	static uint8_t state;
	PyObject *o = state || !py_PyLong_FromLong ? NULL : py_PyLong_FromLong(EXAMPLE);
	uint32_t digit[2];
	size_t count;
	bool is_negative;

	if (o) {
		state = digits_of(o, digit, 2, &count, &is_negative) && count == 1 &&
					digit[0] == EXAMPLE && !is_negative
				? KNOWN
				: OTHERS;
	}
	py_drop(o);
	return state == KNOWN;
}

static size_t add_number(char *to, const PyObject *o)
{
	enum { MOST = 7, DECIMALS = 9, BILLION = 1000000000 }; /* seven have at most 64 decimals */
	uint32_t digit[MOST];
	char text[MOST * DECIMALS + DECIMALS];
	size_t count, at = sizeof(text), used = 0;
	bool is_negative;

	if (!digits_of(o, digit, MOST, &count, &is_negative)) {
		return 0;
	}
	do {
		uint64_t rest = 0;

		for (size_t i = count; i-- > 0;) {
			rest = rest << 30 | digit[i];
			digit[i] = (uint32_t)(rest / BILLION);
			rest %= BILLION;
		}
		while (count && !digit[count - 1]) {
			count--;
		}
		for (unsigned i = 0; i < DECIMALS && (i == 0 || rest || count); i++, rest /= 10) {
			text[--at] = (char)('0' + rest % 10);
		}
	} while (count);
	if (is_negative) {
		to[used++] = '-';
	}
	__builtin_memcpy(to + used, text + at, sizeof(text) - at);
	return used + sizeof(text) - at;
}

static size_t add_uuid(char *to, const PyObject *o)
{
	enum { DIGITS = 5, NIBBLES = 32 };
	const PyObject *number = *(PyObject **)((uintptr_t)o + (uintptr_t)uuid_int.offset);
	uint32_t digit[DIGITS] = { 0 };
	size_t count, at = 0;
	bool is_negative;

	if (!number || number->type != py_data_PyLong_Type ||
	    !digits_of(number, digit, DIGITS, &count, &is_negative) || is_negative) {
		return 0;
	}
	for (unsigned i = NIBBLES; i-- > 0;) {
		unsigned bit = i * 4, low = bit % 30;
		uint64_t two = digit[bit / 30] |
			       (uint64_t)(bit / 30 + 1 < DIGITS ? digit[bit / 30 + 1] : 0) << 30;

		to[at++] = "0123456789abcdef"[two >> low & 15];
		if (i == 24 || i == 20 || i == 16 || i == 12) {
			to[at++] = '-';
		}
	}
	return at;
}

/* Bytes that are no text as hexadecimal digits. */
static size_t add_bytes(char *to, const PyObject *o, size_t room)
{
	size_t count = *(const size_t *)((uintptr_t)o + SIZE), i = 0;
	const uint8_t *bytes = (const uint8_t *)o + BYTES_TEXT;

	while (i < count && bytes[i] >= ' ' && bytes[i] < 127) {
		i++;
	}
	if (i == count) {
		count = count < room ? count : room;
		__builtin_memcpy(to, bytes, count);
		return count;
	}
	count = count < room / 2 ? count : room / 2;
	for (i = 0; i < count; i++) {
		to[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
		to[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
	}
	return 2 * count;
}

static size_t text_of(const PyObject *value, char *to, size_t room)
{
	if (value->type == py_data_PyUnicode_Type) {
		return py_text_start(value, to, room);
	}
	if (value->type == py_data_PyBytes_Type) {
		return add_bytes(to, value, room);
	}
	return value->type == py_data_PyLong_Type ? add_number(to, value) : add_uuid(to, value);
}

size_t py_context_value(const PyObject *value, char *to, size_t room)
{
	char text[4 * TF_CONTEXT_VALUE + 4];
	size_t bytes = is_shown(value) ? cut(text, text_of(value, text, sizeof(text)), room) : 0;

	__builtin_memcpy(to, text, bytes);
	return bytes;
}

/* ---- which ---- */

static bool is_id(const char *name, size_t bytes)
{
	return bytes >= 2 && (name[bytes - 2] | 32) == 'i' && (name[bytes - 1] | 32) == 'd';
}

/* What libraries keep there for themselves. */
static bool is_known_noise(const char *name, size_t bytes)
{
	static const char *const words[] = { "current_async_library_cvar" }; /* sniffio */
	char text[64];

	if (bytes >= sizeof(text)) {
		return false;
	}
	__builtin_memcpy(text, name, bytes);
	text[bytes] = 0;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (py_text_is(text, words[i])) {
			return true;
		}
	}
	return false;
}

/* Those that are called an id come first, then by their names. */
static bool goes_before(const struct pair *a, const struct pair *b)
{
	char of_a[256], of_b[256];
	size_t na = py_text_start(a->name, of_a, sizeof(of_a)),
	       nb = py_text_start(b->name, of_b, sizeof(of_b));
	int order = __builtin_memcmp(of_a, of_b, na < nb ? na : nb);

	return a->rank != b->rank ? a->rank < b->rank : order ? order < 0 : na < nb;
}

static void put(struct py_context *ret, const struct pair *p)
{
	char name[256], value[4 * TF_CONTEXT_VALUE + 4];
	size_t n = cut(name, py_text_start(p->name, name, sizeof(name)), TF_CONTEXT_NAME);
	size_t v = cut(value, text_of(p->value, value, sizeof(value)), TF_CONTEXT_VALUE);

	if (!n || !v) {
		return;
	}
	__builtin_memcpy(ret->text + ret->bytes, name, n);
	ret->text[ret->bytes + n] = 0;
	ret->bytes += (uint32_t)n + 1;
	if (!shim_options.redact_args) {
		__builtin_memcpy(ret->text + ret->bytes, value, v);
		ret->bytes += (uint32_t)v;
	}
	ret->text[ret->bytes++] = 0;
}

static void choose(struct py_context *ret, struct walk *w)
{
	char name[256];

	for (uint32_t i = 0; i < w->count; i++) {
		size_t bytes = py_text_start(w->pair[i].name, name, sizeof(name));

		w->pair[i].rank = !bytes || is_known_noise(name, bytes) ? 2
				  : is_id(name, bytes)			? 0
									: 1;
	}
	for (uint32_t n = 0; n < TF_CONTEXT_PAIRS && n < w->count; n++) {
		uint32_t best = n;
		struct pair first;

		for (uint32_t i = n + 1; i < w->count; i++) {
			best = goes_before(&w->pair[i], &w->pair[best]) ? i : best;
		}
		first = w->pair[best];
		w->pair[best] = w->pair[n];
		w->pair[n] = first;
		if (first.rank < 2) {
			put(ret, &first);
		}
	}
}

void py_context_read(struct py_context *ret, PyObject *context)
{
	struct walk w = { .count = 0 };

	ret->bytes = 0;
	if (context && context->type == py_data_PyContext_Type && name_of.offset) {
		show(context, on_context, &w);
		choose(ret, &w);
	}
}

static int on_task(PyObject *o, void *cookie)
{
	PyObject **ret = cookie;

	*ret = o->type == py_data_PyContext_Type ? o : NULL;
	return *ret != NULL;
}

void py_context_read_task(struct py_context *ret, PyObject *task)
{
	PyObject *context = NULL;

	ret->bytes = 0;
	if (py_is_pure_task(task)) {
		py_context_read_of(ret, task, "_context");
	} else if (task_traverse) { /* its own comes before those of callbacks */
		task_traverse(task, on_task, &context);
		py_context_read(ret, context);
	}
}

void py_context_read_of(struct py_context *ret, PyObject *task, const char *attribute)
{
	PyObject *context = py_get(task, attribute);

	py_context_read(ret, context);
	py_drop(context);
}

/* ---- into place ---- */

static void find_uuid(void)
{
	PyObject *module = py_PyModule_GetDict ? py_module("uuid") : NULL;
	PyObject *class = module && module->type == py_data_PyModule_Type
				  ? py_PyDict_GetItemString(py_PyModule_GetDict(module), "UUID")
				  : NULL;

	if (class && class->type == py_data_PyType_Type) {
		py_Py_IncRef(class);
		uuid_type = class;
		py_reader_find(&uuid_int, class, "int");
	}
}

void py_context_look(void)
{
	if (!name_of.name && py.layout && py_data_PyContext_Type && py_data_PyContextVar_Type) {
		py_reader_find(&name_of, py_data_PyContextVar_Type, "name");
	}
	if (!uuid_type) {
		find_uuid();
	}
	py_PyErr_Clear();
}

void py_context_install(PyObject *task_type)
{
	task_traverse = *(int (**)(PyObject *, visit_function *, void *))((uintptr_t)task_type +
									  TYPE_TRAVERSE);
}

/* ---- into the trace ---- */

static uint32_t newest_look;

void py_context_define(const struct call *c, uint32_t task, uint32_t look,
		       const struct py_context *x)
{
	static struct {
		uint32_t task, pid;
		uint64_t hash;
	} said[SAID];
	struct tf_def_task_context def = { .def.type = TF_DEF_TASK_CONTEXT,
					   .def.flags = shim_options.redact_args
								? TF_CONTEXT_REDACTED
								: 0,
					   .task = task,
					   .look = look,
					   .ticks = c->s->last_ticks,
					   .bytes = x->bytes };
	uint64_t hash = 0xcbf29ce484222325u;
	size_t i = task % SAID;

	newest_look = look;
	for (uint32_t k = 0; k < x->bytes; k++) {
		hash = (hash ^ (uint8_t)x->text[k]) * 0x100000001b3u;
	}
	if (!x->bytes || (said[i].task == task && said[i].pid == shim->process->pid &&
			  said[i].hash == hash && !task_locks_are_kept(c->s))) {
		return;
	}
	said[i].task = task;
	said[i].pid = shim->process->pid;
	said[i].hash = hash;
	task_context_define(c->s, &def, x->text);
}

void py_context_note(struct arch_caller caller, PyObject *task)
{
	uint32_t id = py_task_number(task);
	struct py_context x;
	struct call call;

	py_context_look();
	py_context_read_task(&x, task);
	if (id && x.bytes && task_enter_any(&call, caller)) {
		py_context_define(&call, id, newest_look, &x);
		shim_leave(&call);
	}
}
