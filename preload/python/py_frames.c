/* SPDX-License-Identifier: MIT */
/*
 * py_frames.c - the Python frames of the calling thread, read from the interpreter's own chain, and the lines that they stand at.
 *
 * A stack of a Python thread is the native frames that are not the interpreter's (of extension modules, innermost), then the Python
 * frames. Each place (code object and instruction) is named once, when it is first met: file, function, line; a stack holds its
 * number in the place of a return address (TF_PLACE). A code object may be freed and another one come to lie there: an entry remembers
 * what the code said of itself.
 */
#include "../shim_races.h"
#include "../steer/steer.h"
#include "py.h"

enum {
	PLACE_BUCKETS = 1 << 14,
	TEXT_MAX = 1000,
};

struct place {
	struct place *next;
	uintptr_t code, name, file;
	int32_t at;
	uint32_t first_line, id;
	uint64_t text; /* steer_text_place() */
};

struct places {
	spin_t lock;
	uint32_t count;
	struct place *bucket[PLACE_BUCKETS];
};

static uintptr_t word_at(uintptr_t base, unsigned offset)
{
	return *(const uintptr_t *)(base + offset);
}

/* ---- the chain ---- */

/* An object that a frame refers to; 0 = none, or a small number in its place (3.14). */
static uintptr_t reference_at(const uint8_t *frame, unsigned offset)
{
	uintptr_t word = word_at((uintptr_t)frame, offset);

	if (!py.layout->tagged) {
		return word;
	}
	return word & 2 ? 0 : word & ~(uintptr_t)3;
}

/*
 * From 3.12 a class that is called often has a frame of the interpreter's below that of its __init__, which the owner byte does not tell.
 * Its code lies in memory that cannot be written to: to ask it for its attributes ends the process. It is the only one whose file is
 * the very object that its name is.
 */
static bool is_code(const uint8_t *frame)
{
	uintptr_t code = reference_at(frame, py.layout->code);

	return code && !(code & 7) && ((const PyObject *)code)->type == py_data_PyCode_Type &&
	       word_at(code, py.layout->name) != word_at(code, py.layout->filename);
}

/* A frame that runs Python code: not the interpreter's own, and begun. */
const uint8_t *py_frame_real(const uint8_t *frame)
{
	const struct py_layout *l = py.layout;

	while (frame && ((l->owner && frame[l->owner] >= l->c_stack_owner) || !is_code(frame))) {
		frame = (const uint8_t *)word_at((uintptr_t)frame, l->previous);
	}
	return frame;
}

void *(*py_state_now)(void);

const uint8_t *py_frame_raw(void)
{
	const struct py_layout *l = py.layout;
	uintptr_t state = l && !py_is_finalizing() ? (uintptr_t)py_PyGILState_GetThisThreadState()
						   : 0,
		  frame;

	if (!state) {
		return NULL;
	}
	frame = word_at(state, l->thread_frame);
	if (l->frame_of_holder >= 0 && frame) {
		frame = word_at(frame, (unsigned)l->frame_of_holder);
	}
	return (const uint8_t *)frame;
}

const uint8_t *py_frame_now(void)
{
	return py_frame_real(py_frame_raw());
}

const uint8_t *py_frame_back(const uint8_t *frame)
{
	return py_frame_real((const uint8_t *)word_at((uintptr_t)frame, py.layout->previous));
}

uintptr_t py_frame_code(const uint8_t *frame)
{
	return reference_at(frame, py.layout->code);
}

PyObject *py_frame_local(const uint8_t *frame, unsigned index)
{
	return (PyObject *)reference_at(frame, py.layout->locals + 8 * index);
}

/* Byte offset of the instruction that runs; below 0 = none has begun. */
int32_t py_frame_at(const uint8_t *frame)
{
	const struct py_layout *l = py.layout;

	if (l->index_bytes) {
		return *(const int32_t *)(const void *)(frame + l->instruction) * l->index_bytes;
	}
	return (int32_t)(word_at((uintptr_t)frame, l->instruction) -
			 (py_frame_code(frame) + l->code_bytes));
}

