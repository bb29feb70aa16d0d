/* SPDX-License-Identifier: MIT */
/*
 * lock_graph.c - hash tables of edges and contexts with lists in and out of each lock; finds no
 * cycles itself.
 */
#include "lock_graph.h"

#include <stdlib.h>
#include <string.h>

#define USES_EXACT 128u	    /* uses of one context that are all kept */
#define USES_OF_THREAD 24u  /* of them, of one thread */
#define CONTEXTS_EXACT 512u /* contexts of one edge that are all kept */

static void *grow(void *array, uint32_t *capacity, uint32_t needed, size_t element_bytes)
{
	size_t wanted = *capacity ? *capacity : 16;

	if (needed <= *capacity)
		return array;
	while (wanted < needed)
		wanted += wanted / 2;
	if (wanted > UINT32_MAX || !(array = realloc(array, wanted * element_bytes)))
		abort();
	*capacity = (uint32_t)wanted;
	return array;
}

static void *allocate(size_t count, size_t element_bytes)
{
	void *memory = calloc(count, element_bytes);

	if (!memory)
		abort();
	return memory;
}

static uint64_t mix(uint64_t x)
{
	x ^= x >> 32;
	x *= UINT64_C(0xd6e8feb86659fd93);
	x ^= x >> 32;
	x *= UINT64_C(0xd6e8feb86659fd93);
	return x ^ (x >> 32);
}

struct lock_graph *lock_graph_new(size_t object_count)
{
	struct lock_graph *g = allocate(1, sizeof(*g));

	g->object_count = object_count ? object_count : 1;
	g->vertex_of = allocate(g->object_count, sizeof(*g->vertex_of));
	g->edge_count = g->context_count = g->vertex_count = 1;
	g->edge_mask = g->context_mask = 1023;
	g->edge_slot = allocate(1024, sizeof(*g->edge_slot));
	g->context_slot = allocate(1024, sizeof(*g->context_slot));
	return g;
}

void lock_graph_free(struct lock_graph *g)
{
	if (!g)
		return;
	for (uint32_t i = 1; i < g->context_count; i++)
		if (g->context[i].edge && g->context[i].use_capacity)
			free(g->context[i].many);
	free(g->edge);
	free(g->context);
	free(g->vertex);
	free(g->vertex_of);
	free(g->edge_slot);
	free(g->context_slot);
	free(g->queue);
	free(g);
}

static uint32_t lookup_or_add_vertex(struct lock_graph *g, uint32_t object)
{
	if (g->vertex_of[object])
		return g->vertex_of[object];
	g->vertex = grow(g->vertex, &g->vertex_capacity, g->vertex_count + 1, sizeof(*g->vertex));
	memset(&g->vertex[g->vertex_count], 0, sizeof(*g->vertex));
	return g->vertex_of[object] = g->vertex_count++;
}

/* ---- edges ---- */

static uint32_t edge_hash(uint32_t from, uint32_t to)
{
	return (uint32_t)mix((uint64_t)from << 32 | to);
}

static void grow_edge_table(struct lock_graph *g)
{
	uint32_t size = (g->edge_mask + 1) * 2;

	free(g->edge_slot);
	g->edge_slot = allocate(size, sizeof(*g->edge_slot));
	g->edge_mask = size - 1;
	for (uint32_t i = 1; i < g->edge_count; i++) {
		uint32_t *slot =
			&g->edge_slot[edge_hash(g->edge[i].from, g->edge[i].to) & g->edge_mask];

		if (!g->edge[i].to)
			continue; /* free */
		g->edge[i].next_hash = *slot;
		*slot = i;
	}
}

uint32_t lock_graph_find_edge(const struct lock_graph *g, uint32_t from, uint32_t to)
{
	uint32_t e = g->edge_slot[edge_hash(from, to) & g->edge_mask];

	while (e && (g->edge[e].from != from || g->edge[e].to != to))
		e = g->edge[e].next_hash;
	return e;
}

/* Into the lists of both ends. Pseudo edges stand in none: they close no cycle. */
static void link_edge(struct lock_graph *g, uint32_t e)
{
	struct lock_edge *edge = &g->edge[e];
	uint32_t from, to;

	if (edge->from == LOCK_GRAPH_WRITERS || edge->from == edge->to)
		return;
	from = lookup_or_add_vertex(g, edge->from);
	to = lookup_or_add_vertex(g, edge->to);
	edge->next_out = g->vertex[from].out;
	if (edge->next_out)
		g->edge[edge->next_out].previous_out = e;
	g->vertex[from].out = e;
	g->vertex[from].out_count++;
	edge->next_in = g->vertex[to].in;
	if (edge->next_in)
		g->edge[edge->next_in].previous_in = e;
	g->vertex[to].in = e;
	g->vertex[to].in_count++;
}

