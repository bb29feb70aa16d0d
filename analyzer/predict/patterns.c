/* SPDX-License-Identifier: MIT */
/*
 * patterns.c - paths of abstract acquires inside each circle of locks.
 */
#include "patterns.h"

#include "room.h"

struct search {
	const struct acquires *acquires;
	const struct patterns_visitor *visitor;
	const uint32_t *component; /* borrowed; by lock */
	uint32_t *first;	   /* owns; by lock, one more: abstract acquires in `under` */
	uint32_t *
		under; /* owns; those made while the lock is held, and whose lock is in its component */
	uint32_t path[PATTERN_MOST];
	uint64_t budget;
	const uint32_t *group; /* borrowed; by lock; may be NULL */
};

/* Parts of one read-write lock: who has some of it and wants the rest is only on the way. */
static bool is_one_thing(const struct search *s, uint32_t held, uint32_t wanted)
{
	return s->group && s->group[held] && s->group[held] == s->group[wanted];
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

				if (s->component[held] != s->component[b->lock] ||
				    is_one_thing(s, held, b->lock))
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

void patterns_search(const struct predict_sequence *sequence, const struct lock_order *order,
		     const struct acquires *acquires, uint64_t budget,
		     const struct patterns_visitor *visitor, struct patterns_stats *ret_stats)
{
	uint32_t locks = sequence->locks.count;
	struct search s = { .acquires = acquires,
			    .visitor = visitor,
			    .component = order->component,
			    .budget = budget,
			    .group = sequence->group };

	*ret_stats = (struct patterns_stats){ 0 };
	s.first = room_new((size_t)locks + 1, sizeof(*s.first));
	index_abstracts(&s, locks);
	for (uint32_t i = 0; i < acquires->abstract_count && s.budget; i++) {
		s.path[0] = i;
		extend(&s, 1);
	}
	ret_stats->spent = !s.budget;
	free(s.first);
	free(s.under);
}
