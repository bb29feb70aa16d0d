/* SPDX-License-Identifier: MIT */
/*
 * trace_defs.c - parses definitions into the tables of a process.
 */
#include "trace_defs_walk.h"

#include "trace_memory.h"
#include "trace_text.h"

#include <stdlib.h>
#include <string.h>

#define ID_FLOOR 4096u
#define ID_EVENTS_LIMIT (1u << 20)
#define MAX_FRAMES 256u

/* ---- walking definitions ---- */

/* A MODULE or an UNLOAD, in file order. */
struct module_def {
	size_t order;
	uint64_t ticks;
	bool unload;
	struct trace_module module;
};

typedef void visit_fn(struct walk *w, const struct tf_def *def, const uint8_t *body);

static void walk_defs(struct walk *w, visit_fn *visit)
{
	for (size_t i = 0; i < w->image->meta_count; i++) {
		const struct tf_segment *g = w->image->meta[i];
		const uint8_t *at = (const uint8_t *)(g + 1);
		uint32_t left = g->committed;
		struct tf_def def;

		while (left >= sizeof(def)) {
			memcpy(&def, at, sizeof(def));
			if (def.bytes < sizeof(def) || def.bytes > left || def.bytes % 8) {
				trace_image_damage(w->image,
						   "a definition of %u bytes in segment %zu",
						   def.bytes, i);
				break;
			}
			visit(w, &def, at);
			at += def.bytes;
			left -= def.bytes;
		}
	}
}

/* False, and noted, where a definition is too short for its type. */
bool trace_def_fits(struct walk *w, const struct tf_def *def, size_t need)
{
	if (def->bytes < need) {
		trace_image_damage(w->image, "a definition of type %u has only %u bytes", def->type,
				   def->bytes);
		return false;
	}
	return true;
}

bool trace_def_id_ok(struct walk *w, uint32_t id)
{
	if (!id || id >= w->limit) {
		trace_image_damage(w->image, "a definition has the number %u", id);
		return false;
	}
	return true;
}

void trace_raise(uint32_t *highest, uint32_t id, uint64_t limit)
{
	if (id > *highest && id < limit) {
		*highest = id;
	}
}

static void count_def(struct walk *w, const struct tf_def *def, const uint8_t *body)
{
	uint32_t id;

	if (def->bytes < sizeof(*def) + sizeof(id)) {
		return; /* the second walk complains */
	}
	memcpy(&id, body + sizeof(*def), sizeof(id));
	switch (def->type) {
	case TF_DEF_STACK:
		trace_raise(&w->found.stacks, id, w->limit);
		break;
	case TF_DEF_OBJECT:
		trace_raise(&w->found.objects, id, w->limit);
		break;
	case TF_DEF_THREAD:
	case TF_DEF_NAME:
	case TF_DEF_TID:
		trace_raise(&w->found.threads, id, w->limit);
		break;
	case TF_DEF_MODULE:
	case TF_DEF_UNLOAD:
		w->found.modules++;
		break;
	case TF_DEF_IDENTITY:
	case TF_DEF_OBJECT_NAME:
	case TF_DEF_OWNER:
		trace_raise(&w->found.objects, id, w->limit);
		break;
	case TF_DEF_TASK:
		trace_raise(&w->found.tasks, id, w->limit);
		break;
	case TF_DEF_PLACE:
		trace_raise(&w->found.places, id, w->limit);
		break;
	case TF_DEF_ORDER:
		w->found.orders++;
		break;
	case TF_DEF_AWAIT:
		w->found.awaits++;
		break;
	case TF_DEF_TASK_LOCK:
		w->found.task_locks++;
		break;
	case TF_DEF_TASK_CONTEXT:
		trace_raise(&w->found.tasks, id, w->limit);
		w->found.contexts++;
		break;
	case TF_DEF_GIL:
		w->found.gils++;
		break;
	case TF_DEF_EXEC:
		w->found.execs++;
		break;
	case TF_DEF_CONFLICT:
		w->found.conflicts++;
		break;
	case TF_DEF_REPORT:
		w->found.reports++;
		break;
	default: /* from a later version */
		break;
	}
}