static uint32_t lookup_or_add_edge(struct lock_graph *g, uint32_t from, uint32_t to)
{
	uint32_t e = lock_graph_find_edge(g, from, to);
	uint32_t *slot;

	if (e)
		return e;
	if (g->edge_count > g->edge_mask)
		grow_edge_table(g);
	if (g->edge_free) {
		e = g->edge_free;
		g->edge_free = g->edge[e].next_hash;
	} else {
		g->edge = grow(g->edge, &g->edge_capacity, g->edge_count + 1, sizeof(*g->edge));
		e = g->edge_count++;
	}
	g->edge[e] = (struct lock_edge){ .from = from, .to = to };
	slot = &g->edge_slot[edge_hash(from, to) & g->edge_mask];
	g->edge[e].next_hash = *slot;
	*slot = e;
	link_edge(g, e);
	g->edges_ever++;
	return e;
}

/* ---- contexts ---- */

static uint32_t context_hash(uint32_t edge, uint32_t hold_stack, uint32_t request_stack,
			     uint32_t set, uint32_t flags)
{
	uint64_t h = mix((uint64_t)hold_stack << 32 | request_stack);

	return (uint32_t)mix(h ^ ((uint64_t)edge << 32 | set) ^ ((uint64_t)flags << 20));
}

static uint32_t hash_of_context(const struct lock_context *c)
{
	return context_hash(c->edge, c->hold_stack, c->request_stack, c->set, c->flags);
}

static void grow_context_table(struct lock_graph *g)
{
	uint32_t size = (g->context_mask + 1) * 2;

	free(g->context_slot);
	g->context_slot = allocate(size, sizeof(*g->context_slot));
	g->context_mask = size - 1;
	for (uint32_t i = 1; i < g->context_count; i++) {
		uint32_t *slot =
			&g->context_slot[hash_of_context(&g->context[i]) & g->context_mask];

		if (!g->context[i].edge)
			continue;
		g->context[i].next_hash = *slot;
		*slot = i;
	}
}

/*
 * Is the n-th offer among those that are kept beyond the exact ones? Ever rarer: about 30 in each
 * tenfold.
 */
static bool is_sample(uint32_t n)
{
	uint32_t step = 1u << (31 - (uint32_t)__builtin_clz(n | 1));

	return step < 16 || n % (step / 8) == 0;
}

static uint32_t lookup_or_add_context(struct lock_graph *g, const struct lock_fact *f)
{
	uint32_t e = lookup_or_add_edge(g, f->from, f->to);
	uint32_t hash = context_hash(e, f->hold_stack, f->request_stack, f->set, f->flags);
	uint32_t c = g->context_slot[hash & g->context_mask];
	uint32_t *slot;

	for (; c; c = g->context[c].next_hash) {
		const struct lock_context *x = &g->context[c];

		if (x->edge == e && x->hold_stack == f->hold_stack &&
		    x->request_stack == f->request_stack && x->set == f->set &&
		    x->flags == f->flags)
			return c;
	}
	if (++g->edge[e].context_count > CONTEXTS_EXACT && !is_sample(g->edge[e].context_count))
		return 0;
	if (g->context_count > g->context_mask)
		grow_context_table(g);
	if (g->context_free) {
		c = g->context_free;
		g->context_free = g->context[c].next;
	} else {
		g->context = grow(g->context, &g->context_capacity, g->context_count + 1,
				  sizeof(*g->context));
		c = g->context_count++;
	}
	g->context[c] = (struct lock_context){ .edge = e,
					       .next = g->edge[e].contexts,
					       .hold_stack = f->hold_stack,
					       .request_stack = f->request_stack,
					       .set = f->set,
					       .flags = f->flags,
					       .hold_ns = f->hold_ns,
					       .request_ns = f->request_ns };
	g->edge[e].contexts = c;
	slot = &g->context_slot[hash & g->context_mask];
	g->context[c].next_hash = *slot;
	*slot = c;
	g->contexts_ever++;
	g->live_contexts++;
	return c;
}

static void append_use(struct lock_context *c, uint32_t thread, uint32_t segment)
{
	struct lock_use use = { thread, segment };

	if (c->use_count == 0) {
		c->one = use;
	} else if (c->use_capacity == 0) {
		struct lock_use *many = allocate(4, sizeof(*many));

		many[0] = c->one;
		many[1] = use;
		c->many = many;
		c->use_capacity = 4;
	} else {
		c->many = grow(c->many, &c->use_capacity, c->use_count + 1, sizeof(*c->many));
		c->many[c->use_count] = use;
	}
	c->use_count++;
}

enum keeping { NOT_KEPT, IN_PLACE_OF_LAST, KEPT };

/*
 * Is the thread's present segment to be kept as one more use? The last one is that of the newest thread where there are many: those of
 * long ago may all be over before anybody takes the locks the other way round. So no thread is kept more than once for that.
 */
static enum keeping keeps_use(struct lock_context *c, const struct model_thread *t)
{
	const struct lock_use *use = lock_context_get_uses(c);
	uint32_t of_thread = 0;

