/* SPDX-License-Identifier: MIT */
/*
 * py_target.c - what the program does with a value that it is about to get: the variable, attribute or item that it is stored in.
 *
 * The code is read from somewhat before the call that makes the value to where it is consumed, with the expressions that are on the stack as the
 * program writes them: `self.locks`, "a". Jumps are not followed, but forward ones past an alternative: what a branch leaves on the stack
 * only makes an expression unknown. Done once for each place, by the code's public attributes, which show the instructions as they were compiled.
 */
#include "py_target.h"

static void step(struct py_target *r, const PyObject *self)
{
	switch (py_step_of((uint8_t)r->op)) {
	case EXTEND:
	case NOTHING:
	case CALL_BEGINS:
		break;
	case BACK: /* from 173 on, in 3.11: and a condition */
		py_target_drop(r, r->op >= 173);
		break;
	case POP:
		py_target_drop(r, 1);
		break;
	case PUSHES:
		py_target_push(r, SOMETHING);
		break;
	case LOCAL_LOAD:
		py_target_load_local(r, r->argument);
		break;
	case LOAD_LOAD:
		py_target_load_local(r, r->argument >> 4);
		py_target_load_local(r, r->argument & 15);
		break;
	case STORE_LOAD:
		py_target_store_local(r, r->argument >> 4);
		py_target_load_local(r, r->argument & 15);
		break;
	case STORE_STORE:
		py_target_store_local(r, r->argument >> 4);
		if (r->state == GOES_ON) {
			py_target_store_local(r, r->argument & 15);
		}
		break;
	case LOCAL_STORE:
		py_target_store_local(r, r->argument);
		break;
	case CELL_LOAD:
		py_target_load_cell(r, r->argument);
		break;
	case CELL_STORE:
		py_target_store_variable(r, py_target_cell_at(r, r->argument), false);
		break;
	case CONST_LOAD:
		py_target_load_constant(r);
		break;
	case GLOBAL_LOAD:
		py_target_load_global(r);
		break;
	case NAME_LOAD:
		py_target_load_name(r, r->argument, false);
		break;
	case GLOBAL_STORE:
		py_target_store_variable(r, py_target_name_at(r->names, r->argument), false);
		break;
	case NAME_STORE:
		py_target_store_variable(r, py_target_name_at(r->names, r->argument), true);
		break;
	case ATTR_LOAD:
		py_target_load_attribute(r, false, self);
		break;
	case METHOD_LOAD:
		py_target_load_attribute(r, true, self);
		break;
	case ATTR_STORE:
		py_target_store_attribute(r, self);
		break;
	case ITEM_STORE:
		py_target_store_item(r);
		break;
	case ITEM_LOAD:
		py_target_load_item(r);
		break;
	case DUP:
		py_target_copy(r, 1);
		break;
	case DUP_TWO:
		py_target_copy(r, 2);
		py_target_copy(r, 2);
		break;
	case COPY:
		py_target_copy(r, r->argument);
		break;
	case ROT_TWO:
		py_target_rotate(r, 2);
		break;
	case ROT_THREE:
		py_target_rotate(r, 3);
		break;
	case ROT_FOUR:
		py_target_rotate(r, 4);
		break;
	case ROT_N:
		py_target_rotate(r, r->argument);
		break;
	case SWAP:
		py_target_swap(r, r->argument);
		break;
	case UNPACK:
		py_target_unpack(r);
		break;
	case BUILD:
		py_target_build(r, r->argument, 1);
		break;
	case BUILD_PAIRS:
		py_target_build(r, r->argument, 2);
		break;
	case BUILD_KEYED:
		py_target_build_keyed(r);
		break;
	case CALLS:
		py_target_call(r, 1);
		break;
	case CALLS_METHOD:
		py_target_call(r, 2);
		break;
	case APPEND:
		py_target_append(r);
		break;
	case ADD_PAIR:
		py_target_add_pair(r);
		break;
	case LOOP:
		py_target_push(r, SOMETHING);
		if (py_minor() < 12) {
			r->loop_end[r->loops++ % LOOPS] =
				r->at + 2 + (int32_t)r->argument * (py_minor() == 9 ? 1 : 2);
		}
		break;
	case LOOP_END: /* its jump would have brought one more */
		py_target_drop(r, py_minor() == 12);
		break;
	case RETURNS:
	case YIELDS:
		py_target_returns(r, py_step_of((uint8_t)r->op) == YIELDS);
		break;
	case JUMP:
		if (r->is_made) { /* past the other half of `a if b else c` */
			r->at += (int32_t)r->argument * (py_minor() == 9 ? 1 : 2);
		}
		break;
	case JOIN_TWO:
	case POP_TWO:
	case POP_FOUR:
	case GLOBAL_DELETE:
	case NAME:
	case STEP_OTHER:
		py_target_any_other(r);
		break;
	}
}