static void take_stack(struct walk *w, const struct tf_def *def, const uint8_t *body)
{
	struct tf_def_stack d;
	uint32_t room;

	if (!trace_def_fits(w, def, sizeof(d))) {
		return;
	}
	memcpy(&d, body, sizeof(d));
	room = (def->bytes - (uint32_t)sizeof(d)) / 8;
	if (trace_def_id_ok(w, d.stack)) {
		w->defs->process.stacks[d.stack] = (struct trace_stack){
			.frames = d.frames < room ? (d.frames < MAX_FRAMES ? d.frames : MAX_FRAMES)
						  : room,
			.ip = (const uint64_t
				       *)(const void *)(body +
							sizeof(d)), /* 8-aligned: see copy_meta */
			.handler_frames = def->flags & 0xff,
			.signal = def->flags >> 8 & 0x7f,
		};
	}
}

uint32_t trace_def_known(uint32_t id, size_t count)
{
	return id < count ? id : 0;
}

static void take_object(struct walk *w, const struct tf_def *def, const uint8_t *body)
{
	struct trace_process *p = &w->defs->process;
	struct tf_def_object d;

	if (!trace_def_fits(w, def, sizeof(d))) {
		return;
	}
	memcpy(&d, body, sizeof(d));
	if (trace_def_id_ok(w, d.object)) {
		/* Bounded mode gives an id out again; what belongs to an object follows its definition. */
		p->objects[d.object] = (struct trace_object){
			.kind = d.kind,
			.stack = trace_def_known(d.stack, p->stack_count),
			.thread = trace_def_known(d.thread, p->thread_count),
			.attributes = d.attributes,
			.where = d.where,
			.address = d.address,
			.time_ns = trace_clock_ns(&w->defs->clock, d.ticks),
			.initialised = def->flags & TF_OBJECT_INIT,
			.live = def->bytes >= sizeof(d) + sizeof(struct tf_object_live)
					? (const void *)(body +
							 sizeof(d)) /* 8-aligned: see copy_meta */
					: NULL,
		};
		if (w->defs->born && def->flags & TF_OBJECT_AGAIN) {
			w->defs->born[d.object] = d.ticks;
		}
	}
}

static void take_thread(struct walk *w, const struct tf_def *def, const uint8_t *body)
{
	struct trace_process *p = &w->defs->process;
	struct tf_def_thread d;

	if (!trace_def_fits(w, def, sizeof(d))) {
		return;
	}
	memcpy(&d, body, sizeof(d));
	if (trace_def_id_ok(w, d.thread)) {
		struct trace_thread *t = &p->threads[d.thread];

		t->defined = true;
		t->parent = trace_def_known(d.parent, p->thread_count);
		t->stack = trace_def_known(d.stack, p->stack_count);
		t->flags = d.flags;
		t->start_routine = d.start_routine;
		t->handle = d.handle;
		if (w->defs->thread_born && def->flags & TF_THREAD_AGAIN) {
			w->defs->thread_born[d.thread] = d.ticks;
		}
	}
}

static void take_name(struct walk *w, const struct tf_def *def, const uint8_t *body)
{
	struct tf_def_name d;
	uint32_t room;
	char *name;

	if (!trace_def_fits(w, def, sizeof(d))) {
		return;
	}
	memcpy(&d, body, sizeof(d));
	room = def->bytes - (uint32_t)sizeof(d);
	if (trace_def_id_ok(w, d.thread)) {
		name = trace_text_add(&w->defs->text, (const char *)body + sizeof(d),
				      d.bytes < room ? d.bytes : room);
		w->no_memory |= !name;
		w->defs->process.threads[d.thread].name = name;
	}
}

