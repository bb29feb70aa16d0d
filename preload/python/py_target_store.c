/* SPDX-License-Identifier: MIT */
/*
 * py_target_store.c - reading code for the name of a lock: what takes values off the stack, and so may have the lock in it.
 */
#include "py_target.h"

/* ---- items ---- */

static void add_item(struct py_target *r, struct py_item item)
{
	item.up = (uint8_t)r->up;
	if (r->items == SITE_ITEMS) {
		r->items--; /* the innermost goes */
	}
	__builtin_memmove(r->item + 1, r->item, r->items * sizeof(item));
	r->item[0] = item;
	r->items++;
}

static struct py_item item_of_key(const struct py_entry *key)
{
	struct py_item item = { .kind = key->key_kind, .index = key->index, .name = key->name };

	if (key->what != EXPRESSION && key->what != CONSTANT) {
		item.kind = ITEM_ANY;
	} else if (key->what == CONSTANT) {
		item.kind = key->bytes ? ITEM_WORD : ITEM_ANY;
		__builtin_memcpy(item.text, key->text,
				 key->bytes < ITEM_TEXT ? key->bytes : ITEM_TEXT - 1u);
	}
	return item;
}

static struct py_item item_of_number(unsigned n)
{
	struct py_item item = { .kind = ITEM_WORD };

	item.text[0] = (char)('0' + (n < 100 ? n / 10 : 9));
	item.text[1] = (char)('0' + (n < 100 ? n % 10 : 9));
	if (n < 10) {
		item.text[0] = item.text[1];
		item.text[1] = 0;
	}
	return item;
}

static struct py_item item_of_list(const struct py_entry *list)
{
	return (struct py_item){ .kind = list->length_kind,
				 .index = list->index,
				 .name = list->name };
}

/* A new one of some values on the stack, or of keys and values. */
void py_target_build(struct py_target *r, unsigned count, unsigned step)
{
	unsigned place = 0;
	struct py_item item = { .kind = ITEM_ANY };
	bool has = false;

	for (unsigned i = 0; i < count; i++) {
		struct py_entry *value = py_target_peek(r, 1 + step * i),
				*key = step == 2 ? py_target_peek(r, 2 + step * i) : NULL;

		if (value && value->what == MADE) {
			has = true;
			place = count - 1 - i;
			item = key ? item_of_key(key) : item_of_number(place);
		}
	}
	for (unsigned i = 0; i < count * step; i++) {
		py_target_pop(r);
	}
	if (has) {
		struct py_entry *e = py_target_push(r, MADE);

		e->of = (uint8_t)(step == 1 && count < 256 ? count : 0);
		e->index = (uint16_t)place;
		add_item(r, item);
	} else {
		py_target_push(r, SOMETHING);
	}
}

void py_target_build_keyed(struct py_target *r)
{
	struct py_entry keys = py_target_pop(r);
	unsigned before = r->items;

	py_target_build(r, r->argument, 1);
	if (py_target_peek(r, 1) && py_target_peek(r, 1)->what == MADE &&
	    (r->items > before || before == SITE_ITEMS)) {
		PyObject *key = py_target_name_at(keys.name, py_target_peek(r, 1)->index);
		struct py_item item = { .kind = ITEM_WORD };

		item.kind = key && py_key_text(key, item.text, sizeof(item.text)) ? ITEM_WORD
										  : ITEM_ANY;
		r->item[0] = item;
		py_target_peek(r, 1)->of = 0;
	}
}

void py_target_unpack(struct py_target *r)
{
	struct py_entry top = py_target_pop(r);
	unsigned n = r->argument;

	if (top.what == MADE && (top.of != n || !r->items)) {
		r->state = LOST;
		return;
	}
	for (unsigned i = 0; i < n && i < DEEP; i++) { /* the first comes to lie on top */
		py_target_push(r, top.what == MADE && top.index == n - 1 - i ? MADE : SOMETHING);
	}
	if (top.what == MADE) {
		r->items--;
		__builtin_memmove(r->item, r->item + 1, r->items * sizeof(r->item[0]));
	}
}

void py_target_load_item(struct py_target *r)
{
	struct py_entry key = py_target_pop(r), of = py_target_pop(r),
			*e = py_target_push(r, of.what);
	struct py_item item = item_of_key(&key);
	char text[ITEM_TEXT + 4];

	item.kind = item.kind == ITEM_WORD ? ITEM_WORD : ITEM_ANY;
	*e = of;
	e->is_self = false;
	e->key_kind = e->length_kind = ITEM_ANY;
	py_target_put(e, text, py_item_text(&item, text));
	r->state = of.what == MADE || key.what == MADE ? LOST : r->state;
}

/* ---- what it is stored in ---- */

static void store(struct py_target *r, struct py_entry value, struct py_entry target)
{
	if (value.what == MADE) {
		r->state = target.bytes ? STORED : LOST;
		r->target = target;
	}
}

void py_target_store_variable(struct py_target *r, PyObject *name, bool is_of_body)
{
	struct py_entry target = { .what = EXPRESSION };

	if (is_of_body && !py_code_is_called(r->code, "<module>")) {
		py_target_put_class_of(&target, r, NULL, true);
	}
	py_target_put_object(&target, name);
	store(r, py_target_pop(r), target);
}

