/* SPDX-License-Identifier: MIT */
/*
 * py_race_read.c - reads byte code: self.n += 1, total = total + x, n = self.n … self.n = n + 1, stats[key] = stats.get(key, 0) + 1.
 *
 * One pass from the first instruction to the last, which keeps for each value on the stack and in each local variable which reads went
 * into it, and a number that is equal for equal expressions. Jumps are not followed: what a branch leaves on the stack
 * only makes an answer "not made of it". A loop is read twice.
 */
#include "py_race_read.h"

#include "py_task.h"

static uint64_t mix(uint64_t a, uint64_t b)
{
	return ((a ^ b) * 0x9e3779b97f4a7c15u ^ (b >> 7)) * 0xd6e8feb86659fd93u | 1;
}

static struct value fresh(struct code *c, uint64_t reads)
{
	return (struct value){ .reads = reads, .same = mix(0x51, ++c->fresh) };
}

static void push(struct code *c, struct value v)
{
	if (c->depth == DEPTH) {
		__builtin_memmove(c->stack, c->stack + 1, (DEPTH - 1) * sizeof(v));
		c->depth--;
	}
	c->stack[c->depth++] = v;
}

static struct value pop(struct code *c)
{
	return c->depth ? c->stack[--c->depth] : fresh(c, 0);
}

static struct value *peek(struct code *c, unsigned from_top)
{
	return from_top && from_top <= c->depth ? &c->stack[c->depth - from_top] : NULL;
}

PyObject *py_name_at(PyObject *tuple, unsigned i)
{
	return tuple && (intptr_t)i < py_PyTuple_Size(tuple) ? py_PyTuple_GetItem(tuple, i) : NULL;
}

static struct value read_of(struct code *c, unsigned kind, uint64_t variable, PyObject *name,
			    int32_t at, unsigned index)
{
	struct value v = { .same = mix(variable, 0x77), .label = name };

	for (unsigned i = 0; i < c->read_count; i++) {
		if (c->read[i].at == at && at >= 0) { /* the second time around */
			v.reads = UINT64_C(1) << i;
			return v;
		}
	}
	if (c->read_count < READS) {
		v.reads = UINT64_C(1) << c->read_count;
		c->read[c->read_count++] =
			(struct access){ variable, name, at, (uint8_t)kind, 0, index };
	}
	return v;
}

static void store_of(struct code *c, unsigned kind, uint64_t variable, PyObject *name, int32_t at,
		     unsigned index, uint64_t reads)
{
	for (unsigned i = 0; i < c->store_count; i++) {
		if (c->store[i].at == at) {
			c->store[i].reads |= c->store[i].variable == variable ? reads : 0;
			return;
		}
	}
	if (c->store_count < STORES) {
		c->store[c->store_count++] =
			(struct access){ variable, name, at, (uint8_t)kind, reads, index };
	}
}

static struct value *local(struct code *c, unsigned i)
{
	return i < LOCALS ? &c->local[i] : NULL;
}

static void load_local(struct code *c, unsigned i)
{
	push(c, local(c, i) ? *local(c, i) : fresh(c, 0));
}

static void store_local(struct code *c, unsigned i)
{
	struct value v = pop(c);
	PyObject *name = py_name_at(c->locals_names, i);

	if (local(c, i)) {
		v.label = name ? name : v.label;
		*local(c, i) = v;
	}
}

static uint64_t attribute_of(uint64_t owner, const PyObject *name)
{
	return mix(mix(owner, 0xa77), (uint64_t)(uintptr_t)name);
}

static uint64_t global_of(const PyObject *name)
{
	return mix(0x610, (uint64_t)(uintptr_t)name);
}

static void load_attribute(struct code *c, unsigned argument, int32_t at, bool method)
{
	unsigned index = py_minor() >= 12 ? argument >> 1 : argument;
	PyObject *name = py_name_at(c->names, index);
	struct value owner = pop(c), v;
	char text[4];

	method = method || (py_minor() >= 12 && argument & 1);
	if (method && py_text(name, text, sizeof(text)) == 3 && !__builtin_memcmp(text, "get", 3)) {
		v = read_of(c, SITE_ITEM, mix(owner.same, 0x17e3), NULL, -1, 0);
		v.label = NULL;
	} else {
		v = read_of(c, SITE_ATTRIBUTE, attribute_of(owner.same, name), name, at, index);
		/* a method of what was read: self.n.bit_length() */
		v.reads |= method ? owner.reads : 0;
	}
	push(c, v);
	if (method) {
		push(c, fresh(c, owner.reads));
	}
}

