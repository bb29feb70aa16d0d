/* SPDX-License-Identifier: MIT */
/*
 * py_race_code.c - which instructions of the program are watched: stores of what was made of a value that the same code read from the same
 * place, the reads that go with them, and for globals all stores of the same name. What a store is made of says py_race_read.c.
 */
#include "py_race_read.h"

#include "py_task.h"

enum {
	NAMES = 4096,
	SITE_BUCKETS = 4096,
	NESTING = 40,
};

static struct site *buckets[SITE_BUCKETS];
static const PyObject *names[NAMES]; /* of attributes; open addressing */
static unsigned name_count;
uint32_t py_race_codes;

/* Code that we keep a reference to: open addressing. */
enum { LEARNT = 1 << 16 };
static uintptr_t *learnt;
static unsigned learnt_count;

static uintptr_t *learnt_slot(const PyObject *code)
{
	unsigned i = (unsigned)(((uintptr_t)code >> 4) * 0x9e3779b97f4a7c15u >> 48);

	while (learnt[i] && learnt[i] != (uintptr_t)code) {
		i = (i + 1) % LEARNT;
	}
	return &learnt[i];
}

/* Its sites are known by its address. */
static void keep(PyObject *code)
{
	uintptr_t *slot = learnt_slot(code);

	if (!*slot) {
		*slot = (uintptr_t)code;
		learnt_count++;
		py_Py_IncRef(code);
	}
}

