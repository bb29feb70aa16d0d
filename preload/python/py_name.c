/* SPDX-License-Identifier: MIT */
/*
 * py_name.c - what the program calls a lock, queue or event: the class that it made, and the variable or attribute that it put it into.
 *
 * The frames that make a Lock are followed outwards through the standard library: the last __init__ there is of what the program asked
 * for (a Queue, an Event). The next instruction of the program says where it goes. Both are the same whenever that place is passed, so it is
 * worked out once a place, and written once for each stack (TF_DEF_SITE_NAME): a lock that is made costs a look into a table.
 *
 * All tables here are under the GIL; what is taken out again is under a spin lock too.
 */
#include "py_site.h"

#include "../wrap.h"

#include <sys/mman.h>

enum {
	SITE_BUCKETS = 1024,
	LOCK_BUCKETS = 4096,
	CODE_SLOTS = 256,
	FRAMES_UP = 12,
	STACKS = 1 << 18, /* those above go unnamed */
};

struct named_lock {
	struct named_lock *next;
	uintptr_t lock;
	const struct py_site *site;
	uint32_t image; /* that has its name */
};

static struct py_site *sites[SITE_BUCKETS];
static struct named_lock *locks[LOCK_BUCKETS], *free_locks;
static uint8_t stack_is_named[STACKS / 8];
static uint32_t image;
uint32_t py_names_inherited;

