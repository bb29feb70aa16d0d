/* SPDX-License-Identifier: MIT */
/*
 * lockgraph_judge.c - rings of locks over many runs: which of them could be a deadlock of one.
 *
 * As in lock_order_solve.c, with what the records have of it:
 *
 *   locks     all are one lock of a process in each run: static, or of a name or creation site that no run had twice
 *   threads   no role plays more parts than it ever had threads; roles that were seen to run at the same time
 *   modes     each request conflicts with the next one's hold
 *   gates     no lock that one of two holds exclusively is held by the other
 *   order     not where one role's threads are over before the other's edge, always; nor where a barrier that all of both roles pass
 *             lies between
 *
 * What cannot be told across runs weakens a ring to a hint: a lock that is known by its creation site alone, a timeout, missing records,
 * a gate of which there may be several.
 */
#include "lockgraph_judge.h"

#include "../cycle.h"
#include "../lock_graph.h"
#include "../pair_set.h"

#include <stdlib.h>
#include <string.h>

#define SEARCH_BUDGET UINT64_C(20000000)
#define RING_BUDGET 20000u   /* choices tried for one ring */
#define RINGS_REPORTED 1000u /* findings; equal ones become one */

/* The edges between two locks. */
struct group {
	uint64_t from, to;
	const struct lockgraph_edge *const *edge;
	size_t count;
};

struct judge {
	struct lockgraph *g;
	struct finding_list *findings;
	size_t process;
	const struct lockgraph_edge **edge; /* owned; usable ones by (from, to) */
	struct group *group;		    /* owned; an edge of the search graph each */
	uint32_t group_count;
	uint64_t ruled_out;
	uint32_t reported;
	struct pair_set seen; /* hashes of rings that were judged, halved */
	/* of the ring at hand */
	const uint32_t *path;
	struct lockgraph_ring ring;
	bool weak_too;
	uint32_t work;
};

static void *must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

/* ---- two edges ---- */

static bool is_one(const struct lockgraph_lock *l)
{
	return l && !l->many && !l->is_signal;
}

static bool is_certain(const struct lockgraph_lock *l)
{
	return is_one(l) && l->identity != LOCKGRAPH_SITE;
}

/* A lock that both hold, one of them exclusively. Of a lock that is one of several it may be another one. */
static enum lockgraph_fit fit_gates(const struct lockgraph *g, const struct lockgraph_edge *x,
				    const struct lockgraph_edge *y)
{
	enum lockgraph_fit fit = LOCKGRAPH_FITS;

	for (size_t i = 0; i < x->gates.count; i++) {
		uint64_t gate = x->gates.id[i];

		if (!lockgraph_set_has(&y->gates, gate) && !lockgraph_set_has(&y->shared, gate))
			continue;
		if (is_one(lockgraph_find(g, LOCKGRAPH_LOCKS, gate)))
			return LOCKGRAPH_NEVER;
		fit = LOCKGRAPH_WEAK;
	}
	return fit;
}

/* Threads of y's role were always over before x's edge, and y's edge only ever came before any was. */
static bool is_over_before(const struct lockgraph_edge *y, const struct lockgraph_edge *x)
{
	return lockgraph_set_has(&x->after_always, y->role) &&
	       !lockgraph_set_has(&y->after_ever, y->role);
}

static enum lockgraph_fit fit_rounds(const struct lockgraph *g, const struct lockgraph_edge *x,
				     const struct lockgraph_edge *y)
{
	const struct lockgraph_role *p = lockgraph_find(g, LOCKGRAPH_ROLES, x->role);
	const struct lockgraph_role *q = lockgraph_find(g, LOCKGRAPH_ROLES, y->role);

	if (x->rounds_least <= y->rounds_most && y->rounds_least <= x->rounds_most)
		return LOCKGRAPH_FITS;
	if (!lockgraph_sets_meet(&p->barriers, &q->barriers))
		return LOCKGRAPH_FITS;
	return lockgraph_sets_equal(&p->barriers, &q->barriers) ? LOCKGRAPH_NEVER : LOCKGRAPH_WEAK;
}

static enum lockgraph_fit lesser_fit(enum lockgraph_fit a, enum lockgraph_fit b)
{
	return a < b ? a : b;
}

enum lockgraph_fit lockgraph_fit(const struct lockgraph *g, const struct lockgraph_edge *x,
				 const struct lockgraph_edge *y)
{
	enum lockgraph_fit fit = LOCKGRAPH_FITS;

	if (!lockgraph_set_has(&x->with, y->role) || !lockgraph_set_has(&y->with, x->role) ||
	    is_over_before(x, y) || is_over_before(y, x))
		return LOCKGRAPH_NEVER;
	fit = lesser_fit(fit, fit_gates(g, x, y));
	fit = lesser_fit(fit, fit_gates(g, y, x));
	return lesser_fit(fit, fit_rounds(g, x, y));
}

