/* SPDX-License-Identifier: MIT */
/*
 * py_race_variable.c - the variables that the program reads, changes and writes back, and their records. They belong to an image: a forked
 * child finds none. A variable is an owner (instance, class, dictionary of a module, container) and a name or key; it ends with its owner.
 *
 * A read leaves no record: the variable remembers who read what, and the write that goes with it tells. A thread that writes again and
 * again, with nothing between and nobody else near, writes one record. The object is defined when a second thread or
 * task comes: a reader of the trace takes records of an object without definition for those of a private one.
 */
#include "py_race.h"

#include "py_task.h"

enum {
	BUCKETS = 1 << 14,
	READERS = 6,
	TEXT = 48,
	MOST = 1 << 17,	 /* variables of an image; what is beyond goes unwatched */
	MOST_ITEMS = 64, /* of one container */
	FILTER_BITS = 18,
};

/* Who read it, in a call that will write it perhaps. */
struct reader {
	const uint8_t *frame; /* NULL = free */
	uint32_t thread, task;
	uint64_t step;	  /* py_task_steps then */
	uint64_t version; /* of the variable then, and later writes of the same thread and task */
};

struct variable {
	struct variable *next;
	const void *owner;
	const PyObject *name;  /* lives as long as the code that mentions it, which we keep */
	const PyObject *label; /* of an item: of its container where it was first met */
	int64_t hash;	       /* of an item's key */
	uint64_t version;      /* writes so far */
	uint32_t id;	       /* object */
	uint8_t kind;	       /* enum site_kind */
	bool is_defined;
	uint8_t next_reader;
	uint8_t text_bytes;
	uint32_t owner_thread, owner_task; /* who wrote it first */
	uint32_t thread, task;		   /* who was here last … */
	const struct site *last_site;	   /* … and wrote there … */
	uint64_t last_epoch;		   /* … when it had made so many other records */
	struct reader reader[READERS];
	char text[TEXT]; /* of its class; of an item its key */
};

struct variables {
	struct variable *bucket[BUCKETS]; /* by owner */
	struct variable *free;
	uint32_t count;
	uint8_t filter[(1 << FILTER_BITS) / 8]; /* a bit per owner that ever had one */
};

uint64_t py_task_steps;

static uint64_t hash_of(const void *owner)
{
	return ((uintptr_t)owner >> 4) * 0x9e3779b97f4a7c15u;
}

static struct variables *table(void)
{
	if (unlikely(shim && !shim->variables)) {
		shim->variables = shim_pages(sizeof(*shim->variables));
	}
	return shim ? shim->variables : NULL;
}

static bool may_have(const struct variables *t, const void *owner)
{
	uint64_t bit = hash_of(owner) >> (64 - FILTER_BITS);

	return t->filter[bit / 8] >> (bit % 8) & 1;
}

struct variable *py_variable_find(const void *owner, const PyObject *name, int64_t hash)
{
	struct variables *t = shim ? shim->variables : NULL;
	struct variable *v;

	if (!t || !may_have(t, owner)) {
		return NULL;
	}
	v = t->bucket[hash_of(owner) >> 50];
	while (v && (v->owner != owner || v->name != name || v->hash != hash)) {
		v = v->next;
	}
	return v;
}

static unsigned items_of(const struct variables *t, const void *owner)
{
	unsigned n = 0;

	for (const struct variable *v = t->bucket[hash_of(owner) >> 50]; v; v = v->next) {
		n += v->owner == owner;
	}
	return n;
}

struct variable *py_variable_add(const void *owner, const PyObject *name, int64_t hash,
				 const struct site *site, const char *class)
{
	struct variable *v = py_variable_find(owner, name, hash);
	struct variables *t = table();
	uint64_t bit = hash_of(owner) >> (64 - FILTER_BITS);

	if (v || !t || (hash && items_of(t, owner) >= MOST_ITEMS)) {
		return v;
	}
	v = t->free;
	if (v) {
		t->free = v->next;
	} else if (t->count < MOST) {
		v = shim_alloc(sizeof(*v));
		t->count += v != NULL;
	}
	if (!v) {
		return NULL;
	}
	*v = (struct variable){ .next = t->bucket[hash_of(owner) >> 50],
				.owner = owner,
				.name = name,
				.label = name ? name : site->name,
				.hash = hash,
				.kind = site->kind };
	while (class && class[v->text_bytes] && v->text_bytes < TEXT - 1) {
		v->text[v->text_bytes] = class[v->text_bytes];
		v->text_bytes++;
	}
	t->filter[bit / 8] |= (uint8_t)(1u << (bit % 8));
	t->bucket[hash_of(owner) >> 50] = v;
	return v;
}

