/* SPDX-License-Identifier: MIT */
/*
 * lockgraph_collect.c - contexts of the lock-order graph of one run to edges of a lockgraph.
 *
 * What names and frames are for is put into findings that nobody sees, one for each lock, role and pair of stacks: so that they are
 * symbolised by the stage that symbolises all others. Until then a record waits beside its finding.
 */
#include "lockgraph_collect.h"

#include "../analyze.h"
#include "../lock_graph.h"

#include <stdlib.h>
#include <string.h>

#define USES_LOOKED_AT 16u    /* of a context */
#define THREADS_LOOKED_AT 32u /* of a role */
#define ORDER_BUDGET 4000000u /* questions about the order of segments, of an image */

struct role {
	uint64_t id;
	uint32_t *thread; /* owned */
	size_t count, capacity;
};

/* A finding, and what becomes of it. */
struct waiting {
	enum lockgraph_table table;
	struct finding *finding;
	union {
		struct lockgraph_role role;
		struct lockgraph_lock lock;
		struct lockgraph_edge edge;
	};
};

struct collector {
	struct lockgraph *g;
	struct finding_list *carrier; /* owns the findings */
	struct waiting *waiting;      /* owned */
	size_t waiting_count, waiting_capacity;
	uint64_t run;
	/* of the image at hand */
	const struct lock_view *view;
	struct lockgraph_names *names;
	struct role *role; /* owned */
	size_t role_count;
	uint32_t *role_of; /* owned; by thread: index + 1, 0 = none */
	bool *lock_done;   /* owned; by object */
	uint64_t work;
};

static void *must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

static struct waiting *wait_for(struct collector *c, enum lockgraph_table table)
{
	struct waiting *w;

	if (c->waiting_count == c->waiting_capacity) {
		c->waiting_capacity = c->waiting_capacity ? 2 * c->waiting_capacity : 64;
		c->waiting =
			must(reallocarray(c->waiting, c->waiting_capacity, sizeof(*c->waiting)));
	}
	w = &c->waiting[c->waiting_count++];
	*w = (struct waiting){ .table = table,
			       .finding = finding_begin(c->carrier, RULE_LOCK_ORDER_INVERSION,
							CONFIDENCE_HINT, c->view->process_index) };
	finding_commit(c->carrier, w->finding);
	return w;
}

/* ---- locks ---- */

static uint64_t room_of(const struct model_object *o)
{
	bool is_room = o && o->kind == TRACE_OBJECT_SEM && (o->flags & MODEL_SEM_PERMITS);

	if (!is_room)
		return 0;
	return o->detail ? o->detail->sem.initial : o->attributes;
}

/* The id of the object's record, which is there from now on; 0 = nothing tells it in another run. */
static uint64_t take_lock(struct collector *c, uint32_t object)
{
	const struct trace_process *p = c->view->process;
	const struct trace_object *o = &p->objects[object];
	const struct model_object *known = model_get_object(c->view->model, object);
	enum lockgraph_identity identity;
	bool many;
	uint64_t id = lockgraph_name_lock(c->names, object, &identity, &many);
	struct finding_lock *shown;
	struct waiting *w;

	if (!id || c->lock_done[object])
		return id;
	c->lock_done[object] = true;
	w = wait_for(c, LOCKGRAPH_LOCKS);
	w->lock = (struct lockgraph_lock){
		.record.id = id,
		.program = lockgraph_name_program(c->names),
		.identity = identity,
		.kind = o->kind,
		.word = lockgraph_text(c->g, o->word),
		.many = many,
		.is_signal = known && o->kind == TRACE_OBJECT_SEM && !model_object_is_lock(known),
		.room = room_of(known),
		.first_seen = lockgraph_name_stack(c->names, o->stack),
	};
	shown = finding_add_lock(c->carrier, w->finding, object);
	shown->kind = o->kind;
	shown->address = o->address;
	shown->first_seen_stack = o->stack;
	shown->name = o->given_name;
	return id;
}

/* ---- roles ---- */

static struct role *lookup_or_add_role(struct collector *c, uint64_t id)
{
	for (size_t i = 0; i < c->role_count; i++)
		if (c->role[i].id == id)
			return &c->role[i];
	c->role = must(reallocarray(c->role, c->role_count + 1, sizeof(*c->role)));
	c->role[c->role_count] = (struct role){ .id = id };
	return &c->role[c->role_count++];
}