static void take_module(struct walk *w, const struct tf_def *def, const uint8_t *body)
{
	struct module_def *m = &w->modules[w->module_count];
	struct tf_def_module d;
	const char *data = (const char *)body + sizeof(d);
	uint32_t room;

	if (!trace_def_fits(w, def, sizeof(d))) {
		return;
	}
	memcpy(&d, body, sizeof(d));
	room = def->bytes - (uint32_t)sizeof(d);
	if (d.build_id_bytes > room) {
		trace_image_damage(w->image, "a module's build id has %u bytes", d.build_id_bytes);
		d.build_id_bytes = 0;
	}
	room -= d.build_id_bytes;
	*m = (struct module_def){
		.order = w->module_count,
		.ticks = d.ticks,
		.unload = def->type == TF_DEF_UNLOAD,
		.module = {
			.start = d.start,
			.end = d.end,
			.bias = d.bias,
			.loaded_ns = trace_clock_ns(&w->defs->clock, d.ticks),
			.unloaded_ns = UINT64_MAX,
			.is_thrum = d.flags & 1,
			.build_id = (const uint8_t *)data,
			.build_id_bytes = d.build_id_bytes,
		},
	};
	if (!m->unload) {
		m->module.path = trace_text_add(&w->defs->text, data + d.build_id_bytes,
						d.path_bytes < room ? d.path_bytes : room);
		w->no_memory |= !m->module.path;
	}
	w->module_count++;
}

static void take_identity(struct walk *w, const struct tf_def *def, const uint8_t *body)
{
	const struct tf_def_identity *d = (const void *)body; /* 8-aligned: see copy_meta */

	if (trace_def_fits(w, def, sizeof(*d)) && trace_def_id_ok(w, d->object)) {
		w->defs->process.objects[d->object].identity = d;
	}
}

static void take_object_name(struct walk *w, const struct tf_def *def, const uint8_t *body)
{
	struct tf_def_object_name d;
	struct trace_object *o;
	uint32_t room;
	char *name;

	if (!trace_def_fits(w, def, sizeof(d))) {
		return;
	}
	memcpy(&d, body, sizeof(d));
	room = def->bytes - (uint32_t)sizeof(d);
	if (!trace_def_id_ok(w, d.object)) {
		return;
	}
	name = trace_text_add(&w->defs->text, (const char *)body + sizeof(d),
			      d.bytes < room ? d.bytes : room);
	w->no_memory |= !name;
	o = &w->defs->process.objects[d.object];
	if (d.source == TF_NAME_PYTHON) {
		trace_def_python_name(w, o, name);
		return;
	}
	if (d.source == TF_NAME_GIVEN) {
		o->given_name = name;
	} else if (d.source == TF_NAME_CLASS) {
		o->class_name = name;
	} else {
		o->name = name;
	}
}

static void take_owner(struct walk *w, const struct tf_def *def, const uint8_t *body)
{
	struct tf_def_owner d;

	if (!trace_def_fits(w, def, sizeof(d))) {
		return;
	}
	memcpy(&d, body, sizeof(d));
	if (trace_def_id_ok(w, d.object)) {
		w->defs->process.objects[d.object].was_locked = true;
		w->defs->process.objects[d.object].owner_tid = d.tid;
	}
}

static void take_order(struct walk *w, const struct tf_def *def, const uint8_t *body)
{
	const struct tf_def_order *d = (const void *)body; /* 8-aligned: see copy_meta */
	struct trace_process *p = &w->defs->process;

	if (trace_def_fits(w, def, sizeof(*d)) && trace_def_id_ok(w, d->before) &&
	    trace_def_id_ok(w, d->after) && d->before < p->object_count &&
	    d->after < p->object_count && d->stack < p->stack_count) {
		p->orders[p->order_count++] = d;
	}
}

