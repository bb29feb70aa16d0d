/* SPDX-License-Identifier: MIT */
/*
 * py_stack.c - the stack of a hooked call of a Python thread: native frames that are not the interpreter's, then the Python frames.
 *
 * Most calls come from a stack that was seen before. Each thread remembers some, as the interpreter's frames had them: a remembered one
 * holds while there are as many frames, with the same code at the same instructions. A code object that is freed may be followed by
 * another one in its place: then all that is remembered goes (code_epoch).
 */
#include "py_patch.h"

enum {
	FRAMES = TF_MAX_FRAMES,
	SLOT_BITS = 8, /* of a thread */
	WAYS = 2,
	DEEP = 24, /* frames of one; deeper ones are walked each time */
	CODE_BITS = 15,
};

struct known {
	const struct depot_entry *native, *stack; /* stack NULL = none */
	uint32_t epoch, frames;
	uint64_t anchor; /* that its outermost frame was called by; 0 = it is the thread's first */
	uint32_t plain;	 /* the stack's id; 0 = the code that called us means something by a lock */
	/* Codes and instructions, whatever frame they run in: many tasks run the same. */
	struct {
		uintptr_t code;
		uint32_t at; /* the low half of the frame's word */
	} frame[DEEP];
};

/* What a stream's threads remember. */
struct memory {
	/* The frame that called what runs now for long: it and those around it stay as they are meanwhile. 0 = none. */
	uintptr_t anchor_frame;
	uint64_t anchor; /* never used twice */
	uint32_t thread; /* that runs now; what was around the one before is gone */
	uint32_t victim;
	struct known known[1 << SLOT_BITS];
};

static uint64_t anchors;
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

uint32_t py_code_epoch(void)
{
	return code_epoch;
}

void py_code_note(uintptr_t code)
{
	unsigned bit = code_bit(code);

	code_seen[bit / 8] |= (uint8_t)(1u << (bit % 8));
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

static cold_call struct memory *memory_begin(struct stream *s)
{
	struct memory *m = s->python;

	if (!m) {
		m = s->python = code_dealloc ? shim_pages(sizeof(*m)) : NULL;
	}
	if (m) {
		m->anchor_frame = 0;
		m->anchor = 0;
		m->thread = s->thread;
	}
	return m;
}

static hot_inline struct memory *memory_of(struct stream *s)
{
	struct memory *m = s->python;

	return likely(m && m->thread == s->thread) ? m : memory_begin(s);
}

/* A set for each combination of where the thread is, and where that was called; what is around these may differ. */
static hot_inline struct known *known_set(struct memory *m, uintptr_t frame,
					  const struct depot_entry *native)
{
	const struct py_layout *l = py.layout;
	uintptr_t outer = word_at(frame, l->previous);
	uint64_t h = ((uintptr_t)native << 5) ^ (uint64_t)half_at(frame, l->instruction) << 29;

	h ^= outer ? half_at(outer, l->instruction) : 0;
	if (l->index_bytes) { /* it does not tell whose instruction it is */
		h ^= word_at(frame, l->code);
	}
	return &m->known[(h * 0x9e3779b97f4a7c15u >> (64 - SLOT_BITS)) & ~(uint64_t)(WAYS - 1)];
}

static hot_inline bool holds(const struct memory *m, const struct known *k, uintptr_t frame,
			     const struct depot_entry *native)
{
	unsigned code = py.layout->code, instruction = py.layout->instruction,
		 previous = py.layout->previous;

	if (k->native != native || k->epoch != code_epoch || !k->stack || k->anchor != m->anchor) {
		return false;
	}
	for (uint32_t i = 0; i < k->frames; i++) {
		if (!frame || frame == m->anchor_frame ||
		    word_at(frame, code) != k->frame[i].code ||
		    half_at(frame, instruction) != k->frame[i].at) {
			return false;
		}
		frame = word_at(frame, previous);
	}
	return frame == m->anchor_frame;
}

static void remember(const struct memory *m, struct known *k, uintptr_t frame,
		     const struct depot_entry *native, const struct depot_entry *stack)
{
	const struct py_layout *l = py.layout;

	k->stack = NULL;
	k->plain = py_locks_mean_plain(py_frame_real((const uint8_t *)frame)) ? stack->id : 0;
	for (k->frames = 0; frame != m->anchor_frame; frame = word_at(frame, l->previous)) {
		uintptr_t code;

		if (!frame || k->frames == DEEP) {
			return; /* another greenlet's, or too deep */
		}
		code = word_at(frame, l->code);
		k->frame[k->frames].code = code;
		k->frame[k->frames++].at = half_at(frame, l->instruction);
		py_code_note(code & ~(uintptr_t)7);
	}
	k->anchor = m->anchor;
	k->native = native;
	k->epoch = code_epoch;
	k->stack = stack;
}

void py_stack_anchor(struct py_anchor *ret_outer)
{
	struct memory *m = shim_stream ? memory_of(shim_stream) : NULL;
	const uint8_t *frame = m ? py_frame_here() : NULL;

	*ret_outer = (struct py_anchor){ 0 };
	if (frame) {
		*ret_outer = (struct py_anchor){ .frame = m->anchor_frame, .anchor = m->anchor };
		m->anchor_frame = (uintptr_t)frame;
		m->anchor = __atomic_add_fetch(&anchors, 1, __ATOMIC_RELAXED);
		ret_outer->ours = m->anchor;
	}
}

/* Greenlets may leave in another order than they came: then nothing is known. */
void py_stack_anchor_gone(const struct py_anchor *outer)
{
	struct memory *m = shim_stream ? shim_stream->python : NULL;
	bool is_ours = m && outer->ours && m->anchor == outer->ours;

	if (m) {
		m->anchor_frame = is_ours ? outer->frame : 0;
		m->anchor = is_ours ? outer->anchor : 0;
	}
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
	struct memory *m = memory_of(c->s);
	struct known *set = m ? known_set(m, frame, native) : NULL;
	const struct depot_entry *stack;

	for (unsigned way = 0; set && way < WAYS; way++) {
		if (likely(holds(m, &set[way], frame, native))) {
			return set[way].stack;
		}
	}
	stack = walk(py_frame_real((const uint8_t *)frame), native);
	if (set && stack) {
		remember(m, &set[m->victim++ % WAYS], frame, native, stack);
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
	uintptr_t frame = called ? (uintptr_t)py_frame_here() : 0;
	const struct depot_entry *stack = frame ? stack_of(c, frame, NULL) : NULL;

	if (stack) {
		c->context = NULL;
	}
	return stack ? stack->id : 0;
}

uint32_t py_stack_of_plain(struct stream *s)
{
	struct memory *m = memory_of(s);
	uintptr_t frame = m ? (uintptr_t)py_frame_here() : 0;
	const struct known *set;

	if (unlikely(!frame)) {
		return 0;
	}
	set = known_set(m, frame, NULL);
	for (unsigned way = 0; way < WAYS; way++) {
		if (likely(holds(m, &set[way], frame, NULL))) {
			return set[way].plain;
		}
	}
	return 0;
}

void py_stack_forget(void)
{
	code_epoch++;
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