bool py_variables_gone(const void *owner)
{
	struct variables *t = shim ? shim->variables : NULL;
	struct variable **at;
	bool any = false;

	if (likely(!t || !may_have(t, owner))) {
		return false;
	}
	at = &t->bucket[hash_of(owner) >> 50];
	while (*at) {
		struct variable *v = *at;

		if (v->owner == owner) {
			*at = v->next;
			v->next = t->free;
			t->free = v;
			any = true;
		} else {
			at = &v->next;
		}
	}
	return any;
}

/* ---- accesses ---- */

/* Somebody else than before: then the next write is recorded, whatever it is. */
static void touch(struct variable *v, uint32_t thread, uint32_t task)
{
	if (v->thread != thread || v->task != task) {
		v->last_site = NULL;
		v->thread = thread;
		v->task = task;
	}
}

void py_variable_read(struct variable *v, const uint8_t *frame)
{
	struct stream *s = shim_stream;
	struct reader *r = NULL;

	if (!s) {
		return;
	}
	for (unsigned i = 0; i < READERS && !r; i++) {
		if (v->reader[i].frame == frame) {
			r = &v->reader[i];
		}
	}
	for (unsigned i = 0; i < READERS && !r; i++) {
		if (!v->reader[i].frame) {
			r = &v->reader[i];
		}
	}
	if (!r) {
		r = &v->reader[v->next_reader++ % READERS];
	}
	*r = (struct reader){ frame, s->thread, s->task, py_task_steps, v->version };
	touch(v, s->thread, s->task);
}

/* What became of this call's read; it is used up. */
static unsigned since_read(struct variable *v, const struct stream *s, const uint8_t *frame)
{
	unsigned bits = 0;

	for (unsigned i = 0; i < READERS; i++) {
		struct reader *r = &v->reader[i];

		if (r->frame == frame && r->thread == s->thread && r->task == s->task) {
			bits |= r->task && r->step != py_task_steps ? TRACE_ACCESS_SUSPENDED : 0;
			bits |= r->version != v->version ? TRACE_ACCESS_OVERWRITES : 0;
			r->frame = NULL;
		} else if (r->thread == s->thread && r->task == s->task) {
			r->version++; /* written by itself, further in or out */
		}
	}
	v->version++;
	return bits;
}

static size_t add_text(char *to, size_t at, size_t room, const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes && at + 1 < room; i++) {
		to[at++] = text[i];
	}
	to[at] = 0;
	return at;
}

/* Counter.n, counter, stats['hits'] */
static void define(const struct call *c, struct variable *v)
{
	char text[200], name[100];
	size_t bytes = py_text(v->label, name, sizeof(name)), at = 0;
	struct tf_def_object def = { .def.type = TF_DEF_OBJECT,
				     .object = v->id,
				     .kind = TRACE_OBJECT_VARIABLE,
				     .address = (uintptr_t)v->owner,
				     .stack = c->stack,
				     .thread = c->s->thread,
				     .ticks = arch_ticks() };

	if (v->kind == SITE_ATTRIBUTE && v->text_bytes) {
		at = add_text(text, at, sizeof(text), v->text, v->text_bytes);
		at = add_text(text, at, sizeof(text), ".", 1);
	}
	at = add_text(text, at, sizeof(text), bytes ? name : "container",
		      bytes ? bytes : sizeof("container") - 1);
	if (v->kind == SITE_ITEM) {
		at = add_text(text, at, sizeof(text), "[", 1);
		at = add_text(text, at, sizeof(text), v->text, v->text_bytes);
		add_text(text, at, sizeof(text), "]", 1);
	}
	if (v->id > shim->process->objects) {
		shim->process->objects = v->id;
	}
	region_define(&def.def, sizeof(def), NULL, 0, NULL, 0);
	object_define_name(v->id, text, TF_NAME_GIVEN);
	v->is_defined = true;
}