/* ---- one ring ---- */

static bool conflicts(const struct lockgraph_edge *waiter, const struct lockgraph_edge *holder)
{
	return !(waiter->flags & LOCK_WANT_SHARED) || !(holder->flags & LOCK_HELD_SHARED);
}

static bool is_weak(const struct lockgraph_edge *e)
{
	return e->flags & (LOCK_BOUNDED | LOCK_UNCERTAIN);
}

/* Threads that play this role so far, the newest with them. */
static bool has_threads(const struct judge *j, uint32_t depth)
{
	const struct lockgraph_role *role =
		lockgraph_find(j->g, LOCKGRAPH_ROLES, j->ring.edge[depth]->role);
	uint64_t parts = 0;

	for (uint32_t i = 0; i <= depth; i++)
		parts += j->ring.edge[i]->role == role->record.id;
	return parts <= role->most;
}

static bool part_fits(struct judge *j, uint32_t depth)
{
	const struct lockgraph_edge *mine = j->ring.edge[depth];

	if (!has_threads(j, depth) || (!j->weak_too && is_weak(mine)))
		return false;
	for (uint32_t i = 0; i < depth; i++) {
		enum lockgraph_fit fit = lockgraph_fit(j->g, j->ring.edge[i], mine);

		j->work++;
		if (fit == LOCKGRAPH_NEVER || (fit == LOCKGRAPH_WEAK && !j->weak_too))
			return false;
	}
	if (depth > 0 && !conflicts(j->ring.edge[depth - 1], mine))
		return false;
	return depth + 1 < j->ring.count || conflicts(mine, j->ring.edge[0]);
}

/* A counting semaphore lets only so many in at the same time. */
static bool has_room(const struct judge *j)
{
	for (uint32_t i = 0; i < j->ring.count; i++) {
		const struct lockgraph_set *shared = &j->ring.edge[i]->shared;

		for (size_t k = 0; k < shared->count; k++) {
			const struct lockgraph_lock *l =
				lockgraph_find(j->g, LOCKGRAPH_LOCKS, shared->id[k]);
			uint64_t inside = 0;

			for (uint32_t n = 0; l && l->room && n < j->ring.count; n++)
				inside += lockgraph_set_has(&j->ring.edge[n]->shared, l->record.id);
			if (l && l->room && inside > l->room)
				return false;
		}
	}
	return true;
}

static bool choose(struct judge *j, uint32_t depth)
{
	const struct group *group;

	if (depth == j->ring.count)
		return has_room(j);
	group = &j->group[j->path[depth]];
	for (size_t i = 0; i < group->count && j->work < RING_BUDGET; i++) {
		j->ring.edge[depth] = group->edge[i];
		j->work++;
		if (part_fits(j, depth) && choose(j, depth + 1))
			return true;
	}
	return false;
}

static bool solve(struct judge *j, bool weak_too)
{
	j->weak_too = weak_too;
	j->work = 0;
	return choose(j, 0);
}

static bool has_uncertain_lock(const struct judge *j)
{
	for (uint32_t i = 0; i < j->ring.count; i++)
		if (!is_certain(lockgraph_find(j->g, LOCKGRAPH_LOCKS, j->ring.edge[i]->to)))
			return true;
	return false;
}

/* ---- search ---- */