	for (uint32_t i = c->use_count; i-- > 0;) {
		if (use[i].thread != t->id)
			continue;
		if (use[i].segment == t->segment && !t->segment_left)
			return NOT_KEPT;
		of_thread++;
	}
	c->offered++;
	if ((of_thread < USES_OF_THREAD && c->use_count < USES_EXACT) || is_sample(c->offered))
		return KEPT;
	return !of_thread && t->id > use[c->use_count - 1].thread ? IN_PLACE_OF_LAST : NOT_KEPT;
}

uint32_t lock_graph_add(struct lock_graph *g, struct model *m, struct model_thread *t,
			const struct lock_fact *fact)
{
	enum keeping keeping;
	uint32_t c;

	if (fact->to == 0 || fact->to >= g->object_count || fact->from >= g->object_count)
		return 0;
	c = lookup_or_add_context(g, fact);
	keeping = c ? keeps_use(&g->context[c], t) : NOT_KEPT;
	g->context[c].use_count -= keeping == IN_PLACE_OF_LAST;
	if (keeping != NOT_KEPT)
		append_use(&g->context[c], t->id, model_pin_segment(m, t));
	return c;
}

/* ---- forgetting ---- */

static void remove_context(struct lock_graph *g, uint32_t c)
{
	uint32_t *link = &g->context_slot[hash_of_context(&g->context[c]) & g->context_mask];

	while (*link != c)
		link = &g->context[*link].next_hash;
	*link = g->context[c].next_hash;
	if (g->context[c].use_capacity)
		free(g->context[c].many);
	g->context[c] = (struct lock_context){ .next = g->context_free };
	g->context_free = c;
	g->live_contexts--;
}

static void unlink_edge(struct lock_graph *g, uint32_t e)
{
	const struct lock_edge *edge = &g->edge[e];
	struct lock_vertex *from = &g->vertex[g->vertex_of[edge->from]];
	struct lock_vertex *to = &g->vertex[g->vertex_of[edge->to]];

	if (edge->previous_out)
		g->edge[edge->previous_out].next_out = edge->next_out;
	else
		from->out = edge->next_out;
	if (edge->next_out)
		g->edge[edge->next_out].previous_out = edge->previous_out;
	if (edge->previous_in)
		g->edge[edge->previous_in].next_in = edge->next_in;
	else
		to->in = edge->next_in;
	if (edge->next_in)
		g->edge[edge->next_in].previous_in = edge->previous_in;
	from->out_count--;
	to->in_count--;
}

static void remove_edge(struct lock_graph *g, uint32_t e)
{
	uint32_t *link = &g->edge_slot[edge_hash(g->edge[e].from, g->edge[e].to) & g->edge_mask];

	while (g->edge[e].contexts) {
		uint32_t c = g->edge[e].contexts;

		g->edge[e].contexts = g->context[c].next;
		remove_context(g, c);
	}
	while (*link != e)
		link = &g->edge[*link].next_hash;
	*link = g->edge[e].next_hash;
	unlink_edge(g, e);
	g->edge[e] = (struct lock_edge){ .next_hash = g->edge_free };
	g->edge_free = e;
}

static void enqueue(struct lock_graph *g, uint32_t *count, uint32_t vertex)
{
	const struct lock_vertex *v = &g->vertex[vertex];

	if (!v->gone_ns || (v->in_count && v->out_count) || !(v->in_count + v->out_count))
		return;
	g->queue = grow(g->queue, &g->queue_capacity, *count + 1, sizeof(*g->queue));
	g->queue[(*count)++] = vertex;
}

void lock_graph_mark_gone(struct lock_graph *g, uint32_t object, uint64_t time_ns)
{
	uint32_t v = object < g->object_count ? g->vertex_of[object] : 0;

	if (v && !g->vertex[v].gone_ns)
		g->vertex[v].gone_ns = time_ns ? time_ns : 1;
}

void lock_graph_forget(struct lock_graph *g, uint32_t object, uint64_t time_ns)
{
	uint32_t count = 0;

	if (object >= g->object_count || !g->vertex_of[object])
		return;
	lock_graph_mark_gone(g, object, time_ns);
	enqueue(g, &count, g->vertex_of[object]);
	while (count) {
		uint32_t at = g->queue[--count], e;

		while ((e = g->vertex[at].out) || (e = g->vertex[at].in)) {
			uint32_t from = g->vertex_of[g->edge[e].from],
				 to = g->vertex_of[g->edge[e].to];

			remove_edge(g, e);
			enqueue(g, &count, from == at ? to : from);
		}
	}
}

uint64_t lock_graph_get_gone(const struct lock_graph *g, uint32_t object)
{
	return object < g->object_count && g->vertex_of[object]
		       ? g->vertex[g->vertex_of[object]].gone_ns
		       : 0;
}