/* Equal for equal values of the simple types, which have no code of the program's. */
static int32_t number_of(PyObject *value)
{
	uint64_t h;

	if (!value) {
		return 0;
	}
	h = (uint64_t)(uintptr_t)value >> 4;
	if (value->type == py_data_PyUnicode_Type || value->type == py_data_PyLong_Type ||
	    value->type == py_data_PyFloat_Type || value->type == py_data_PyBytes_Type) {
		h = (uint64_t)py_PyObject_Hash(value) + 0x1234567;
	}
	h = (h * 0x9e3779b97f4a7c15u) >> 33;
	return h ? (int32_t)h : 1;
}

/* The stack that led to the read: as of the write, but for the innermost instruction. */
static uint32_t stack_of_read(const uint8_t *frame, int32_t at)
{
	uintptr_t ip[TF_MAX_FRAMES];
	const struct depot_entry *e;
	uint32_t n = 0;

	for (; frame && n < TF_MAX_FRAMES; frame = py_frame_back(frame), at = -1) {
		int32_t here = at >= 0 ? at : py_frame_at(frame);
		uintptr_t place = here >= 0 ? py_place(py_frame_code(frame), here) : 0;

		if (place) {
			ip[n++] = place;
		}
	}
	e = n ? depot_intern(ip, n, 0) : NULL;
	return e ? e->id : 0;
}

void py_variable_write(struct arch_caller caller, struct variable *v, const uint8_t *frame,
		       const struct site *site, PyObject *value)
{
	static const struct site plain;
	const struct site *here = site ? site : &plain;
	struct stream *s = shim_stream;
	uint64_t bits = TRACE_ACCESS_WRITE, epoch;
	struct call c;
	int32_t number;

	if (!s || shim_options.bounded || s->busy) {
		return;
	}
	bits |= since_read(v, s, frame);
	if (site) {
		bits |= site->flags & SITE_DERIVED ? TRACE_ACCESS_DERIVED
			: site->flags & SITE_CHECK ? TRACE_ACCESS_CHECKED
						   : 0;
	}
	if (!(bits & (TRACE_ACCESS_DERIVED | TRACE_ACCESS_CHECKED))) {
		bits = TRACE_ACCESS_WRITE;
	}
	touch(v, s->thread, s->task);
	epoch = s->segment->events - s->accesses;
	if (v->last_site == here && v->last_epoch == epoch &&
	    !(bits & (TRACE_ACCESS_OVERWRITES | TRACE_ACCESS_SUSPENDED))) {
		return;
	}
	number = number_of(value);
	if (!shim_enter_with(&c, caller, ROOM_EARLY)) {
		return;
	}
	c.stack = stack_id(&c);
	if (!v->id) {
		v->id = atomic_fetch_add(&shim->next_object, 1) + 1;
		v->owner_thread = s->thread;
		v->owner_task = s->task;
	}
	if (!v->is_defined && (v->owner_thread != s->thread || v->owner_task != s->task)) {
		define(&c, v);
	}
	if (site && site->read_at >= 0) {
		bits |= (uint64_t)stack_of_read(frame, site->read_at) << TRACE_ACCESS_STACK_SHIFT;
	}
	emit_osar(c.s, TRACE_ACCESS, v->id, c.stack, bits, number);
	c.s->accesses++;
	v->last_site = here;
	v->last_epoch = c.s->segment->events - c.s->accesses;
	shim_leave(&c);
}

/* ---- what hands objects over ---- */

void py_variable_publish(struct arch_caller caller, const void *owner, bool obtain)
{
	static const struct site handing = { .kind = SITE_ATTRIBUTE };
	struct variable *v = py_variable_find(owner, NULL, 0);
	struct stream *s = shim_stream;
	struct call c;

	if (!s || shim_options.bounded || s->busy || (obtain && !v)) {
		return;
	}
	v = v ? v : py_variable_add(owner, NULL, 0, &handing, "hand-over");
	if (!v || !shim_enter_with(&c, caller, ROOM_EARLY)) {
		return;
	}
	c.stack = 0;
	if (!v->id) {
		v->id = atomic_fetch_add(&shim->next_object, 1) + 1;
		define(&c, v);
	}
	emit_osar(c.s, TRACE_ACCESS, v->id, 0, obtain ? TRACE_ACCESS_OBTAIN : TRACE_ACCESS_PUBLISH,
		  0);
	shim_leave(&c);
}