/* Not wiped in a forked child, which goes on with the locks of its parent. */
static void *keep(size_t bytes)
{
	enum { CHUNK = 1 << 16 };
	static uintptr_t at, end;
	void *p;

	bytes = (bytes + 15) & ~(size_t)15;
	if (end - at < bytes) {
		long made = sys6(SYS_mmap, 0, CHUNK, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (made < 0 && made > -4096) {
			return NULL;
		}
		at = (uintptr_t)made;
		end = at + CHUNK;
	}
	p = (void *)at;
	at += bytes;
	return p;
}

void py_names_new_image(void)
{
	image++;
	py_names_inherited = 1;
	__builtin_memset(stack_is_named, 0, sizeof(stack_is_named));
}

/* ---- the frames that make it ---- */

enum code_fact {
	CODE_LIBRARY = 1, /* the standard library's */
	CODE_INIT = 2,
	CODE_MODULE = 4,
	CODE_MAKER = 8, /* threading.RLock, multiprocessing's context.Lock: named as a class is */
};

static unsigned look_at_code(uintptr_t code)
{
	char name[64];
	size_t bytes = py_text(*(PyObject **)(code + py.layout->name), name, sizeof(name) - 1);

	name[bytes] = 0;
	return (py_code_kind(code) == TF_PLACE_LIBRARY ? CODE_LIBRARY : 0u) |
	       (py_text_is(name, "__init__") ? CODE_INIT : 0u) |
	       (py_text_is(name, "<module>") ? CODE_MODULE : 0u) |
	       (name[0] >= 'A' && name[0] <= 'Z' ? CODE_MAKER : 0u);
}

/* Remembered: asked for each lock that is made, and each notify(). */
static unsigned code_facts(uintptr_t code)
{
	static struct {
		uintptr_t code, file, name;
		unsigned facts;
	} seen[CODE_SLOTS];
	unsigned slot = (unsigned)((code * 0x9e3779b97f4a7c15u) >> 56) % CODE_SLOTS;
	uintptr_t file = *(uintptr_t *)(code + py.layout->filename);
	uintptr_t name = *(uintptr_t *)(code + py.layout->name);

	if (seen[slot].code != code || seen[slot].file != file || seen[slot].name != name) {
		seen[slot].code = code;
		seen[slot].file = file;
		seen[slot].name = name;
		seen[slot].facts = look_at_code(code);
	}
	return seen[slot].facts;
}

bool py_code_is_library(uintptr_t code)
{
	return code_facts(code) & CODE_LIBRARY;
}

/* "queue.Queue", "concurrent.futures.Future": without the private parts of the module's name, and without the program's own. */
static void add_type(struct py_site *s, PyObject *object)
{
	PyObject *module = py_PyObject_GetAttrString((PyObject *)object->type, "__module__");
	char text[SITE_TEXT];
	size_t bytes = module ? py_text(module, text, sizeof(text) - 1) : 0, end = bytes;
	const char *name = py_type_name(object), *last = name;

	text[bytes] = 0;
	for (size_t i = 1; i < bytes; i++) {
		if (text[i - 1] == '.' &&
		    (text[i] == '_' || py_text_has("synchronize queues pool", text + i))) {
			end = i - 1;
			break;
		}
	}
	if (bytes && text[0] != '_') {
		py_site_add(s, text, end);
		py_site_add(s, ".", 1);
	}
	for (const char *p = name; *p; p++) {
		last = *p == '.' ? p + 1 : last;
	}
	py_site_add_word(s, last);
	if (module) {
		py_Py_DecRef(module);
	}
	py_PyErr_Clear();
}

struct making {
	const uint8_t *inner,
		*program; /* the frame that called us; the one that asked for it all */
	PyObject *owner;  /* of the last __init__ in between; NULL = none */
	bool hidden; /* made inside of a function of the library that is no maker of them: its result is something else */
};

/* An object's own __init__ that calls that of the class it builds on is passed too. */
static struct making find_frames(void)
{
	struct making m = { .inner = py_frame_real(py_frame_here()) };

	m.program = m.inner;
	for (int i = 0; m.program && i < FRAMES_UP; i++) {
		uintptr_t code = py_frame_code(m.program);
		unsigned facts = code_facts(code);
		bool is_init = facts & CODE_INIT;
		PyObject *self = is_init ? py_frame_local(m.program, 0) : NULL;

		if (facts & CODE_MODULE ||
		    (!(facts & CODE_LIBRARY) && !(self && self == m.owner))) {
			break;
		}
		if (self && !py_text_is(py_type_name(self), "cell")) {
			m.owner = self;
		} else if (!is_init && !m.owner && !(facts & CODE_MAKER)) {
			m.hidden = true;
		}
		m.program = py_frame_back(m.program);
	}
	return m;
}

/* The place where it is made; one that was passed before is found again. */
static struct py_site *find_place(const struct making *m, const char *word)
{
	struct py_site key = { 0 }, *s, **bucket;
	const uint8_t *frame = m->program;

	key.inner = py_frame_code(m->inner);
	key.inner_at = py_frame_at(m->inner);
	key.code = py_frame_code(frame);
	key.at = py_frame_at(frame);
	key.name = *(uintptr_t *)(key.code + py.layout->name);
	key.file = *(uintptr_t *)(key.code + py.layout->filename);
	key.first_line = *(uint32_t *)(key.code + py.layout->first_line);
	bucket = &sites[((key.inner ^ key.code >> 3 ^ (uintptr_t)key.at << 20 ^
			  (uintptr_t)key.inner_at << 40) *
			 0x9e3779b97f4a7c15u) >>
			54];
	for (s = *bucket; s; s = s->next) {
		if (s->inner == key.inner && s->code == key.code && s->at == key.at &&
		    s->inner_at == key.inner_at && s->name == key.name && s->file == key.file &&
		    s->first_line == key.first_line) {
			return s;
		}
	}
	s = keep(sizeof(*s));
	if (!s) {
		return NULL;
	}
	*s = key;
	s->has_owner = m->owner != NULL;
	if (m->owner) {
		add_type(s, m->owner);
	} else {
		py_site_add_word(s, word);
	}
	py_site_add(s, " ", 1);
	if (!m->hidden) {
		py_site_add_target(s, frame);
	}
	s->next = *bucket;
	*bucket = s;
	return s;
}

/* What is made there has a name of its own: "threading.Lock locks[1]". Each such text once; those above a limit have their place's. */
static const struct py_site *find_object(struct py_site *place, const uint8_t *frame)
{
	enum { OF_A_PLACE = 1024 };
	static struct py_site *named[SITE_BUCKETS];
	char label[SITE_ITEMS * (ITEM_TEXT + 4) + ITEM_TEXT + 4];
	size_t bytes = place->told < OF_A_PLACE ? py_site_label(place, frame, label, sizeof(label))
						: 0;
	uint64_t hash = (uintptr_t)place;
	struct py_site *s, **bucket;

	for (size_t i = 0; i < bytes; i++) {
		hash = (hash ^ (uint8_t)label[i]) * 0x100000001b3u;
	}
	bucket = &named[hash * 0x9e3779b97f4a7c15u >> 54];
	for (s = *bucket; s && bytes; s = s->next) {
		if (s->base == place && s->bytes == place->base_bytes + bytes &&
		    !__builtin_memcmp(s->text + place->base_bytes, label, bytes)) {
			place->told++;
			return s;
		}
	}
	s = bytes ? keep(sizeof(*s)) : NULL;
	if (!s) {
		return place;
	}
	*s = *place;
	s->base = place;
	s->bytes = place->base_bytes;
	py_site_add(s, label, bytes);
	s->next = *bucket;
	*bucket = s;
	place->told++;
	return s;
}

const struct py_site *py_site_now(const char *word)
{
	struct making m = py.layout ? find_frames() : (struct making){ 0 };
	struct py_site *place = m.program ? find_place(&m, word) : NULL;

	return place && place->item_count ? find_object(place, m.program) : place;
}

/* ---- into the trace ---- */

static void name_stack(const struct call *c, const struct py_site *s)
{
	struct tf_def_site_name def = { .def.type = TF_DEF_SITE_NAME, .stack = c->stack };
	uint8_t *place = &stack_is_named[c->stack / 8 % (STACKS / 8)];

	if (!s || !s->bytes || !c->stack || c->stack >= STACKS || *place & 1u << c->stack % 8) {
		return;
	}
	*place |= (uint8_t)(1u << c->stack % 8);
	def.bytes = s->bytes;
	region_define(&def.def, sizeof(def), s->text, s->bytes, "", 1);
}

void py_name_object(const struct call *c, uint32_t object, const struct py_site *s)
{
	if (s && s->base) {
		name_stack(c, s->base);
		object_define_name(object, s->text, TF_NAME_PYTHON);
	} else {
		name_stack(c, s);
	}
}

/* "threading.Lock mutex" of the lock of a Condition: "threading.Condition (mutex)"; with a part "queue.Queue jobs.not_empty". */
void py_name_condition(uint32_t object, const struct py_site *s, const char *part)
{
	struct py_site text = { 0 };

	if (!s) {
		return;
	}
	if (s->has_owner) {
		py_site_add(&text, s->text, s->bytes);
		if (part) {
			py_site_add(&text, ".", 1);
			py_site_add_word(&text, part);
		}
	} else {
		const char *name = s->text;

		while (*name && *name != ' ') {
			name++;
		}
		py_site_add_word(&text, "threading.Condition ");
		if (name[0] && name[1]) {
			py_site_add(&text, "(", 1);
			py_site_add_word(&text, name + 1);
			py_site_add(&text, ")", 1);
		}
	}
	object_define_name(object, text.text, TF_NAME_PYTHON);
}

void python_semaphore_named(uint32_t object, const struct py_site *site)
{
	if (site) {
		object_define_name(object, site->text, TF_NAME_PYTHON);
	}
}

/* ---- locks that are there ---- */

/* Interpreters with a GIL of their own make locks at the same time. */
static spin_t locks_spin;

static struct named_lock **lock_place(const void *lock)
{
	struct named_lock **p = &locks[(((uintptr_t)lock >> 4) * 0x9e3779b97f4a7c15u) >> 52];

	while (*p && (*p)->lock != (uintptr_t)lock) {
		p = &(*p)->next;
	}
	return p;
}

void py_lock_made(const void *lock, const struct py_site *s)
{
	struct named_lock **p, *n;

	spin_lock(&locks_spin);
	p = lock_place(lock);
	n = *p;
	if (!n) {
		n = free_locks;
		if (n) {
			free_locks = n->next;
		} else if (!(n = keep(sizeof(*n)))) {
			spin_unlock(&locks_spin);
			return;
		}
		*n = (struct named_lock){ .lock = (uintptr_t)lock };
		*p = n;
	}
	n->site = s;
	n->image = image;
	spin_unlock(&locks_spin);
}

void py_lock_met(const void *lock, uint32_t object)
{
	struct named_lock *n = image ? *lock_place(lock) : NULL;

	if (n && n->image != image && n->site) {
		n->image = image;
		object_define_name(object, n->site->text, TF_NAME_PYTHON);
	}
}

void py_lock_gone(const void *lock)
{
	struct named_lock **p, *n;

	spin_lock(&locks_spin);
	p = lock_place(lock);
	n = *p;
	if (n) {
		*p = n->next;
		n->next = free_locks;
		free_locks = n;
	}
	spin_unlock(&locks_spin);
}

const struct py_site *py_lock_site(const void *lock)
{
	const struct py_site *site;
	const struct named_lock *n;

	spin_lock(&locks_spin);
	n = *lock_place(lock);
	site = n ? n->site : NULL;
	spin_unlock(&locks_spin);
	return site;
}

/* ---- life ---- */

void py_object_made(struct arch_caller caller, PyObject *object, unsigned kind, uint32_t attributes,
		    const char *word)
{
	const struct py_site *site = py_site_now(word);
	struct object *o;
	struct call call;

	if (!shim_enter_with(&call, caller, ROOM_EARLY)) {
		return;
	}
	call.stack = stack_id(&call);
	o = object_renew(&call, (uintptr_t)object, kind);
	if (o) {
		o->attributes = TF_LIBRARY_PYTHON << TF_LIBRARY_SHIFT | attributes;
		o->flags &= (uint16_t)~OBJECT_OWNER_UNKNOWN;
		emit_osar(call.s, TRACE_INIT, o->id, call.stack, o->attributes, 0);
		py_name_object(&call, o->id, site);
	}
	shim_leave(&call);
	py_lock_made(object, site);
}

void py_object_gone(struct arch_caller caller, PyObject *object)
{
	struct object *o;
	struct call call;

	py_lock_gone(object);
	if (!object_block_may_match((uintptr_t)object, 8) ||
	    !shim_enter_with(&call, caller, ROOM_EARLY)) {
		return;
	}
	o = object_peek((uintptr_t)object);
	if (o) {
		call.stack = 0;
		object_retire(&call, o, TRACE_GONE_FREED);
	}
	shim_leave(&call);
}