static void collect_roles(struct collector *c)
{
	const struct trace_process *p = c->view->process;

	for (uint32_t t = 1; t < p->thread_count && t < c->view->model->thread_count; t++) {
		struct role *role;

		if (!model_get_thread(c->view->model, t))
			continue;
		role = lookup_or_add_role(c, lockgraph_name_role(c->names, t));
		if (role->count == role->capacity) {
			role->capacity = role->capacity ? 2 * role->capacity : 4;
			role->thread = must(
				reallocarray(role->thread, role->capacity, sizeof(*role->thread)));
		}
		role->thread[role->count++] = t;
		c->role_of[t] = (uint32_t)(role - c->role) + 1;
	}
}

static void add_barriers(struct collector *c, const struct role *role,
			 struct lockgraph_set *barriers)
{
	for (size_t i = 0; i < c->view->passed_slots; i++) {
		uint32_t thread = (uint32_t)(c->view->passed[i] >> 32);
		uint32_t object = (uint32_t)c->view->passed[i];
		enum lockgraph_identity identity;
		bool many;
		uint64_t id;

		if (!object || &c->role[c->role_of[thread] - 1] != role)
			continue;
		id = lockgraph_name_lock(c->names, object, &identity, &many);
		if (id)
			lockgraph_set_add(c->g, barriers, id, 0);
	}
}

static void show_role(struct collector *c, const struct role *role)
{
	const struct trace_thread *t = &c->view->process->threads[role->thread[0]];
	struct waiting *w = wait_for(c, LOCKGRAPH_ROLES);
	struct finding_thread *shown = finding_add_thread(c->carrier, w->finding, role->thread[0]);

	shown->created_stack = t->stack;
	shown->start_routine = t->start_routine;
	w->role = (struct lockgraph_role){
		.record.id = role->id,
		.program = lockgraph_name_program(c->names),
		.is_main = role->thread[0] == 1 || (t->flags & TF_THREAD_MAIN),
		.created = lockgraph_name_stack(c->names, t->stack),
		.most = role->count,
	};
	add_barriers(c, role, &w->role.barriers);
}

/* ---- who else runs then ---- */

/* Of `role`, against one use: does another thread run at the same time, was one over before? */
static void look_at_role(struct collector *c, const struct role *role, struct lock_use use,
			 bool *ret_with, bool *ret_after)
{
	struct model *m = c->view->model;
	size_t step = role->count / THREADS_LOOKED_AT + 1;

	*ret_with = *ret_after = false;
	for (size_t i = 0; i < role->count; i += step) {
		const struct model_thread *t = model_get_thread(m, role->thread[i]);
		bool before, after;

		if (t->id == use.thread)
			continue;
		if (++c->work > ORDER_BUDGET) { /* nothing is ruled out that is not known */
			*ret_with = true;
			return;
		}
		before = model_is_before(m, t->segment, use.segment);
		after = !before && model_is_before(m, use.segment, model_first_segment(m, t));
		*ret_with |= !before && !after;
		*ret_after |= before;
		if (*ret_with && *ret_after)
			return;
	}
}

static void take_order(struct collector *c, struct lockgraph_edge *e, struct lock_use use,
		       bool is_first)
{
	struct lockgraph_set after = { 0 };
	uint64_t rounds = use.segment < c->view->rounds_count ? c->view->rounds[use.segment] : 0;

	for (size_t i = 0; i < c->role_count; i++) {
		bool is_with, is_after;

		look_at_role(c, &c->role[i], use, &is_with, &is_after);
		if (is_with)
			lockgraph_set_add(c->g, &e->with, c->role[i].id, 0);
		if (is_after) {
			lockgraph_set_add(c->g, &e->after_ever, c->role[i].id, 0);
			lockgraph_set_add(c->g, &after, c->role[i].id, 0);
		}
	}
	if (is_first || rounds < e->rounds_least)
		e->rounds_least = rounds;
	if (rounds > e->rounds_most)
		e->rounds_most = rounds;
	if (is_first) {
		e->after_always = after;
		return;
	}
	for (size_t i = e->after_always.count; i-- > 0;)
		if (!lockgraph_set_has(&after, e->after_always.id[i])) {
			struct lockgraph_set less = { 0 };

			for (size_t k = 0; k < e->after_always.count; k++)
				if (k != i)
					lockgraph_set_add(c->g, &less, e->after_always.id[k], 0);
			e->after_always = less;
		}
}

/* ---- edges ---- */

/* Reached by the wanted lock only: see is_out_of_reach of lock_order_solve.c, which asks about one run. */
static bool is_private(const struct lock_context *context)
{
	return context->flags & LOCK_PRIVATE;
}