/* ---- text of str objects, without the interpreter's help ---- */

static size_t put_utf8(char *to, size_t at, uint32_t c)
{
	if (c < 0x80) {
		to[at++] = (char)c;
	} else if (c < 0x800) {
		to[at++] = (char)(0xc0 | c >> 6);
		to[at++] = (char)(0x80 | (c & 63));
	} else if (c < 0x10000) {
		to[at++] = (char)(0xe0 | c >> 12);
		to[at++] = (char)(0x80 | (c >> 6 & 63));
		to[at++] = (char)(0x80 | (c & 63));
	} else {
		to[at++] = (char)(0xf0 | c >> 18);
		to[at++] = (char)(0x80 | (c >> 12 & 63));
		to[at++] = (char)(0x80 | (c >> 6 & 63));
		to[at++] = (char)(0x80 | (c & 63));
	}
	return at;
}

static size_t part_of_text(const PyObject *o, char *to, size_t room, bool is_end)
{
	enum { LENGTH = 16, STATE = 32, KIND_SHIFT = 2, COMPACT = 32, ASCII = 64 };
	size_t length, from, most, at = 0;
	uint32_t state, kind;
	const uint8_t *text;

	if (!o || !py.layout || o->type != py_data_PyUnicode_Type) {
		return 0;
	}
	length = word_at((uintptr_t)o, LENGTH);
	state = *(const uint32_t *)(const void *)((const uint8_t *)o + STATE);
	kind = state >> KIND_SHIFT & 7;
	if (!(state & COMPACT) || (kind != 1 && kind != 2 && kind != 4)) {
		return 0;
	}
	text = (const uint8_t *)o +
	       (state & ASCII ? py.layout->ascii_bytes : py.layout->compact_bytes);
	most = room / (kind == 1 && state & ASCII ? 1 : 4);
	from = is_end && length > most ? length - most : 0;
	length = length - from < most ? length : from + most;
	if (likely(kind == 1 && state & ASCII)) {
		__builtin_memcpy(to, text + from, length - from);
		return length - from;
	}
	for (size_t i = from; i < length; i++) {
		uint32_t c = kind == 1	 ? text[i]
			     : kind == 2 ? ((const uint16_t *)(const void *)text)[i]
					 : ((const uint32_t *)(const void *)text)[i];

		at = put_utf8(to, at, c);
	}
	return at;
}

/* The end of a long text is what tells: of a path as of a qualified name. */
size_t py_text(const PyObject *o, char *to, size_t room)
{
	return part_of_text(o, to, room, true);
}

size_t py_text_start(const PyObject *o, char *to, size_t room)
{
	return part_of_text(o, to, room, false);
}

/* ---- places ---- */

static unsigned place_kind(const char *file, size_t bytes)
{
	static const char *const packages[] = { "/site-packages/", "/dist-packages/" };

	for (size_t p = 0; p < 2; p++) {
		for (size_t i = 0; i + 15 <= bytes; i++) {
			if (!__builtin_memcmp(file + i, packages[p], 15)) {
				return TF_PLACE_PACKAGE;
			}
		}
	}
	/* Or an __init__ that attrs wrote. */
	if (bytes > 17 && (!__builtin_memcmp(file, "<frozen ", 8) ||
			   !__builtin_memcmp(file, "<attrs generated ", 17))) {
		return TF_PLACE_LIBRARY;
	}
	return py.library_bytes && bytes > py.library_bytes &&
			       !__builtin_memcmp(file, py.library, py.library_bytes)
		       ? TF_PLACE_LIBRARY
		       : TF_PLACE_PROGRAM;
}

unsigned py_code_kind(uintptr_t code)
{
	char text[TEXT_MAX + 1];
	size_t bytes = py_text(*(PyObject **)(code + py.layout->filename), text, TEXT_MAX);

	text[bytes] = 0;
	return place_kind(text, bytes);
}