static void take_exec(struct walk *w, const struct tf_def *def, const uint8_t *body)
{
	struct trace_process *p = &w->defs->process;
	struct tf_def_exec d;
	uint32_t room;
	char *path;

	if (!trace_def_fits(w, def, sizeof(d))) {
		return;
	}
	memcpy(&d, body, sizeof(d));
	room = def->bytes - (uint32_t)sizeof(d);
	path = trace_text_add(&w->defs->text, (const char *)body + sizeof(d),
			      d.bytes < room ? d.bytes : room);
	w->no_memory |= !path;
	p->execs[p->exec_count++] = (struct trace_exec){
		.pid = d.pid,
		.thread = trace_def_known(d.thread, p->thread_count),
		.how = d.how,
		.time_ns = trace_clock_ns(&w->defs->clock, d.ticks),
		.path = path,
	};
}

static void take_def(struct walk *w, const struct tf_def *def, const uint8_t *body)
{
	switch (def->type) {
	case TF_DEF_STACK:
		take_stack(w, def, body);
		break;
	case TF_DEF_OBJECT:
		take_object(w, def, body);
		break;
	case TF_DEF_THREAD:
		take_thread(w, def, body);
		break;
	case TF_DEF_MODULE:
	case TF_DEF_UNLOAD:
		take_module(w, def, body);
		break;
	case TF_DEF_NAME:
		take_name(w, def, body);
		break;
	case TF_DEF_IDENTITY:
		take_identity(w, def, body);
		break;
	case TF_DEF_OBJECT_NAME:
		take_object_name(w, def, body);
		break;
	case TF_DEF_OWNER:
		take_owner(w, def, body);
		break;
	case TF_DEF_TASK:
		trace_def_task(w, def, body);
		break;
	case TF_DEF_PLACE:
		trace_def_place(w, def, body);
		break;
	case TF_DEF_SITE_NAME:
		trace_def_site_name(w, def, body);
		break;
	case TF_DEF_RUNTIME:
		if (trace_def_fits(w, def, sizeof(struct tf_def_runtime))) {
			w->defs->process.runtime =
				(const void *)body; /* 8-aligned: see copy_meta */
		}
		break;
	case TF_DEF_MEMORY:
		if (trace_def_fits(w, def, sizeof(struct tf_def_memory))) {
			w->defs->process.memory_path = w->image->memory_path;
			w->defs->process.memory = trace_memory_look(w->image->memory_path);
		}
		break;
	case TF_DEF_ORDER:
		take_order(w, def, body);
		break;
	case TF_DEF_CONFLICT:
		if (trace_def_fits(w, def, sizeof(struct tf_def_conflict))) {
			w->defs->process.conflicts[w->defs->process.conflict_count++] =
				(const void *)body;
		}
		break;
	case TF_DEF_WATCHES:
		if (trace_def_fits(w, def, sizeof(struct tf_def_watches))) {
			w->defs->process.watches = (const void *)body;
		}
		break;
	case TF_DEF_AWAIT:
		trace_def_await(w, def, body);
		break;
	case TF_DEF_TASK_LOCK:
		trace_def_task_lock(w, def, body);
		break;
	case TF_DEF_TASK_CONTEXT:
		trace_def_task_context(w, def, body);
		break;
	case TF_DEF_GIL:
		trace_def_gil(w, def, body);
		break;
	case TF_DEF_EXEC:
		take_exec(w, def, body);
		break;
	case TF_DEF_REPORT:
		trace_def_report(w, def, body);
		break;
	case TF_DEF_TID:
		trace_def_tid(w, def, body);
		break;
	default: /* from a later version: skipped by its size */
		break;
	}
}

/* ---- modules ---- */

static int compare_module_start(const void *left, const void *right)
{
	const struct module_def *a = left, *b = right;

	if (a->module.start != b->module.start) {
		return a->module.start < b->module.start ? -1 : 1;
	}
	return a->order < b->order ? -1 : a->order > b->order;
}

static int compare_module_order(const void *left, const void *right)
{
	const struct module_def *a = left, *b = right;

	return a->order < b->order ? -1 : a->order > b->order;
}

/*
 * Each UNLOAD ends the module with its start that came before it; a hostile file has many of both,
 * hence the sort.
 */