static void load_global(struct code *c, unsigned argument, int32_t at)
{
	unsigned index = py_minor() >= 11 ? argument >> 1 : argument;
	PyObject *name = py_name_at(c->names, index);
	struct value v = read_of(c, SITE_GLOBAL, global_of(name), name, at, index);

	if (py_minor() >= 11 && argument & 1 && py_minor() < 13) {
		push(c, fresh(c, 0));
	}
	push(c, v);
	if (py_minor() >= 13 && argument & 1) {
		push(c, fresh(c, 0));
	}
}

static void load_item(struct code *c, int32_t at)
{
	struct value key = pop(c), container = pop(c);
	struct value v = read_of(c, SITE_ITEM, mix(mix(container.same, 0x17e3), key.same),
				 container.label, at, 0);

	v.label = NULL;
	push(c, v);
}

static void store_item(struct code *c, int32_t at)
{
	struct value key = pop(c), container = pop(c), value = pop(c);
	uint64_t any = mix(container.same, 0x17e3), this_one = mix(any, key.same);

	for (unsigned i = 0; i < c->read_count; i++) { /* by get(): of any key */
		if (value.reads >> i & 1 && c->read[i].at < 0 && c->read[i].variable == any) {
			c->read[i].variable = this_one;
		}
	}
	store_of(c, SITE_ITEM, this_one, container.label, at, 0, value.reads);
}

static void rotate(struct code *c, unsigned n)
{
	if (n >= 2 && n <= c->depth) {
		struct value top = c->stack[c->depth - 1];

		__builtin_memmove(&c->stack[c->depth - n + 1], &c->stack[c->depth - n],
				  (n - 1) * sizeof(top));
		c->stack[c->depth - n] = top;
	}
}

static void swap(struct code *c, unsigned n)
{
	struct value *a = peek(c, 1), *b = peek(c, n);

	if (a && b) {
		struct value v = *a;

		*a = *b;
		*b = v;
	}
}

static void any_other(struct code *c, unsigned op, unsigned argument)
{
	int effect = py_PyCompile_OpcodeStackEffectWithJump((int)op, (int)argument, 0);
	uint64_t reads = 0;

	if (py_PyErr_Occurred()) {
		py_PyErr_Clear();
		effect = 0;
	}
	if (effect == 0) {
		struct value *top = peek(c, 1);

		if (top) { /* of one value another one */
			top->same = mix(top->same, op);
		}
		return;
	}
	for (int i = 1 - effect; i > 0; i--) {
		reads |= pop(c).reads;
	}
	for (int i = 0; i < (effect > 1 ? effect : 1); i++) {
		push(c, fresh(c, reads));
	}
}

