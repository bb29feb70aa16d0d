/* SPDX-License-Identifier: MIT */
/*
 * py_stack.c - the stack of a hooked call of a Python thread: native frames that are not the interpreter's, then the Python frames.
 *
 * Most calls come from a stack that was seen before. Each thread remembers some, as the interpreter's frames had them: a remembered one
 * holds while every frame lies where it lay, with the same code at the same instruction. A code object that is freed may be followed by
 * another one in its place: then all that is remembered goes (code_epoch).
 */
#include "py_patch.h"

enum {
	FRAMES = TF_MAX_FRAMES,
	KNOWN = 64, /* of a thread */
	DEEP = 24,  /* frames of one; deeper ones are walked each time */
	CODE_BITS = 15,
};

struct known {
	const struct depot_entry *native, *stack; /* stack NULL = none */
	uint32_t epoch, frames;
	uintptr_t frame[DEEP], code[DEEP];
	uint32_t at[DEEP]; /* the low half of the frame's word */
};

static uint32_t code_epoch;
static uint8_t code_seen[1 << (CODE_BITS - 3)]; /* a bit for code that a remembered stack has */
static void (*code_dealloc)(PyObject *);

static unsigned code_bit(uintptr_t code)
{
	return (unsigned)((code >> 4) * 0x9e3779b97f4a7c15u >> (64 - CODE_BITS));
}

static void dealloc_code(PyObject *code)
{
	unsigned bit = code_bit((uintptr_t)code);

	if (code_seen[bit / 8] >> (bit % 8) & 1) {
		code_epoch++;
	}
	code_dealloc(code);
}

bool py_stack_install(void)
{
	return py_data_PyCode_Type &&
	       py_patch_dealloc(py_data_PyCode_Type, dealloc_code, &code_dealloc);
}

static uintptr_t word_at(uintptr_t base, unsigned offset)
{
	return *(const uintptr_t *)(base + offset);
}

static uint32_t half_at(uintptr_t base, unsigned offset)
{
	return *(const uint32_t *)(base + offset);
}

/* One slot for each combination of where the thread is. */
static struct known *known_slot(struct stream *s, uintptr_t frame, const struct depot_entry *native)
{
	const struct py_layout *l = py.layout;
	uint64_t h = frame ^ ((uintptr_t)native << 5) ^
		     (uint64_t)half_at(frame, l->instruction) << 29;

	if (unlikely(!s->python)) {
		s->python = code_dealloc ? shim_pages(KNOWN * sizeof(struct known)) : NULL;
		if (!s->python) {
			return NULL;
		}
	}
	return (struct known *)s->python + (h * 0x9e3779b97f4a7c15u >> (64 - 6));
}

static bool holds(const struct known *k, uintptr_t frame, const struct depot_entry *native)
{
	const struct py_layout *l = py.layout;

	if (k->native != native || !k->stack || k->epoch != code_epoch) {
		return false;
	}
	for (uint32_t i = 0; i < k->frames; i++) {
		if (frame != k->frame[i] || word_at(frame, l->code) != k->code[i] ||
		    half_at(frame, l->instruction) != k->at[i]) {
			return false;
		}
		frame = word_at(frame, l->previous);
	}
	return !frame;
}

static void remember(struct known *k, uintptr_t frame, const struct depot_entry *native,
		     const struct depot_entry *stack)
{
	const struct py_layout *l = py.layout;

	k->stack = NULL;
	for (k->frames = 0; frame; frame = word_at(frame, l->previous)) {
		uintptr_t code = word_at(frame, l->code);
		unsigned bit = code_bit(code & ~(uintptr_t)7);

		if (k->frames == DEEP) {
			return;
		}
		k->frame[k->frames] = frame;
		k->code[k->frames] = code;
		k->at[k->frames++] = half_at(frame, l->instruction);
		code_seen[bit / 8] |= (uint8_t)(1u << (bit % 8));
	}
	k->native = native;
	k->epoch = code_epoch;
	k->stack = stack;
}

/* `native` NULL: of a method, no frames. */
static const struct depot_entry *walk(const uint8_t *frame, const struct depot_entry *native)
{
	uintptr_t ip[FRAMES];
	uint32_t n = 0, python;

	for (; native && n < native->frames && n < FRAMES / 2; n++) {
		if (native->ip[n] >= py.module_start && native->ip[n] < py.module_end) {
			break;
		}
		ip[n] = native->ip[n];
	}
	for (python = n; frame && python < FRAMES; frame = py_frame_back(frame)) {
		int32_t at = py_frame_at(frame);
		uintptr_t place = at >= 0 ? py_place(py_frame_code(frame), at) : 0;

		if (place) {
			ip[python++] = place;
		}
	}
	return python > n ? depot_intern(ip, python, 0) : native;
}

static const struct depot_entry *stack_of(struct call *c, uintptr_t frame,
					  const struct depot_entry *native)
{
	struct known *k = known_slot(c->s, frame, native);
	const struct depot_entry *stack;

	if (likely(k && holds(k, frame, native))) {
		return k->stack;
	}
	stack = walk(py_frame_real((const uint8_t *)frame), native);
	if (k && stack) {
		remember(k, frame, native, stack);
	}
	return stack;
}

const struct depot_entry *python_stack(struct call *c, const struct depot_entry *native)
{
	uintptr_t frame = (uintptr_t)py_frame_raw();

	return frame && native && !native->signal ? stack_of(c, frame, native) : native;
}

uintptr_t py_method_calls[PY_METHOD_CALLS];

uint32_t stack_id_of_method(struct call *c)
{
	bool called = *py_method_call(c->caller.ip) == c->caller.ip;
	uintptr_t frame = called ? (uintptr_t)py_frame_raw() : 0;
	const struct depot_entry *stack = frame ? stack_of(c, frame, NULL) : NULL;

	if (stack) {
		c->context = NULL;
	}
	return stack ? stack->id : 0;
}

uint32_t py_stack_of_places(const uintptr_t *code, const int *at, uint32_t count)
{
	uintptr_t ip[FRAMES];
	const struct depot_entry *e;
	uint32_t n = 0;

	for (uint32_t i = count; py.features & PY_STACKS && i-- > 0 && n < FRAMES;) {
		uintptr_t place = py_place(code[i], at[i]);

		if (place) {
			ip[n++] = place;
		}
	}
	e = n ? depot_intern(ip, n, 0) : NULL;
	return e ? e->id : 0;
}
