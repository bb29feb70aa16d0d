/* SPDX-License-Identifier: MIT */
/*
 * lock_order_class.c - locks of one class, nested in no order that could be meant.
 *
 * A finding needs two nestings by the same code in different threads that may happen at the same time, one up and one down. An order that is
 * consistent is inferred and silent:
 *
 *   by address, or by age   one of the two goes one way in all nestings of that code (static ones without an initialiser have no age)
 *   by position             what is locked inside is locked again as the outer one (a walk down a tree or along a list); or each lock
 *                           has one lock outside and many share it, or the reverse (a tree of two levels at a time)
 *   by neighbourhood        up and down hang together through common locks, and no ring among them: every pair that meets was seen
 *                           (philosophers that take turns); only nestings that share nothing say nothing of each other
 *   by a ring               is found, or ruled out, as a cycle of instances
 *
 * Static locks without an initialiser have no place of creation: elements of one variable are one class, which the stage after
 * symbolisation decides (finding.of_one_class).
 */
#include "lock_order_class.h"

#include "../cycle.h"
#include "lock_order_solve.h"

#include <stdlib.h>
#include <string.h>

#define MAX_EDGES 65536u	    /* of all classes */
#define HIERARCHY_REPEATS 4u	    /* so often by chance: one in sixteen */
#define PAIRS_BUDGET 100000u	    /* contexts compared in one class */
#define OF_MODULE UINT64_C(1) << 63 /* class: static, in module … */

/* ---- while events pass ---- */

/* 0 = nothing says what it is one of. */
static uint64_t class_of(const struct analysis *a, uint32_t object)
{
	const struct model_object *o = model_get_object(a->model, object);
	const struct trace_object *known = a->process->objects && object < a->process->object_count
						   ? &a->process->objects[object]
						   : NULL;

	if (!o || !known || !trace_object_kind_is_lock(o->kind) || known->given_name)
		return 0;
	if (o->detail && (o->flags & MODEL_INIT) && o->detail->init.stack)
		return (uint64_t)o->kind << 32 | o->detail->init.stack;
	if (known->where != TF_WHERE_MODULE || (o->flags & MODEL_INIT))
		return 0;
	for (size_t i = 0; i < a->process->module_count; i++)
		if (known->address >= a->process->modules[i].start &&
		    known->address < a->process->modules[i].end)
			return OF_MODULE | (uint64_t)o->kind << 32 | i;
	return 0;
}

void lock_class_note(struct lock_order *order, struct analysis *a, struct model_thread *t,
		     const struct lock_fact *fact)
{
	uint64_t class;
	uint32_t c;

	if (fact->flags || !order->classes || order->classes->edge_count >= MAX_EDGES)
		return;
	class = class_of(a, fact->from);
	if (!class || class != class_of(a, fact->to))
		return;
	c = lock_graph_add(order->classes, a->model, t, fact);
	if (!c)
		return;
	order->classes->context[c].count++;
	if (order->class_count <= order->classes->context[c].edge) {
		order->class_count = 2 * (size_t)order->classes->context[c].edge + 16;
		order->class_of_edge = realloc(order->class_of_edge,
					       order->class_count * sizeof(*order->class_of_edge));
		if (!order->class_of_edge)
			abort();
	}
	order->class_of_edge[order->classes->context[c].edge] = class;
}

/* ---- one class ---- */

struct class
{
	struct lock_order *order;
	struct analysis *a;
	struct solver *solver;
	const uint32_t *edge; /* of order->classes */
	uint32_t count;
	uint32_t *group; /* by object, for the class at hand: see join */
};

static void *allocate(size_t count, size_t element_bytes)
{
	void *memory = calloc(count + 1, element_bytes);

	if (!memory)
		abort();
	return memory;
}

static const struct lock_edge *edge_at(const struct class *c, uint32_t i)
{
	return &c->order->classes->edge[c->edge[i]];
}

static int compare_ids(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

	return (a > b) - (a < b);
}