/* ---- all of it ---- */

static bool begin(struct py_target *r, uintptr_t code, PyObject **ret_bytes)
{
	char *text = NULL;

	r->code = code;
	r->depth = r->loops = 0;
	r->is_made = false;
	r->state = GOES_ON;
	*ret_bytes = py_get((PyObject *)code, "co_code");
	r->names = py_get((PyObject *)code, "co_names");
	r->variables = py_get((PyObject *)code, "co_varnames");
	r->consts = py_get((PyObject *)code, "co_consts");
	if (!*ret_bytes || !r->names || !r->variables || !r->consts ||
	    py_PyBytes_AsStringAndSize(*ret_bytes, &text, &r->count) != 0) {
		return false;
	}
	r->text = (const uint8_t *)text;
	return true;
}

/* What the instruction at `from` gives is what is made. In 3.11 a call is two, and it may be the first that runs. */
static void follow(struct py_target *r, int32_t from, const PyObject *self)
{
	bool is_there = false;

	r->argument = 0;
	for (r->at = from > BEFORE ? from - BEFORE : 0;
	     r->at + 1 < r->count && r->at < from + AFTER && r->state == GOES_ON; r->at += 2) {
		enum step what = py_step_of(r->text[r->at]);

		r->op = r->text[r->at];
		r->argument = r->argument << 8 | r->text[r->at + 1];
		for (; r->loops && r->loop_end[(r->loops - 1) % LOOPS] <= r->at; r->loops--) {
			py_target_drop(r, r->loop_end[(r->loops - 1) % LOOPS] == r->at);
		}
		is_there |= r->at >= from;
		if (r->op || py_minor() < 11) { /* else room for what the interpreter learns */
			step(r, self);
		}
		if (is_there && !r->is_made && what != CALL_BEGINS && what != EXTEND) {
			py_target_pop(r);
			py_target_push(r, MADE);
			r->is_made = true;
		}
		r->argument = what == EXTEND ? r->argument : 0;
	}
}

static bool is_inner(uintptr_t inner, uintptr_t code)
{
	PyObject *consts = py_get((PyObject *)code, "co_consts");
	bool is = false;

	for (intptr_t i = 0; consts && i < py_PyTuple_Size(consts) && !is; i++) {
		is = (uintptr_t)py_PyTuple_GetItem(consts, i) == inner;
	}
	py_drop(consts);
	return is;
}

void py_site_add_target(struct py_site *s, const uint8_t *frame)
{
	struct py_target r = { .items = 0 };
	PyObject *bytes;

	py_steps_learn();
	for (unsigned up = 0; frame && up < FRAMES_UP; up++) {
		uintptr_t code = py_frame_code(frame);

		if (up && !is_inner(r.code, code)) {
			break;
		}
		r.up = up;
		if (begin(&r, code, &bytes)) {
			follow(&r, py_frame_at(frame), py_frame_local(frame, 0));
		} else {
			r.state = LOST;
		}
		py_PyErr_Clear();
		py_drop(r.consts); /* the code keeps them */
		py_drop(r.variables);
		py_drop(r.names);
		py_drop(bytes);
		if (r.state != RETURNED) {
			break;
		}
		frame = py_frame_back(frame);
	}
	if (r.state != STORED) {
		s->base_bytes = s->bytes;
		return;
	}
	py_site_add(s, r.target.text, r.target.bytes);
	s->base_bytes = s->bytes;
	for (unsigned i = 0; i < r.items; i++) {
		char text[ITEM_TEXT + 4];

		s->item[s->item_count++] = r.item[i];
		if (r.item[i].name) {
			py_Py_IncRef(r.item[i].name);
		}
		py_site_add(s, text, py_item_text(&r.item[i], text));
	}
}
