/* SPDX-License-Identifier: MIT */
/*
 * py_race_global.c - --python-races: globals. The interpreter calls nothing for them but the hash of their name, when the str that is the name
 * does not remember it. So code that changes a global gets a name of its own, equal to the other and without hash, for which
 * str's own hash function (ours) is asked at each use; it gives the right one, and knows by the instruction that runs whether that
 * is a read or a write.
 *
 * Such a name must not come to lie in a dictionary: before a first store the plain name is put there, and a use that is not
 * that of an instruction that we know makes it a str like any other.
 */
#include "py_race.h"

enum {
	NAME_MEMORY = 1 << 24,
	TYPE_HASH = 120,
	TEXT_HASH = 24,
	TUPLE_ITEMS = 24,
};

struct watched_name {
	PyObject *plain, *code;
	uintptr_t index; /* in co_names */
	uintptr_t bytes; /* of the str that follows */
};

static uint8_t *name_memory, *name_memory_used;
static int64_t (*hash_text)(PyObject *);

static PyObject *text_behind(struct watched_name *n)
{
	return (PyObject *)(n + 1);
}

/* A str equal to `plain`, which does not remember its hash and lives for ever. */
static PyObject *new_name(PyObject *code, unsigned index, PyObject *plain)
{
	enum {
		LENGTH = 16,
		STATE = 32,
		INTERNED = 3,
		ASCII = 64,
		STATIC = 128,
		REFERENCES = 1 << 29
	};
	struct watched_name *n = (struct watched_name *)(void *)name_memory_used;
	uint32_t state = *(const uint32_t *)((uintptr_t)plain + STATE);
	uintptr_t bytes =
		py.layout->ascii_bytes + *(const uintptr_t *)((uintptr_t)plain + LENGTH) + 1;

	if (!(state & ASCII) || plain->type != py_data_PyUnicode_Type ||
	    (size_t)(name_memory + NAME_MEMORY - name_memory_used) < bytes + 64) {
		return NULL;
	}
	*n = (struct watched_name){ plain, code, index, bytes };
	__builtin_memcpy(text_behind(n), plain, bytes);
	text_behind(n)->references = REFERENCES;
	*(uint32_t *)((uintptr_t)text_behind(n) + STATE) =
		state & ~(uint32_t)(py_minor() >= 12 ? INTERNED | STATIC : INTERNED);
	*(int64_t *)((uintptr_t)text_behind(n) + TEXT_HASH) = -1;
	name_memory_used += (sizeof(*n) + bytes + 15) & ~(uintptr_t)15;
	return text_behind(n);
}

static PyObject **names_of(PyObject *code)
{
	return (PyObject **)((uintptr_t)code + (py_minor() >= 11 ? 32 : 64));
}

/* It is on its way to somewhere else: a plain str from here on. The code gets another one, or its own back. */
static void retire(struct watched_name *n, bool for_good)
{
	PyObject **items = (PyObject **)((uintptr_t)*names_of(n->code) + TUPLE_ITEMS);
	PyObject *next = for_good ? NULL : new_name(n->code, (unsigned)n->index, n->plain);

	if (items[n->index] == text_behind(n)) {
		items[n->index] = next ? next : n->plain;
		py_Py_IncRef(items[n->index]);
	}
}

static PyObject *globals_of(const uint8_t *frame)
{
	static const uint8_t offsets[] = { 48, 48, 8, 24, 24 }; /* 3.9 … 3.13 */

	return py_minor() <= 13 ? *(PyObject **)(frame + offsets[py_minor() - 9]) : NULL;
}

static void use_of_global(struct arch_caller caller, struct watched_name *n)
{
	struct here h = py_race_here(SITE_GLOBAL);
	PyObject *globals;
	struct variable *v;
	bool is_store = h.site && h.site->flags & SITE_STORE;

	if (!h.site || h.site->name != n->plain || py_frame_code(h.frame) != (uintptr_t)n->code) {
		retire(n, false);
		return;
	}
	globals = globals_of(h.frame);
	if (!globals || globals->type != py_data_PyDict_Type) {
		retire(n, true);
		return;
	}
	if (!py_PyDict_GetItem(globals, n->plain) &&
	    (!is_store || py_PyDict_SetItem(globals, n->plain, PY_NONE))) {
		retire(n, true); /* of the builtins, or no such name */
		return;
	}
	*(int64_t *)((uintptr_t)text_behind(n) + TEXT_HASH) = -1;
	if (!is_store) {
		py_race_keep_general(h.site->code, h.site->at);
	}
	v = h.site->flags & SITE_PLAIN ? py_variable_find(globals, n->plain, 0)
				       : py_variable_add(globals, n->plain, 0, h.site, NULL);
	if (v && is_store) {
		py_variable_write(caller, v, h.frame, h.site->flags & SITE_PLAIN ? NULL : h.site,
				  NULL);
	} else if (v) {
		py_variable_read(v, h.frame);
	}
}

static int64_t our_hash_text(PyObject *o)
{
	int64_t hash = hash_text(o);

	if (unlikely((uint8_t *)o >= name_memory && (uint8_t *)o < name_memory_used)) {
		use_of_global(ARCH_CALLER(), (struct watched_name *)(void *)o - 1);
	}
	return hash;
}

/* Once there is a name to watch. */
static bool patch_hash(void)
{
	void **slot = py_slot(py_data_PyUnicode_Type, TYPE_HASH);
	long m;

	if (name_memory || py_minor() > 13) {
		return name_memory != NULL;
	}
	m = sys6(SYS_mmap, 0, NAME_MEMORY, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (m < 0 && m > -4096) {
		return false;
	}
	name_memory = name_memory_used = (uint8_t *)m;
	hash_text = *(int64_t(**)(PyObject *))slot;
	py_put(slot, (void *)our_hash_text);
	return true;
}

void py_race_watch_global(PyObject *code, unsigned index, PyObject *name)
{
	PyObject *old = *names_of(code), *now, *ours;
	intptr_t n = py_PyTuple_Size(old);

	ours = patch_hash() ? new_name(code, index, name) : NULL;
	now = ours ? py_PyTuple_New(n) : NULL;
	for (intptr_t i = 0; now && i < n; i++) {
		PyObject *item = i == (intptr_t)index ? ours : py_PyTuple_GetItem(old, i);

		py_Py_IncRef(item);
		py_PyTuple_SetItem(now, i, item);
	}
	if (now) {
		*names_of(code) = now; /* the old tuple is kept: the names in it live on */
	}
	py_PyErr_Clear();
}