static int build_modules(struct walk *w)
{
	struct trace_process *p = &w->defs->process;
	struct module_def *m = w->modules, *open = NULL;

	if (!w->module_count) {
		return 0;
	}
	qsort(m, w->module_count, sizeof(*m), compare_module_start);
	for (size_t i = 0; i < w->module_count; i++) {
		if (!m[i].unload) {
			open = &m[i];
		} else if (open && open->module.start == m[i].module.start) {
			open->module.unloaded_ns = m[i].module.loaded_ns;
			open = NULL;
		}
	}
	qsort(m, w->module_count, sizeof(*m), compare_module_order);
	p->modules = calloc(w->module_count, sizeof(*p->modules));
	if (!p->modules) {
		return THRUM_ENOMEM;
	}
	for (size_t i = 0; i < w->module_count; i++) {
		if (!m[i].unload) {
			p->modules[p->module_count++] = m[i].module;
		}
	}
	return 0;
}

/* ---- the rest of a process ---- */

static int copy_command(struct trace_defs *defs, const struct tf_process *h)
{
	char text[sizeof(h->command) + 1] = { 0 };
	size_t n = sizeof(h->command);

	memcpy(text, h->command, n);
	while (n && !text[n - 1]) {
		n--;
	}
	for (size_t i = 0; i < n; i++) {
		text[i] = text[i] ? text[i] : ' ';
	}
	defs->process.command = trace_text_add(&defs->text, text, n);
	return defs->process.command ? 0 : THRUM_ENOMEM;
}

static int copy_waits(struct trace_defs *defs, const struct trace_image *image)
{
	struct trace_process *p = &defs->process;

	for (size_t i = 0; i < image->tid_count; i++) {
		if (trace_def_known(image->tids[i].thread, p->thread_count)) {
			p->threads[image->tids[i].thread].tid = image->tids[i].tid;
		}
	}
	p->waits = calloc(image->live_count + 1, sizeof(*p->waits));
	if (!p->waits) {
		return THRUM_ENOMEM;
	}
	for (size_t i = 0; i < image->live_count; i++) {
		const struct trace_live *live = &image->live[i];
		struct trace_wait_state *s = &p->waits[p->wait_count];
		uint32_t thread = trace_def_known(live->thread, p->thread_count);

		if (!thread) {
			continue; /* idle */
		}
		*s = (struct trace_wait_state){ .thread = thread,
						.tid = live->tid,
						.wait = live->wait };
		s->wait.object = trace_def_known(s->wait.object, p->object_count);
		/* Else a pid, a value, a call; units of a semaphore. */
		if (s->wait.kind <= TRACE_WAIT_JOIN && s->wait.kind != TRACE_WAIT_SEM) {
			s->wait.other = trace_def_known(
				s->wait.other, s->wait.kind == TRACE_WAIT_JOIN ? p->thread_count
									       : p->object_count);
		}
		s->wait.stack = trace_def_known(s->wait.stack, p->stack_count);
		s->wait.thread = trace_def_known(s->wait.thread, p->thread_count);
		s->since_ns = trace_clock_ns(&defs->clock,
					     s->wait.ticks ? s->wait.ticks : live->end_ticks);
		p->threads[thread].tid = live->tid ? live->tid : p->threads[thread].tid;
		p->wait_count++;
	}
	return 0;
}

static void copy_header(struct trace_defs *defs, const struct trace_image *image)
{
	const struct tf_process *h = &image->header;

	defs->process = (struct trace_process){
		.name = image->name,
		.pid = image->pid,
		.ppid = h->ppid,
		.image = image->image,
		.parent_image = h->parent_image,
		.exit_kind = h->exit_kind,
		.flags = h->flags,
		.lost_events = h->lost_events,
		.lost_chunks = h->lost_chunks,
		.lost_defs = h->lost_defs,
		.nested_events = h->nested_events,
		.bytes = image->map_bytes + image->events_bytes,
		.start_real_ns = h->start_real_ns,
		.libc_version = h->libc_version,
		.expired_chunks = h->expired_chunks,
		.boot_signal_mask = h->boot_signal_mask,
		.lost_facts = h->lost_facts,
		.exec_image = h->exec_pid_image,
		.unrecorded_children = h->unrecorded_children,
	};
}