/* How many of the edges begin (or end) where another one does. */
static uint32_t count_repeats(const struct class *c, bool at_end)
{
	uint32_t *end = allocate(c->count, sizeof(*end)), repeats = 0;

	for (uint32_t i = 0; i < c->count; i++)
		end[i] = at_end ? edge_at(c, i)->to : edge_at(c, i)->from;
	qsort(end, c->count, sizeof(*end), compare_ids);
	for (uint32_t i = 1; i < c->count; i++)
		repeats += end[i] == end[i - 1];
	free(end);
	return repeats;
}

/* Each lock has one that goes before it, and many share that one; or the other way round. */
static bool is_tree(const struct class *c)
{
	uint32_t out = count_repeats(c, false), in = count_repeats(c, true);

	return (!in && out >= HIERARCHY_REPEATS) || (!out && in >= HIERARCHY_REPEATS);
}

/* Where one lock is taken inside another, a third is taken inside it: the code goes on from lock to lock. */
static bool is_walk(const struct class *c)
{
	const struct lock_graph *g = c->order->classes;
	uint32_t capacity = 0, holds = 0;
	uint32_t *hold;
	bool found = false;

	for (uint32_t i = 0; i < c->count; i++)
		for (uint32_t k = edge_at(c, i)->contexts; k; k = g->context[k].next)
			capacity++;
	hold = allocate(capacity, sizeof(*hold));
	for (uint32_t i = 0; i < c->count; i++)
		for (uint32_t k = edge_at(c, i)->contexts; k; k = g->context[k].next)
			hold[holds++] = g->context[k].hold_stack;
	qsort(hold, holds, sizeof(*hold), compare_ids);
	for (uint32_t i = 0; i < c->count && !found; i++)
		for (uint32_t k = edge_at(c, i)->contexts; k && !found; k = g->context[k].next)
			found = bsearch(&g->context[k].request_stack, hold, holds, sizeof(*hold),
					compare_ids);
	free(hold);
	return found;
}

/* Objects that hang together through edges have the same group, that of their smallest. */
static uint32_t find_group(const struct class *c, uint32_t object)
{
	while (c->group[object] != object)
		object = c->group[object] = c->group[c->group[object]];
	return object;
}

static void join(struct class *c)
{
	for (uint32_t i = 0; i < c->count; i++) {
		c->group[edge_at(c, i)->from] = edge_at(c, i)->from;
		c->group[edge_at(c, i)->to] = edge_at(c, i)->to;
	}
	for (uint32_t i = 0; i < c->count; i++) {
		uint32_t one = find_group(c, edge_at(c, i)->from),
			 other = find_group(c, edge_at(c, i)->to);

		if (one < other)
			c->group[other] = one;
		else
			c->group[one] = other;
	}
}

static bool has_ring(const struct class *c)
{
	uint32_t *from = allocate(c->count, sizeof(*from)), *to = allocate(c->count, sizeof(*to));
	uint32_t *object = allocate(2 * (size_t)c->count, sizeof(*object)), nodes = 0;
	uint32_t *component;
	bool found = false;

	for (uint32_t i = 0; i < c->count; i++) {
		object[2 * i] = edge_at(c, i)->from;
		object[2 * i + 1] = edge_at(c, i)->to;
	}
	qsort(object, 2 * (size_t)c->count, sizeof(*object), compare_ids);
	for (uint32_t i = 0; i < 2 * c->count; i++)
		if (!nodes || object[nodes - 1] != object[i])
			object[nodes++] = object[i];
	for (uint32_t i = 0; i < c->count; i++) {
		const struct lock_edge *e = edge_at(c, i);
		const uint32_t *a = bsearch(&e->from, object, nodes, sizeof(*a), compare_ids);
		const uint32_t *b = bsearch(&e->to, object, nodes, sizeof(*b), compare_ids);

		from[i] = (uint32_t)(a - object);
		to[i] = (uint32_t)(b - object);
	}
	component = allocate(nodes, sizeof(*component));
	cycle_components(&(struct cycle_graph){ nodes, c->count, from, to }, component);
	for (uint32_t i = 0; i < c->count && !found; i++)
		found = component[from[i]] == component[to[i]];
	free(component);
	free(object);
	free(from);
	free(to);
	return found;
}