void *py_race_alloc(size_t bytes)
{
	enum { CHUNK = 1 << 20 };
	static uint8_t *at, *end;
	void *p;

	bytes = (bytes + 15) & ~(size_t)15;
	if ((size_t)(end - at) < bytes) {
		long m = sys6(SYS_mmap, 0, CHUNK, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if ((m < 0 && m > -4096) || bytes > CHUNK) {
			return NULL;
		}
		at = (uint8_t *)m;
		end = at + CHUNK;
	}
	p = at;
	at += bytes;
	return p;
}

/* ---- tables ---- */

static struct site **bucket_of(uintptr_t code, int32_t at)
{
	return &buckets[((code >> 4) * 0x9e3779b97f4a7c15u + (uint64_t)at * 0xd6e8feb86659fd93u) >>
			52];
}

const struct site *py_race_site(uintptr_t code, int32_t at)
{
	const struct site *s = *bucket_of(code, at);

	while (s && (s->code != code || s->at != at)) {
		s = s->next;
	}
	return s;
}

static unsigned name_slot(const PyObject *name)
{
	unsigned i = (unsigned)(((uintptr_t)name >> 4) * 0x9e3779b97f4a7c15u >> 52);

	while (names[i] && names[i] != name) {
		i = (i + 1) % NAMES;
	}
	return i;
}

bool py_race_has_name(const PyObject *name)
{
	return names[name_slot(name)] != NULL;
}

static void add_name(const PyObject *name)
{
	unsigned i = name_slot(name);

	if (!names[i] && name_count < NAMES / 2) {
		names[i] = name;
		name_count++;
	}
}

/* ---- what comes of it ---- */

static void add_site(const struct code *c, const struct access *a, unsigned flags, int32_t read_at)
{
	uintptr_t code = (uintptr_t)c->object;
	struct site **bucket = bucket_of(code, a->at);
	struct site *s = a->at < 0 || py_race_site(code, a->at) ? NULL : py_race_alloc(sizeof(*s));

	if (!s) {
		return;
	}
	*s = (struct site){ .next = *bucket,
			    .code = code,
			    .name = a->name,
			    .at = a->at,
			    .read_at = read_at,
			    .kind = a->kind,
			    .flags = (uint8_t)flags };
	*bucket = s;
	if (a->kind == SITE_ATTRIBUTE) {
		add_name(a->name);
	} else if (a->kind == SITE_ITEM) {
		py_race_patch_items();
		py_race_keep_general(code, a->at);
	}
}

/* The newest read that went into what is stored; -1 = none. */
static int find_read(const struct code *c, const struct access *store)
{
	int found = -1;

	for (unsigned i = 0; i < c->read_count; i++) {
		if (store->reads >> i & 1 && c->read[i].kind == store->kind &&
		    c->read[i].variable == store->variable) {
			found = (int)i;
		}
	}
	return found;
}

static bool was_read(const struct code *c, const struct access *store)
{
	for (unsigned i = 0; i < c->read_count; i++) {
		if (c->read[i].at >= 0 && c->read[i].at < store->at &&
		    c->read[i].kind == store->kind && c->read[i].variable == store->variable) {
			return true;
		}
	}
	return false;
}

static int32_t other_line(const struct code *c, int32_t read_at, int32_t at)
{
	return read_at >= 0 && py_PyCode_Addr2Line(c->object, read_at) !=
				       py_PyCode_Addr2Line(c->object, at)
		       ? read_at
		       : -1;
}

static bool judge(const struct code *c)
{
	bool any = false;

	for (unsigned i = 0; i < c->store_count; i++) {
		const struct access *s = &c->store[i];
		int read = find_read(c, s);
		bool check = read < 0 && c->suspends && was_read(c, s);

		if (!s->name && s->kind != SITE_ITEM) {
			continue;
		}
		if (read < 0 && !check) {
			continue;
		}
		any = true;
		add_site(c, s, SITE_STORE | (check ? SITE_CHECK : SITE_DERIVED),
			 check ? -1 : other_line(c, c->read[read].at, s->at));
		for (unsigned r = 0; r < c->read_count; r++) {
			if (c->read[r].kind == s->kind && c->read[r].variable == s->variable) {
				add_site(c, &c->read[r], 0, -1);
			}
		}
	}
	return any;
}

/* ---- globals: those that some code of the same module changes so ---- */

struct globals {
	PyObject *name[256]; /* of such globals */
	unsigned names;
	PyObject *code[1024]; /* that stores globals */
	unsigned codes;
};

static bool is_noted(const struct globals *m, const PyObject *name)
{
	unsigned i = 0;

	while (i < m->names && m->name[i] != name) {
		i++;
	}
	return i < m->names;
}

static void note_globals(const struct code *c, struct globals *m)
{
	bool stores = false;

	for (unsigned i = 0; i < c->store_count; i++) {
		const struct access *s = &c->store[i];
		const struct site *known = py_race_site((uintptr_t)c->object, s->at);

		if (s->kind != SITE_GLOBAL || !s->name) {
			continue;
		}
		stores = true;
		if (known && !is_noted(m, s->name) && m->names < 256) {
			m->name[m->names++] = s->name;
		}
	}
	if (stores && m->codes < 1024) {
		m->code[m->codes++] = c->object;
	}
}

/* On its own stack of work, not on the host's: that may be small. */
static struct code *work;

static void look_at(PyObject *code, struct globals *m)
{
	PyObject *bytes;

	if (*learnt_slot(code) || learnt_count > LEARNT / 2 || !py_code_begin(work, code, &bytes)) {
		return;
	}
	py_code_read(work);
	if (work->loops) {
		work->depth = 0;
		py_code_read(work);
	}
	if (judge(work)) {
		keep(code);
		py_race_codes++;
	}
	note_globals(work, m);
	py_drop(bytes);
	py_drop(work->locals_names); /* the code keeps the names */
}

static void walk(PyObject *code, struct globals *m, unsigned depth)
{
	PyObject *consts = py_get(code, "co_consts");

	look_at(code, m);
	for (intptr_t i = 0; consts && depth < NESTING && i < py_PyTuple_Size(consts); i++) {
		PyObject *inner = py_PyTuple_GetItem(consts, i);

		if (inner->type == py_data_PyCode_Type) {
			walk(inner, m, depth + 1);
		}
	}
	py_drop(consts);
}

/* All instructions on that name in code that stores it. */
static void watch_globals(PyObject *code, const struct globals *m)
{
	bool watched[STORES] = { false }, held = false;
	PyObject *bytes;

	if (!py_code_begin(work, code, &bytes)) {
		return;
	}
	py_code_read(work);
	for (unsigned i = 0; i < work->store_count; i++) {
		const struct access *s = &work->store[i];

		if (s->kind == SITE_GLOBAL && s->name && is_noted(m, s->name) &&
		    s->index < STORES) {
			watched[s->index] = true;
		}
	}
	for (intptr_t i = 0, argument = 0; i + 1 < work->bytes; i += 2) {
		unsigned s = py_step_of(work->text[i]), index;

		argument = argument << 8 | work->text[i + 1];
		index = (unsigned)(py_minor() >= 11 && s == GLOBAL_LOAD ? argument >> 1
				   : py_minor() >= 12 && s == ATTR_LOAD ? argument >> 1
									: argument);
		if (index < STORES && watched[index]) {
			struct access a = { .name = py_name_at(work->names, index),
					    .at = (int32_t)i,
					    .kind = SITE_GLOBAL };

			if (s == GLOBAL_STORE || s == GLOBAL_LOAD) {
				add_site(work, &a,
					 SITE_PLAIN | (s == GLOBAL_STORE ? SITE_STORE : 0), -1);
				py_race_keep_general((uintptr_t)code, s == GLOBAL_LOAD ? a.at : -1);
			} else if (s == GLOBAL_DELETE || s == NAME || s == NAME_LOAD ||
				   s == NAME_STORE || s == ATTR_LOAD || s == ATTR_STORE ||
				   s == METHOD_LOAD) {
				watched[index] = false; /* the same name, as something else */
			}
		}
		argument = s == EXTEND ? argument : 0;
	}
	for (unsigned i = 0; i < STORES; i++) {
		if (watched[i]) {
			held = true;
			py_race_watch_global(code, i, py_name_at(work->names, i));
		}
	}
	if (held) {
		keep(code);
	}
	py_drop(bytes);
	py_drop(work->locals_names);
}

void py_race_learn(PyObject *code)
{
	static struct globals *m;

	if (!work) {
		py_steps_learn();
		work = py_race_alloc(sizeof(*work));
		m = py_race_alloc(sizeof(*m));
		learnt = py_race_alloc(LEARNT * sizeof(*learnt));
	}
	if (!work || !m || !learnt) {
		return;
	}
	m->names = m->codes = 0;
	walk(code, m, 0);
	for (unsigned i = 0; i < m->codes && m->names; i++) {
		watch_globals(m->code[i], m);
	}
}

bool py_race_body_stores(PyObject *code)
{
	PyObject *consts = py_get(code, "co_consts"), *own = py_get(code, "co_names");
	bool found = false;

	for (intptr_t i = 0; own && i < py_PyTuple_Size(own) && !found; i++) {
		found = py_race_has_name(py_PyTuple_GetItem(own, i));
	}
	for (intptr_t i = 0; consts && i < py_PyTuple_Size(consts) && !found; i++) {
		PyObject *inner = py_PyTuple_GetItem(consts, i);

		found = inner->type == py_data_PyCode_Type && py_race_body_stores(inner);
	}
	py_drop(consts);
	py_drop(own);
	return found;
}