static int allocate_tables(struct walk *w, const struct trace_sums *sums)
{
	const struct tf_process *h = &w->image->header;
	struct trace_process *p = &w->defs->process;
	struct counts n = w->found;

	trace_raise(&n.stacks, sums->stacks, w->limit);
	trace_raise(&n.objects, sums->objects, w->limit);
	trace_raise(&n.threads, sums->threads, w->limit);
	trace_raise(&n.stacks, h->stacks < w->limit ? h->stacks : (uint32_t)w->limit - 1, w->limit);
	trace_raise(&n.objects, h->objects < w->limit ? h->objects : (uint32_t)w->limit - 1,
		    w->limit);
	trace_raise(&n.threads, h->threads < w->limit ? h->threads : (uint32_t)w->limit - 1,
		    w->limit);
	p->stack_count = n.stacks + 1u;
	p->object_count = n.objects + 1u;
	p->thread_count = n.threads + 1u;
	p->task_count = n.tasks + 1u;
	p->place_count = n.places + 1u;
	p->stacks = calloc(p->stack_count, sizeof(*p->stacks));
	p->objects = calloc(p->object_count, sizeof(*p->objects));
	p->threads = calloc(p->thread_count, sizeof(*p->threads));
	p->tasks = calloc(p->task_count, sizeof(*p->tasks));
	p->places = calloc(p->place_count, sizeof(*p->places));
	p->orders = calloc(n.orders + 1, sizeof(*p->orders));
	p->execs = calloc(n.execs + 1, sizeof(*p->execs));
	p->awaits = calloc(n.awaits + 1, sizeof(*p->awaits));
	p->conflicts = calloc(n.conflicts + 1, sizeof(*p->conflicts));
	p->reports = calloc(n.reports + 1, sizeof(*p->reports));
	p->task_locks = calloc(n.task_locks + 1, sizeof(*p->task_locks));
	p->contexts = calloc(n.contexts * TF_CONTEXT_PAIRS + 1, sizeof(*p->contexts));
	p->gils = calloc(n.gils + 1, sizeof(*p->gils));
	w->modules = calloc(w->found.modules + 1, sizeof(*w->modules));
	if (h->flags & TF_PROCESS_BOUNDED) {
		w->defs->born = calloc(p->object_count, sizeof(*w->defs->born));
		w->defs->ring = malloc(p->thread_count * sizeof(*w->defs->ring));
		w->defs->thread_born = calloc(p->thread_count, sizeof(*w->defs->thread_born));
		w->defs->task_born = calloc(p->task_count, sizeof(*w->defs->task_born));
		if (!w->defs->born || !w->defs->ring || !w->defs->thread_born ||
		    !w->defs->task_born) {
			return THRUM_ENOMEM;
		}
		memset(w->defs->ring, 0xff, p->thread_count * sizeof(*w->defs->ring));
	}
	return p->stacks && p->objects && p->threads && p->tasks && p->places && p->orders &&
			       p->execs && p->awaits && p->conflicts && p->reports &&
			       p->task_locks && p->contexts && p->gils && w->modules
		       ? 0
		       : THRUM_ENOMEM;
}

/* How many ids the bytes of the files can stand for: see the header. */
static uint64_t id_limit(const struct trace_image *image)
{
	uint64_t limit = ID_FLOOR + image->meta_bytes / 4;
	uint64_t by_events = image->events_bytes / 8;

	if (image->map_cut) {
		limit += by_events < ID_EVENTS_LIMIT ? by_events : ID_EVENTS_LIMIT;
	}
	return limit < UINT32_MAX ? limit : UINT32_MAX;
}

