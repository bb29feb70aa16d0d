/* SPDX-License-Identifier: MIT */
/*
 * patterns.c - Tarjan's components by cycle.h, then paths of abstract acquires inside each.
 */
#include "patterns.h"

#include "../cycle.h"
#include "room.h"

#include <stdlib.h>

struct edge {
	uint32_t from, to;
};

struct search {
	const struct acquires *acquires;
	const struct patterns_visitor *visitor;
	uint32_t *component; /* owns; by lock */
	uint32_t *first;     /* owns; by lock, one more: abstract acquires in `under` */
	uint32_t *
		under; /* owns; those made while the lock is held, and whose lock is in its component */
	uint32_t path[PATTERN_MOST];
	uint64_t budget;
};

static int compare_edges(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return x->to < y->to ? -1 : x->to > y->to;
}

static struct edge *edges_collect(const struct acquires *a, uint32_t *ret_count)
{
	struct edge *edge = room_new(a->pool_count, sizeof(*edge));
	uint32_t count = 0, kept = 0;

	for (uint32_t i = 0; i < a->abstract_count; i++) {
		const struct abstract_acquire *b = &a->abstract[i];

		for (uint32_t k = 0; k < b->held_count; k++)
			edge[count++] = (struct edge){ acquires_held(a, b)[k], b->lock };
	}
	qsort(edge, count, sizeof(*edge), compare_edges);
	for (uint32_t i = 0; i < count; i++)
		if (!kept || compare_edges(&edge[kept - 1], &edge[i]) != 0)
			edge[kept++] = edge[i];
	*ret_count = kept;
	return edge;
}

static uint32_t *components_of(const struct acquires *a, uint32_t locks,
			       struct patterns_stats *stats)
{
	uint32_t count, found, *component = room_new(locks, sizeof(*component)), *from, *to, *size;
	struct edge *edge = edges_collect(a, &count);

	from = room_new(count, sizeof(*from));
	to = room_new(count, sizeof(*to));
	for (uint32_t i = 0; i < count; i++) {
		from[i] = edge[i].from;
		to[i] = edge[i].to;
	}
	found = cycle_components(&(struct cycle_graph){ locks, count, from, to }, component);
	size = room_new(found, sizeof(*size));
	for (uint32_t l = 0; l < locks; l++)
		stats->components += ++size[component[l]] == 2;
	stats->edges = count;
	free(size);
	free(edge);
	free(from);
	free(to);
	return component;
}

static void index_abstracts(struct search *s, uint32_t locks)
{
	const struct acquires *a = s->acquires;

	/* Twice: sizes, then entries; afterwards first[lock] is where the lock's begin. */
	for (int fill = 0; fill < 2; fill++) {
		for (uint32_t i = a->abstract_count; i-- > 0;) {
			const struct abstract_acquire *b = &a->abstract[i];

			for (uint32_t k = 0; k < b->held_count; k++) {
				uint32_t held = acquires_held(a, b)[k];

				if (s->component[held] != s->component[b->lock])
					continue;
				if (fill)
					s->under[--s->first[held]] = i;
				else
					s->first[held]++;
			}
		}
		for (uint32_t l = 1; !fill && l <= locks; l++)
			s->first[l] += s->first[l - 1];
		if (!fill)
			s->under = room_new(s->first[locks], sizeof(*s->under));
	}
}

static bool shares(const struct acquires *a, const struct abstract_acquire *x,
		   const struct abstract_acquire *y)
{
	const uint32_t *left = acquires_held(a, x), *right = acquires_held(a, y);

	for (uint32_t i = 0, k = 0; i < x->held_count && k < y->held_count;) {
		if (left[i] == right[k])
			return true;
		if (left[i] < right[k])
			i++;
		else
			k++;
	}
	return false;
}

static bool fits(const struct search *s, uint32_t depth, uint32_t candidate)
{
	const struct abstract_acquire *y = &s->acquires->abstract[candidate];

	for (uint32_t i = 0; i < depth; i++) {
		const struct abstract_acquire *x = &s->acquires->abstract[s->path[i]];

		if (x->thread == y->thread || x->lock == y->lock || shares(s->acquires, x, y))
			return false;
	}
	return true;
}

static void spend(struct search *s, uint64_t steps)
{
	s->budget -= steps < s->budget ? steps : s->budget;
}

/* At most PATTERN_MOST deep. */
static void extend(struct search *s, uint32_t depth)
{
	uint32_t lock = s->acquires->abstract[s->path[depth - 1]].lock;

	for (uint32_t i = s->first[lock]; i < s->first[lock + 1] && s->budget; i++) {
		uint32_t next = s->under[i];

		spend(s, 1);
		if (next == s->path[0] && depth > 1)
			spend(s, s->visitor->visit(s->visitor->cookie, s->path, depth));
		if (next <= s->path[0] || depth == PATTERN_MOST || !fits(s, depth, next))
			continue;
		s->path[depth] = next;
		extend(s, depth + 1);
	}
}

void patterns_search(const struct predict_sequence *sequence, const struct acquires *acquires,
		     uint64_t budget, const struct patterns_visitor *visitor,
		     struct patterns_stats *ret_stats)
{
	uint32_t locks = sequence->locks.count;
	struct search s = { .acquires = acquires, .visitor = visitor, .budget = budget };

	*ret_stats = (struct patterns_stats){ 0 };
	s.component = components_of(acquires, locks, ret_stats);
	s.first = room_new((size_t)locks + 1, sizeof(*s.first));
	index_abstracts(&s, locks);
	for (uint32_t i = 0; i < acquires->abstract_count && s.budget; i++) {
		s.path[0] = i;
		extend(&s, 1);
	}
	ret_stats->spent = !s.budget;
	free(s.component);
	free(s.first);
	free(s.under);
}