/* ---- two nestings ---- */

static uint64_t ip_at(const struct trace_stack *stack, uint32_t frame)
{
	return stack && frame < stack->frames ? stack->ip[frame] : 0;
}

/* Is it the same code that takes both locks? The function that does is the innermost one where the two stacks part. */
static bool is_same_code(const struct class *c, const struct lock_context *x,
			 const struct lock_context *y)
{
	const struct trace_stack *hold[2] = { model_get_stack(c->a->model, x->hold_stack),
					      model_get_stack(c->a->model, y->hold_stack) };
	const struct trace_stack *want[2] = { model_get_stack(c->a->model, x->request_stack),
					      model_get_stack(c->a->model, y->request_stack) };

	for (uint32_t frame = 0; ip_at(hold[0], frame); frame++) {
		if (ip_at(hold[0], frame) != ip_at(hold[1], frame) ||
		    ip_at(want[0], frame) != ip_at(want[1], frame))
			return false;
		if (ip_at(hold[0], frame) != ip_at(want[0], frame))
			return true;
	}
	return false;
}

static bool goes_up(const struct class *c, const struct lock_edge *e)
{
	return c->a->process->objects[e->from].address < c->a->process->objects[e->to].address;
}

/* Ids are given in the order in which objects are seen first: made, where they are of one place of creation. */
static bool goes_to_younger(const struct lock_edge *e)
{
	return e->from < e->to;
}

/* Uses of the two that could be at the same time. */
static bool find_uses(const struct class *c, const struct lock_context *x,
		      const struct lock_context *y, struct lock_use *ret_x, struct lock_use *ret_y)
{
	for (uint32_t i = 0; i < x->use_count; i++)
		for (uint32_t k = 0; k < y->use_count; k++) {
			*ret_x = lock_context_get_uses(x)[i];
			*ret_y = lock_context_get_uses(y)[k];
			if (lock_solver_uses_fit(c->solver, x, *ret_x, y, *ret_y, WITH_ALL))
				return true;
		}
	return false;
}

struct nesting {
	const struct lock_edge *edge;
	const struct lock_context *context;
	struct lock_use use;
};

static void add_nesting(struct class *c, struct finding *f, const struct nesting *n)
{
	analysis_add_stack(c->a, f, ROLE_HOLDS, n->use.thread, n->edge->from,
			   n->context->hold_stack, n->context->hold_ns, NULL, 0);
	analysis_add_stack(c->a, f, ROLE_ACQUIRES, n->use.thread, n->edge->to,
			   n->context->request_stack, n->context->request_ns, &n->edge->from, 1);
}

static void report(struct class *c, const struct nesting *up, const struct nesting *down,
		   bool is_static)
{
	struct finding *f = analysis_begin(c->a, RULE_LOCK_ORDER_INVERSION, CONFIDENCE_HINT);
	uint32_t x = up->use.thread, y = down->use.thread;

	f->of_one_class = is_static;
	f->count = up->context->count < down->context->count ? up->context->count
							     : down->context->count;
	for (int i = 0; i < 2; i++) {
		const struct nesting *n = i ? down : up;

		analysis_add_thread(c->a, f, n->use.thread);
		analysis_add_lock(c->a, f, n->edge->from);
		analysis_add_lock(c->a, f, n->edge->to);
	}
	add_nesting(c, f, up);
	add_nesting(c, f, down);
	f->title = analysis_printf(
		c->a,
		"locks that are made at one place are nested in no consistent order: {thread:%u} takes "
		"{lock:%u}, then {lock:%u}, {thread:%u} {lock:%u}, then {lock:%u}",
		x, up->edge->from, up->edge->to, y, down->edge->from, down->edge->to);
	f->message = analysis_printf(
		c->a,
		"The same code takes two locks of one kind, now the one and now the other first: {thread:%u} {lock:%u}, "
		"then {lock:%u}, {thread:%u} {lock:%u}, then {lock:%u}. That is not the order of their addresses%s. No "
		"pair was taken both ways in this run; when one is, by two threads, each waits for the other for ever. "
		"Take the one with the lower address, or number, first, or both by one call (std::lock, trylock and step back).",
		x, up->edge->from, up->edge->to, y, down->edge->from, down->edge->to,
		is_static ? "" : ", nor that in which they were made");
	analysis_commit(c->a, f);
}