static void step(struct code *c, unsigned op, unsigned argument, int32_t at)
{
	struct value v, *p;
	PyObject *name;

	switch (py_step_of((uint8_t)op)) {
	case EXTEND:
	case NOTHING:
		break;
	case LOCAL_LOAD:
		load_local(c, argument);
		break;
	case CELL_LOAD:
		load_local(c, py_minor() >= 11 ? argument : LOCALS / 2 + argument);
		break;
	case CONST_LOAD:
		push(c, (struct value){ .same = mix(0xc057, argument) });
		break;
	case GLOBAL_LOAD:
		load_global(c, argument, at);
		break;
	case LOCAL_STORE:
		store_local(c, argument);
		break;
	case CELL_STORE:
		store_local(c, py_minor() >= 11 ? argument : LOCALS / 2 + argument);
		break;
	case GLOBAL_STORE:
		name = py_name_at(c->names, argument);
		store_of(c, SITE_GLOBAL, global_of(name), name, at, argument, pop(c).reads);
		break;
	case ATTR_LOAD:
		load_attribute(c, argument, at, false);
		break;
	case METHOD_LOAD:
		load_attribute(c, argument, at, true);
		break;
	case ATTR_STORE:
		v = pop(c); /* the owner */
		name = py_name_at(c->names, argument);
		store_of(c, SITE_ATTRIBUTE, attribute_of(v.same, name), name, at, argument,
			 pop(c).reads);
		break;
	case ITEM_LOAD:
		load_item(c, at);
		break;
	case ITEM_STORE:
		store_item(c, at);
		break;
	case DUP:
		p = peek(c, 1);
		push(c, p ? *p : fresh(c, 0));
		break;
	case DUP_TWO:
		for (int i = 0; i < 2; i++) {
			p = peek(c, 2);
			push(c, p ? *p : fresh(c, 0));
		}
		break;
	case COPY:
		p = peek(c, argument);
		push(c, p ? *p : fresh(c, 0));
		break;
	case ROT_TWO:
		rotate(c, 2);
		break;
	case ROT_THREE:
		rotate(c, 3);
		break;
	case ROT_FOUR:
		rotate(c, 4);
		break;
	case ROT_N:
		rotate(c, argument);
		break;
	case SWAP:
		swap(c, argument);
		break;
	case LOAD_LOAD:
		load_local(c, argument >> 4);
		load_local(c, argument & 15);
		break;
	case STORE_LOAD:
		store_local(c, argument >> 4);
		load_local(c, argument & 15);
		break;
	case STORE_STORE:
		store_local(c, argument >> 4);
		store_local(c, argument & 15);
		break;
	case UNPACK:
		v = pop(c);
		for (unsigned i = 0; i < argument && i < DEPTH; i++) {
			push(c, fresh(c, v.reads));
		}
		break;
	case JOIN_TWO:
		v = pop(c);
		push(c, fresh(c, v.reads | pop(c).reads));
		break;
	case BACK:
		c->loops = true;
		if (op >= 173) { /* 3.11: and a condition */
			pop(c);
		}
		break;
	case POP_FOUR:
		pop(c);
		pop(c);
		/* fall through */
	case POP_TWO:
	case ADD_PAIR:
		pop(c);
		/* fall through */
	case POP:
	case APPEND:
	case LOOP_END:
	case RETURNS:
		pop(c);
		/* 3.10 ends a loop so */
		c->loops |= py_minor() == 10 && (op == 114 || op == 115) &&
			    argument * 2 < (unsigned)at;
		break;
	case NAME:
	case NAME_LOAD:
	case NAME_STORE:
	case BUILD:
	case BUILD_PAIRS:
	case BUILD_KEYED:
	case CALL_BEGINS:
	case CALLS:
	case CALLS_METHOD:
	case JUMP:
	case YIELDS:
	case PUSHES:
	case LOOP:
	case GLOBAL_DELETE:
	case STEP_OTHER:
		any_other(c, op, argument);
		break;
	}
}

void py_code_read(struct code *c)
{
	unsigned argument = 0;

	for (intptr_t i = 0; i + 1 < c->bytes; i += 2) {
		unsigned op = c->text[i];

		argument = argument << 8 | c->text[i + 1];
		if (op != 0 || py_minor() < 11) { /* 0: room for what the interpreter learns */
			step(c, op, argument, (int32_t)i);
		}
		if (py_step_of((uint8_t)op) != EXTEND) {
			argument = 0;
		}
	}
}

bool py_code_begin(struct code *c, PyObject *code, PyObject **ret_bytes)
{
	enum { NAMES_OLD = 64, NAMES_NEW = 32, FLAGS_OLD = 36, FLAGS_NEW = 48 };
	enum { COROUTINE = 0x80, ASYNC_GENERATOR = 0x200 };
	uintptr_t at = (uintptr_t)code;
	char *text = NULL;

	__builtin_memset(c, 0, sizeof(*c));
	c->object = code;
	c->names = *(PyObject **)(at + (py_minor() >= 11 ? NAMES_NEW : NAMES_OLD));
	c->suspends = *(int *)(at + (py_minor() >= 11 ? FLAGS_NEW : FLAGS_OLD)) &
		      (COROUTINE | ASYNC_GENERATOR);
	*ret_bytes = py_get(code, "co_code");
	if (!*ret_bytes || c->names->type != py_data_PyTuple_Type ||
	    py_PyBytes_AsStringAndSize(*ret_bytes, &text, &c->bytes) != 0) {
		py_PyErr_Clear();
		py_drop(*ret_bytes);
		return false;
	}
	c->text = (const uint8_t *)text;
	c->locals_names = py_get(code, "co_varnames");
	for (unsigned i = 0; i < LOCALS; i++) {
		c->local[i] = (struct value){ .same = mix(0x10ca1, i),
					      .label = py_name_at(c->locals_names, i) };
	}
	return true;
}