static void define_place(struct place *p)
{
	char text[2 * TEXT_MAX + 2];
	unsigned name = py.layout->qualname ? py.layout->qualname : py.layout->name;
	size_t function = py_text((const PyObject *)word_at(p->code, name), text, TEXT_MAX), file;
	struct tf_def_place def = { .def.type = TF_DEF_PLACE,
				    .place = p->id,
				    .first_line = p->first_line };
	int line = p->at < 0 ? (int)p->first_line : py_PyCode_Addr2Line((void *)p->code, p->at);

	text[function] = 0;
	file = py_text((const PyObject *)p->file, text + function + 1, TEXT_MAX);
	text[function + 1 + file] = 0;
	def.line = line > 0 ? (uint32_t)line : p->first_line;
	def.function_bytes = (uint16_t)function;
	def.file_bytes = (uint16_t)file;
	def.kind = place_kind(text + function + 1, file);
	p->text = steer_text_place(text, text + function + 1, def.line);
	region_define(&def.def, sizeof(def), text, function + file + 2, NULL, 0);
}

static struct places *table(void)
{
	struct places *t = __atomic_load_n(&shim->places, __ATOMIC_ACQUIRE), *made;

	if (likely(t != NULL)) {
		return t;
	}
	made = shim_pages(sizeof(*made));
	if (made && !__atomic_compare_exchange_n(&shim->places, &t, made, false, __ATOMIC_ACQ_REL,
						 __ATOMIC_ACQUIRE)) {
		return t; /* another thread's; ours is lost */
	}
	return made;
}

static struct place *find(struct place *p, uintptr_t code, int32_t at)
{
	const struct py_layout *l = py.layout;

	for (; p; p = __atomic_load_n(&p->next, __ATOMIC_ACQUIRE)) {
		if (p->code == code && p->at == at && p->name == word_at(code, l->name) &&
		    p->file == word_at(code, l->filename) &&
		    p->first_line == *(const uint32_t *)(code + l->first_line)) {
			break;
		}
	}
	return p;
}

uintptr_t py_place(uintptr_t code, int at)
{
	uint64_t h = ((code >> 4) ^ (uint64_t)(uint32_t)at << 32) * 0x9e3779b97f4a7c15u;
	struct places *t = table();
	struct place **bucket, *p;

	if (unlikely(!t)) {
		return 0;
	}
	bucket = &t->bucket[h >> 50];
	p = find(__atomic_load_n(bucket, __ATOMIC_ACQUIRE), code, at);
	if (likely(p != NULL)) {
		return TF_PLACE + p->id;
	}
	spin_lock(&t->lock);
	p = find(*bucket, code, at);
	if (!p && (p = shim_alloc(sizeof(*p)))) {
		*p = (struct place){ .next = *bucket,
				     .code = code,
				     .name = word_at(code, py.layout->name),
				     .file = word_at(code, py.layout->filename),
				     .at = at,
				     .first_line =
					     *(const uint32_t *)(code + py.layout->first_line),
				     .id = ++t->count };
		define_place(p);
		__atomic_store_n(bucket, p, __ATOMIC_RELEASE);
	}
	spin_unlock(&t->lock);
	return p ? TF_PLACE + p->id : 0;
}

uint64_t python_place_text(uintptr_t ip)
{
	struct places *t = table();

	for (unsigned i = 0; t && i < PLACE_BUCKETS; i++) {
		for (const struct place *p = __atomic_load_n(&t->bucket[i], __ATOMIC_ACQUIRE); p;
		     p = __atomic_load_n(&p->next, __ATOMIC_ACQUIRE)) {
			if (TF_PLACE + p->id == ip) {
				return p->text;
			}
		}
	}
	return 0;
}

/* Does what we read agree with what the interpreter says? Without a frame there is nothing to compare yet. */
bool py_frames_install(void)
{
	if (!py.layout || !py_data_PyCode_Type || !py_data_PyUnicode_Type || !py_PyCode_Addr2Line) {
		return false;
	}
	py_state_now = py_PyThreadState_GetUnchecked ? py_PyThreadState_GetUnchecked
						     : py__PyThreadState_UncheckedGet;
	py_stack_install();
	python_frames = 1;
	races_end(TF_WATCH_PYTHON); /* what its lock orders is not recorded */
	return true;
}