/* Does `down` go the other way than `up`, and have they nothing in common? */
static bool is_partner(const struct class *c, const struct nesting *up, const struct nesting *down,
		       bool is_static)
{
	return goes_up(c, up->edge) != goes_up(c, down->edge) &&
	       (is_static || goes_to_younger(up->edge) != goes_to_younger(down->edge)) &&
	       find_group(c, up->edge->from) != find_group(c, down->edge->from);
}

/* Looks for a partner of one context; reports the first. */
static bool search_partner(struct class *c, struct nesting *up, uint32_t first, uint32_t *work)
{
	const struct lock_graph *g = c->order->classes;
	bool is_static = c->order->class_of_edge[c->edge[0]] & OF_MODULE;

	for (uint32_t i = first; i < c->count; i++) {
		struct nesting down = { .edge = edge_at(c, i) };

		if (!is_partner(c, up, &down, is_static))
			continue;
		for (uint32_t k = down.edge->contexts; k && ++*work < PAIRS_BUDGET;
		     k = g->context[k].next) {
			down.context = &g->context[k];
			if (!is_same_code(c, up->context, down.context) ||
			    !find_uses(c, up->context, down.context, &up->use, &down.use))
				continue;
			report(c, up, &down, is_static);
			return true;
		}
	}
	return false;
}

static void search_class(struct class *c)
{
	const struct lock_graph *g = c->order->classes;
	uint32_t work = 0;

	if (c->count < 2 || is_walk(c) || is_tree(c) || has_ring(c))
		return;
	join(c);
	for (uint32_t i = 0; i < c->count && work < PAIRS_BUDGET; i++) {
		struct nesting up = { .edge = edge_at(c, i) };

		for (uint32_t k = up.edge->contexts; k; k = g->context[k].next) {
			up.context = &g->context[k];
			if (search_partner(c, &up, i + 1, &work))
				return; /* one tells it */
		}
	}
}

/* ---- all classes ---- */

struct classed {
	uint64_t class;
	uint32_t edge;
};

static int compare_classed(const void *left, const void *right)
{
	const struct classed *a = left, *b = right;

	if (a->class != b->class)
		return a->class < b->class ? -1 : 1;
	return (a->edge > b->edge) - (a->edge < b->edge);
}

void lock_class_search(struct lock_order *order, struct analysis *a)
{
	uint32_t count = order->classes ? order->classes->edge_count : 0, kept = 0;
	struct classed *all;
	uint32_t *edge;
	struct class c = { .order = order, .a = a };

	if (count < 3 || !analysis_wants(a, RULE_LOCK_ORDER_INVERSION))
		return;
	all = allocate(count, sizeof(*all));
	edge = allocate(count, sizeof(*edge));
	for (uint32_t i = 1; i < count; i++)
		if (order->classes->edge[i].to)
			all[kept++] = (struct classed){ order->class_of_edge[i], i };
	qsort(all, kept, sizeof(*all), compare_classed);
	for (uint32_t i = 0; i < kept; i++)
		edge[i] = all[i].edge;
	c.group = allocate(a->model->object_count, sizeof(*c.group));
	c.solver = allocate(1, sizeof(*c.solver));
	c.solver->a = a;
	for (uint32_t first = 0, i = 1; i <= kept; i++) {
		if (i < kept && all[i].class == all[first].class)
			continue;
		c.edge = edge + first;
		c.count = i - first;
		search_class(&c);
		first = i;
	}
	free(c.solver);
	free(c.group);
	free(edge);
	free(all);
}