/* Returns whether all of the held set has ids. */
static bool take_gates(struct collector *c, const struct lock_context *context,
		       struct lockgraph_edge *e)
{
	uint32_t count;
	const uint32_t *element = model_get_set(c->view->model, context->set, &count);
	bool complete = true;

	for (uint32_t i = 0; i < count; i++) {
		uint64_t id = take_lock(c, MODEL_SET_OBJECT(element[i]));

		complete &= id != 0;
		if (id)
			lockgraph_set_add(
				c->g, MODEL_SET_SHARED(element[i]) ? &e->shared : &e->gates, id, 0);
	}
	return complete;
}

static uint64_t name_edge(const struct lockgraph_edge *e)
{
	uint64_t id = lockgraph_hash_id(e->from, e->to);

	id = lockgraph_hash_id(lockgraph_hash_id(id, e->role), e->flags);
	for (size_t i = 0; i < e->gates.count; i++)
		id = lockgraph_hash_id(id, e->gates.id[i]);
	for (size_t i = 0; i < e->shared.count; i++)
		id = lockgraph_hash_id(id, ~e->shared.id[i]);
	return id;
}

/* The uses of one role make one record. */
static void show_edge(struct collector *c, const struct lockgraph_edge *common,
		      const struct lock_context *context, uint32_t role)
{
	const struct lock_use *use = lock_context_get_uses(context);
	struct lockgraph_edge e = *common;
	struct waiting *w;
	uint32_t looked_at = 0;

	e.role = c->role[role - 1].id;
	for (uint32_t i = 0; i < context->use_count && looked_at < USES_LOOKED_AT; i++)
		if (c->role_of[use[i].thread] == role)
			take_order(c, &e, use[i], looked_at++ == 0);
	e.hold = lockgraph_name_stack(c->names, context->hold_stack);
	e.request = lockgraph_name_stack(c->names, context->request_stack);
	e.witness = c->run;
	lockgraph_set_add(c->g, &e.runs, c->run, LOCKGRAPH_RUNS_KEPT);
	e.record.id = name_edge(&e);
	w = wait_for(c, LOCKGRAPH_EDGES);
	w->edge = e;
	finding_add_stack(c->carrier, w->finding, ROLE_HOLDS, 0, 0, context->hold_stack)->time_ns =
		context->hold_ns;
	finding_add_stack(c->carrier, w->finding, ROLE_ACQUIRES, 0, 0, context->request_stack)
		->time_ns = context->request_ns;
}

static void collect_context(struct collector *c, const struct lock_context *context)
{
	const struct lock_edge *edge = &c->view->graph->edge[context->edge];
	const struct lock_use *use = lock_context_get_uses(context);
	struct lockgraph_edge e = { .program = lockgraph_name_program(c->names),
				    .flags = context->flags };

	if (is_private(context))
		return;
	e.from = take_lock(c, edge->from);
	e.to = take_lock(c, edge->to);
	if (!e.from || !e.to || e.from == e.to)
		return;
	if (!take_gates(c, context, &e))
		e.flags |= LOCK_UNCERTAIN;
	for (uint32_t i = 0; i < context->use_count; i++) {
		uint32_t role = c->role_of[use[i].thread];
		bool done = !role;

		for (uint32_t k = 0; k < i && !done; k++)
			done = c->role_of[use[k].thread] == role;
		if (!done)
			show_edge(c, &e, context, role);
	}
}

static bool is_lock(const struct collector *c, uint32_t object)
{
	const struct model_object *o = model_get_object(c->view->model, object);

	return o && model_object_is_lock(o);
}

static void collect_edges(struct collector *c)
{
	const struct lock_graph *graph = c->view->graph;

	for (uint32_t i = 1; i < graph->edge_count; i++) {
		const struct lock_edge *edge = &graph->edge[i];

		if (!edge->to || edge->from == edge->to || !is_lock(c, edge->from) ||
		    !is_lock(c, edge->to))
			continue;
		for (uint32_t k = edge->contexts; k; k = graph->context[k].next)
			collect_context(c, &graph->context[k]);
	}
	/* What is no lock here must not count as one where no run shows the difference. */
	for (uint32_t i = 1; i < c->view->model->object_count; i++) {
		const struct model_object *o = &c->view->model->objects[i];

		if (o->kind == TRACE_OBJECT_SEM && (o->flags & MODEL_TOUCHED) &&
		    !model_object_is_lock(o))
			take_lock(c, i);
	}
}

/* ---- images ---- */