static int compare_u64(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

/* The same ring comes again, rotated. */
static bool first_time(struct judge *j, const uint32_t *path, uint32_t count)
{
	uint64_t hash = count;
	uint32_t high, low;

	for (uint32_t i = 0; i < count; i++)
		hash += lockgraph_hash_id(7, path[i]);
	high = (uint32_t)(hash >> 32) | 1;
	low = (uint32_t)hash | 1;
	if (pair_set_has(&j->seen, high, low))
		return false;
	pair_set_add(&j->seen, high, low);
	return true;
}

static bool closes(void *cookie, const uint32_t *path, uint32_t count)
{
	struct judge *j = cookie;
	bool counts;

	if (count > LOCKGRAPH_LONGEST_RING || j->reported >= RINGS_REPORTED ||
	    !first_time(j, path, count))
		return false;
	j->path = path;
	j->ring.count = count;
	counts = solve(j, false);
	j->ring.is_hint = !counts || has_uncertain_lock(j);
	if (!counts && !solve(j, true)) {
		j->ruled_out++;
		return false;
	}
	j->reported++;
	lockgraph_report(j->g, &j->ring, j->findings, j->process);
	return true;
}

/* Cheap: is there a pair of edges that fits? */
static bool extends(void *cookie, const uint32_t *path, uint32_t count)
{
	struct judge *j = cookie;
	const struct group *last = &j->group[path[count - 1]];

	for (uint32_t i = 0; i + 1 < count; i++) {
		const struct group *group = &j->group[path[i]];
		bool fits = false;

		for (size_t k = 0; k < group->count && !fits; k++)
			for (size_t n = 0; n < last->count && !fits; n++)
				fits = lockgraph_fit(j->g, group->edge[k], last->edge[n]);
		if (!fits)
			return false;
	}
	return true;
}

static bool enters(void *cookie, const uint32_t *edge, uint32_t count)
{
	(void)cookie;
	(void)edge;
	(void)count;
	return true;
}

/* ---- the graph ---- */

/* Parts of a set that came alone have edges without the rest; what a later version writes may be between programs. */
static bool is_usable(const struct judge *j, const struct lockgraph_edge *e)
{
	return e->from != e->to && is_one(lockgraph_find(j->g, LOCKGRAPH_LOCKS, e->from)) &&
	       is_one(lockgraph_find(j->g, LOCKGRAPH_LOCKS, e->to)) &&
	       lockgraph_find(j->g, LOCKGRAPH_ROLES, e->role);
}

static int compare_edges(const void *left, const void *right)
{
	const struct lockgraph_edge *a = *(const struct lockgraph_edge *const *)left,
				    *b = *(const struct lockgraph_edge *const *)right;

	if (a->from != b->from)
		return a->from < b->from ? -1 : 1;
	if (a->to != b->to)
		return a->to < b->to ? -1 : 1;
	return (a->record.id > b->record.id) - (a->record.id < b->record.id);
}

static void make_groups(struct judge *j)
{
	size_t all, count = 0;
	const void *const *record = lockgraph_list(j->g, LOCKGRAPH_EDGES, &all);

	j->edge = must(calloc(all + 1, sizeof(*j->edge)));
	for (size_t i = 0; i < all; i++)
		if (is_usable(j, record[i]))
			j->edge[count++] = record[i];
	qsort(j->edge, count, sizeof(*j->edge), compare_edges);
	j->group = must(calloc(count + 1, sizeof(*j->group)));
	for (size_t i = 0; i < count; i++) {
		struct group *last = j->group_count ? &j->group[j->group_count - 1] : NULL;

		if (last && last->from == j->edge[i]->from && last->to == j->edge[i]->to)
			last->count++;
		else
			j->group[j->group_count++] =
				(struct group){ j->edge[i]->from, j->edge[i]->to, &j->edge[i], 1 };
	}
}

static uint32_t node_of(const uint64_t *lock, uint32_t count, uint64_t id)
{
	const uint64_t *found = bsearch(&id, lock, count, sizeof(id), compare_u64);

	return (uint32_t)(found - lock);
}

static void search(struct judge *j)
{
	struct cycle_visitor visitor = { j, enters, extends, closes };
	uint64_t *lock = must(calloc(2 * (size_t)j->group_count + 1, sizeof(*lock)));
	uint32_t *from = must(calloc((size_t)j->group_count + 1, sizeof(*from)));
	uint32_t *to = must(calloc((size_t)j->group_count + 1, sizeof(*to)));
	uint32_t nodes = 0;

	for (uint32_t i = 0; i < j->group_count; i++) {
		lock[2 * i] = j->group[i].from;
		lock[2 * i + 1] = j->group[i].to;
	}
	qsort(lock, 2 * (size_t)j->group_count, sizeof(*lock), compare_u64);
	for (uint32_t i = 0; i < 2 * j->group_count; i++)
		if (!nodes || lock[nodes - 1] != lock[i])
			lock[nodes++] = lock[i];
	for (uint32_t i = 0; i < j->group_count; i++) {
		from[i] = node_of(lock, nodes, j->group[i].from);
		to[i] = node_of(lock, nodes, j->group[i].to);
	}
	j->ruled_out += cycle_search(&(struct cycle_graph){ nodes, j->group_count, from, to },
				     &visitor, SEARCH_BUDGET);
	free(lock);
	free(from);
	free(to);
}

uint64_t lockgraph_findings(struct lockgraph *g, struct finding_list *findings, size_t process)
{
	struct judge j = { .g = g, .findings = findings, .process = process };

	make_groups(&j);
	search(&j);
	free(j.edge);
	free(j.group);
	pair_set_release(&j.seen);
	return j.ruled_out;
}