void py_target_store_attribute(struct py_target *r, const PyObject *self)
{
	struct py_entry of = py_target_pop(r), target = { .what = EXPRESSION };

	if (of.is_self) {
		py_target_put_class_of(&target, r, self, false);
	}
	if (!target.bytes && of.what == EXPRESSION) {
		py_target_put(&target, of.text, of.bytes);
		py_target_put(&target, ".", 1);
	}
	py_target_put_object(&target, py_target_name_at(r->names, r->argument));
	store(r, py_target_pop(r), target);
}

void py_target_store_item(struct py_target *r)
{
	struct py_entry key = py_target_pop(r), container = py_target_pop(r),
			value = py_target_pop(r);

	if (value.what == MADE) {
		add_item(r, item_of_key(&key));
	}
	store(r, value, container);
}

/* Methods that put an argument into what they are called of. */
static void put_by_method(struct py_target *r, const struct py_entry *method,
			  const struct py_entry *args, unsigned place, unsigned count)
{
	static const struct {
		const char *name;
		uint8_t count, place;
		bool has_key, is_append;
	} known[] = {
		{ "append", 1, 0, false, true },      { "setdefault", 2, 1, true, false },
		{ "__setitem__", 2, 1, true, false }, { "add", 1, 0, false, false },
		{ "appendleft", 1, 0, false, false }, { "insert", 2, 1, false, false },
		{ "put", 1, 0, false, false },	      { "put_nowait", 1, 0, false, false },
	};
	char text[32];
	size_t bytes = py_text(method->method, text, sizeof(text) - 1);

	text[bytes] = 0;
	r->state = LOST;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (method->what == METHOD && known[i].count == count && known[i].place == place &&
		    py_text_is(text, known[i].name)) {
			add_item(r, known[i].has_key	 ? item_of_key(&args[0])
				    : known[i].is_append ? item_of_list(method)
							 : (struct py_item){ .kind = ITEM_ANY });
			store(r, (struct py_entry){ .what = MADE }, *method);
		}
	}
}

void py_target_call(struct py_target *r, unsigned below)
{
	enum { ARGUMENTS = 4 };
	struct py_entry args[ARGUMENTS] = { 0 }, method = { 0 };
	unsigned count = r->argument, place = 0;
	bool has = false;

	for (unsigned i = count; i-- > 0;) {
		struct py_entry e = py_target_pop(r);

		if (e.what == MADE) {
			has = true;
			place = i;
		}
		if (i < ARGUMENTS) {
			args[i] = e;
		}
	}
	for (; below; below--) {
		struct py_entry e = py_target_pop(r);

		method = e.what == METHOD ? e : method;
	}
	if (has) {
		put_by_method(r, &method, args, place, count);
	}
	py_target_push(r, SOMETHING);
}

/* ---- other instructions ---- */

void py_target_any_other(struct py_target *r)
{
	int effect = py_PyCompile_OpcodeStackEffectWithJump((int)r->op, (int)r->argument, 0);
	struct py_entry *top = py_target_peek(r, 1);

	if (py_PyErr_Occurred()) {
		py_PyErr_Clear();
		effect = 0;
	}
	if (effect >= 0 && top) {
		r->state = top->what == MADE ? LOST : r->state;
		top->what = SOMETHING;
	}
	if (effect < 0 && !py_target_drop(r, 1 - (unsigned)effect)) {
		return;
	}
	for (int i = effect < 0 ? 0 : 1; i < (effect > 0 ? effect + 1 : 1); i++) {
		py_target_push(r, SOMETHING);
	}
}

void py_target_append(struct py_target *r)
{
	struct py_entry value = py_target_pop(r), *list = py_target_peek(r, r->argument);
	struct py_item item = { .kind = ITEM_ANY };
	int slot = py_minor() >= 12 ? py_comprehension_list(r->code, r->at)
				    : -!py_code_is_called(r->code, "<listcomp>");

	if (value.what == MADE) {
		if (slot >= 0) {
			item.kind = ITEM_STACK_LENGTH;
			item.index = (uint16_t)slot;
			item.at = r->at;
		}
		add_item(r, item);
		if (list) {
			*list = (struct py_entry){ .what = MADE };
		} else {
			r->state = LOST;
		}
	}
}

void py_target_add_pair(struct py_target *r)
{
	struct py_entry value = py_target_pop(r), key = py_target_pop(r),
			*map = py_target_peek(r, r->argument);

	if (value.what == MADE) {
		add_item(r, item_of_key(&key));
		if (map) {
			*map = (struct py_entry){ .what = MADE };
		} else {
			r->state = LOST;
		}
	}
}

/* Of a comprehension, which is a function of its own up to 3.11, or of a generator expression. */
void py_target_returns(struct py_target *r, bool is_generator)
{
	bool has = py_target_pop(r).what == MADE;
	bool goes_on = is_generator ? py_code_is_called(r->code, "<genexpr>")
				    : py_code_is_called(r->code, "<listcomp>") ||
					      py_code_is_called(r->code, "<dictcomp>") ||
					      py_code_is_called(r->code, "<setcomp>");

	if (has) {
		r->state = goes_on ? RETURNED : LOST;
		if (is_generator) {
			r->items = 0;
			add_item(r, (struct py_item){ .kind = ITEM_ANY });
		}
	} else if (is_generator) {
		py_target_push(r, SOMETHING);
	}
}

void py_target_store_local(struct py_target *r, unsigned index)
{
	py_target_store_variable(r, py_target_name_at(r->variables, index), false);
}