static void on_view(void *cookie, const struct lock_view *view)
{
	struct collector *c = cookie;
	struct lockgraph_program program = { 0 };

	c->view = view;
	c->names = lockgraph_names_new(view->process);
	c->role_of = must(calloc(view->model->thread_count + 1, sizeof(*c->role_of)));
	c->lock_done = must(calloc(view->process->object_count + 1, sizeof(*c->lock_done)));
	c->work = 0;
	collect_roles(c);
	collect_edges(c);
	for (size_t i = 0; i < c->role_count; i++) {
		show_role(c, &c->role[i]);
		free(c->role[i].thread);
	}
	program.record.id = lockgraph_name_program(c->names);
	program.command = lockgraph_text(c->g, view->process->command);
	program.build_id = lockgraph_text(c->g, lockgraph_name_build_id(c->names));
	lockgraph_add(c->g, LOCKGRAPH_PROGRAMS, &program);
	lockgraph_names_free(c->names);
	free(c->role_of);
	free(c->lock_done);
	free(c->role);
	c->role = NULL;
	c->role_count = 0;
}

/* Wall clock and pid of its processes: of thousands of runs, no two have the same. */
static uint64_t name_run(const struct trace_reader *reader)
{
	uint64_t hash = 0;

	for (size_t i = 0; i < trace_reader_process_count(reader); i++) {
		const struct trace_process *p = trace_reader_get_process(reader, i);

		hash = lockgraph_hash_id(lockgraph_hash_id(hash, p->start_real_ns), p->pid);
		hash = lockgraph_hash_text(hash, p->command);
	}
	return hash;
}

/* ---- with names ---- */

static void add_frames(struct lockgraph *g, uint64_t id, const struct frames *frames)
{
	struct lockgraph_stack stack = { .record.id = id, .frames = *frames };

	if (!id || !frames->count)
		return;
	stack.frames.frame = finding_list_alloc(lockgraph_memory(g),
						frames->count * sizeof(*stack.frames.frame));
	for (size_t i = 0; i < frames->count; i++) {
		struct frame *frame = &stack.frames.frame[i];

		*frame = frames->frame[i];
		frame->function = lockgraph_text(g, frame->function);
		frame->file = lockgraph_text(g, frame->file);
		frame->module = lockgraph_text(g, frame->module);
		frame->build_id = lockgraph_text(g, frame->build_id);
		frame->language = lockgraph_text(g, frame->language);
	}
	lockgraph_add(g, LOCKGRAPH_STACKS, &stack);
}

static void finish_waiting(struct lockgraph *g, struct waiting *w)
{
	const struct finding *f = w->finding;

	switch (w->table) {
	case LOCKGRAPH_ROLES:
		w->role.start = lockgraph_text(g, f->threads[0].start_function);
		add_frames(g, w->role.created, &f->threads[0].created_at);
		lockgraph_add(g, w->table, &w->role);
		break;
	case LOCKGRAPH_LOCKS:
		w->lock.name = lockgraph_text(g, f->locks[0].name);
		add_frames(g, w->lock.first_seen, &f->locks[0].first_seen);
		lockgraph_add(g, w->table, &w->lock);
		break;
	case LOCKGRAPH_EDGES:
		add_frames(g, w->edge.hold, &f->stacks[0].frames);
		add_frames(g, w->edge.request, &f->stacks[1].frames);
		lockgraph_add(g, w->table, &w->edge);
		break;
	case LOCKGRAPH_PROGRAMS:
	case LOCKGRAPH_STACKS:
	case LOCKGRAPH_TABLES:
		break; /* nothing to wait for */
	}
}

int lockgraph_collect(struct trace_reader *reader, const struct symbolize_options *symbolize,
		      struct lockgraph *g, struct diag *diag)
{
	struct collector c = { .g = g, .carrier = finding_list_new(), .run = name_run(reader) };
	struct analyze_options options = { .rules_off = ~UINT64_C(0),
					   .lock_view = on_view,
					   .lock_view_cookie = &c };
	struct finding_list *findings = finding_list_new();
	struct analyze_stats stats;
	int error = analyze_run(reader, &options, findings, &stats, diag);

	if (!error) {
		symbolize_findings(c.carrier, reader, symbolize);
		for (size_t i = 0; i < c.waiting_count; i++)
			finish_waiting(g, &c.waiting[i]);
		lockgraph_add_run(g, c.run);
	}
	finding_list_free(findings);
	finding_list_free(c.carrier);
	free(c.waiting);
	return error;
}