/* The ring of `thread` goes back to `ticks`; that of a former thread of its number says nothing. */
static void ring_goes_back_to(struct trace_defs *defs, uint64_t thread, uint64_t ticks,
			      uint64_t seen)
{
	if (thread < defs->process.thread_count && seen >= defs->thread_born[thread] &&
	    ticks < defs->ring[thread]) {
		defs->ring[thread] = ticks;
	}
}

/* From where on the rings have what threads did. */
static void find_rings(struct trace_defs *defs, const struct trace_image *image)
{
	for (size_t i = 0; i < image->chunk_count && defs->ring; i++) {
		const struct trace_chunk *c = &image->chunks[i];
		struct trace_decoder d;
		struct trace_record r;

		if (!c->ring) {
			continue;
		}
		ring_goes_back_to(defs, c->thread, c->base_ticks, c->base_ticks);
		trace_decoder_init(&d, &defs->layout, c->memory, c->available, c->base_ticks);
		while (trace_decode_next(&d, &r) == TRACE_DECODE_RECORD) {
			if (r.op == TRACE_THREAD_BEGIN) {
				ring_goes_back_to(defs, r.field[TRACE_FIELD_A], c->base_ticks,
						  r.ticks);
			}
		}
	}
}

int trace_defs_init(struct trace_defs *defs, struct trace_image *image)
{
	struct walk w = { .defs = defs, .image = image };
	struct trace_sums sums = { 0 };
	bool scan_all = image->map_cut;
	int error;

	memset(defs, 0, sizeof(*defs));
	copy_header(defs, image);
	trace_layout_init(&defs->layout, image->header_cut ? NULL : image->header.op_fields);
	trace_clock_init(&defs->clock, image);
	w.limit = id_limit(image);
	trace_sum_streams(defs, image);
	error = trace_sum_records(defs, image, !scan_all, scan_all ? w.limit : 0, &sums);
	if (!error) {
		walk_defs(&w, count_def);
		error = allocate_tables(&w, &sums);
	}
	if (!error) {
		walk_defs(&w, take_def);
		trace_defs_forget_former(&w);
		trace_defs_order_looks(&w);
		trace_defs_name_objects(&w);
		error = w.no_memory ? THRUM_ENOMEM : build_modules(&w);
	}
	if (scan_all) {
		defs->process.events = sums.records;
	}
	defs->end_ticks = sums.end_ticks;
	defs->process.end_ns = trace_clock_ns(&defs->clock, sums.end_ticks);
	if (!sums.end_ticks) {
		defs->process.end_ns = 0;
	}
	if (!error) {
		trace_defs_add_logged(&w);
		error = w.no_memory ? THRUM_ENOMEM : 0;
	}
	error = error ? error : copy_command(defs, &image->header);
	error = error ? error : copy_waits(defs, image);
	if (!error) {
		find_rings(defs, image);
	}
	trace_sum_judge(defs, image);
	defs->lossy = trace_sum_is_lossy(&defs->process, image);
	free(w.modules);
	if (error) {
		trace_defs_release(defs);
	}
	return error;
}

void trace_defs_release(struct trace_defs *defs)
{
	for (size_t i = 0; i < defs->made_count; i++) {
		free(defs->made[i]);
	}
	free(defs->made);
	free(defs->process.stacks);
	free(defs->process.objects);
	free(defs->process.threads);
	free(defs->process.modules);
	free(defs->process.waits);
	free(defs->process.tasks);
	free(defs->process.places);
	free(defs->process.awaits);
	free(defs->process.conflicts);
	free(defs->process.task_locks);
	free(defs->process.contexts);
	free(defs->process.gils);
	free(defs->process.orders);
	free(defs->process.execs);
	free(defs->process.reports);
	free(defs->report_parts);
	free(defs->report_ips);
	free(defs->born);
	free(defs->thread_born);
	free(defs->task_born);
	free(defs->ring);
	trace_text_free(defs->text);
	memset(defs, 0, sizeof(*defs));
}
