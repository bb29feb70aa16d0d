/* SPDX-License-Identifier: MIT */
/*
 * lockgraph_findings.c - a ring of locks of many runs in words: as lock_order says it of one run, and which runs show which part.
 */
#include "lockgraph_judge.h"

#include "../lock_graph.h"

#include <inttypes.h>

/* A finding under way; parts get their numbers as they come. */
struct words {
	struct lockgraph *g;
	struct finding_list *list;
	struct finding *f;
	uint64_t lock[2 * LOCKGRAPH_LONGEST_RING + 64];
	uint32_t lock_count;
};

static struct frames frames_of(const struct lockgraph *g, uint64_t id)
{
	const struct lockgraph_stack *stack = lockgraph_find(g, LOCKGRAPH_STACKS, id);

	return stack ? stack->frames : (struct frames){ 0 };
}

/* Its number in the finding; 0 = no room, or nothing known of it. */
static uint32_t add_lock(struct words *w, uint64_t id)
{
	const struct lockgraph_lock *lock = lockgraph_find(w->g, LOCKGRAPH_LOCKS, id);
	struct finding_lock *shown;
	uint32_t number = 0;

	while (number < w->lock_count && w->lock[number] != id)
		number++;
	if (number < w->lock_count || !lock || number == sizeof(w->lock) / sizeof(w->lock[0]))
		return number < w->lock_count ? number + 1 : 0;
	w->lock[w->lock_count++] = id;
	shown = finding_add_lock(w->list, w->f, number + 1);
	shown->object = 0;
	shown->kind = lock->kind;
	shown->name = lock->name;
	shown->word = lock->word;
	shown->first_seen = frames_of(w->g, lock->first_seen);
	return number + 1;
}

static const char *role_label(struct words *w, const struct lockgraph_role *role)
{
	if (role->is_main)
		return "main thread";
	if (role->start)
		return finding_list_printf(w->list, "a thread that runs %s", role->start);
	return "a thread";
}

static uint32_t add_thread(struct words *w, uint32_t part, uint64_t id)
{
	const struct lockgraph_role *role = lockgraph_find(w->g, LOCKGRAPH_ROLES, id);
	struct finding_thread *shown = finding_add_thread(w->list, w->f, part + 1);

	shown->label = role_label(w, role);
	shown->start_function = role->start;
	shown->created_at = frames_of(w->g, role->created);
	return part + 1;
}

static const char *runs_words(struct words *w, const struct lockgraph_edge *e)
{
	const struct lockgraph_set *all = lockgraph_get_runs(w->g);
	uint64_t runs = lockgraph_estimate(&e->runs, LOCKGRAPH_RUNS_KEPT);
	uint64_t of = lockgraph_estimate(all, LOCKGRAPH_RUNS_ALL);

	return finding_list_printf(w->list, "in %s%" PRIu64 " of %" PRIu64 " run%s",
				   e->runs.count < LOCKGRAPH_RUNS_KEPT ? "" : "about ",
				   runs < of ? runs : of, of, of == 1 ? "" : "s");
}

static const char *mode_words(const struct lockgraph_edge *e)
{
	if (e->flags & LOCK_REACQUIRE)
		return "taken back at the end of the condition wait";
	if (e->flags & LOCK_BOUNDED)
		return "with a timeout";
	return e->flags & LOCK_WANT_SHARED ? "for reading" : NULL;
}

/* Locks held beside the two, each once. */
static void add_held(struct words *w, struct finding_stack *stack, const struct lockgraph_edge *e)
{
	size_t count = 0, most = e->gates.count + e->shared.count;
	uint32_t *held = finding_list_alloc(w->list, (most + 1) * sizeof(*held));

	for (size_t i = 0; i < most; i++) {
		uint32_t lock = add_lock(w, i < e->gates.count ? e->gates.id[i]
							       : e->shared.id[i - e->gates.count]);

		if (lock)
			held[count++] = lock;
	}
	stack->held = held;
	stack->held_count = count;
}

static void add_part(struct words *w, uint32_t part, const struct lockgraph_edge *e)
{
	uint32_t held = add_lock(w, e->from), wanted = add_lock(w, e->to);
	struct finding_stack *stack;
	const char *mode = mode_words(e);

	stack = finding_add_stack(w->list, w->f, ROLE_HOLDS, part + 1, held, 0);
	stack->frames = frames_of(w->g, e->hold);
	stack->note = runs_words(w, e);
	if (e->flags & LOCK_HELD_SHARED)
		stack->note = finding_list_printf(w->list, "acquired for reading, %s", stack->note);
	stack = finding_add_stack(w->list, w->f, ROLE_ACQUIRES, part + 1, wanted, 0);
	stack->frames = frames_of(w->g, e->request);
	stack->note = mode;
	add_held(w, stack, e);
}

static const char *part_words(struct words *w, const struct lockgraph_ring *ring, uint32_t part)
{
	const struct lockgraph_edge *e = ring->edge[part];
	const char *mode = mode_words(e);

	return finding_list_printf(
		w->list, "{thread:%u} takes {lock:%u}%s, then {lock:%u}%s%s%s", part + 1,
		add_lock(w, e->from), e->flags & LOCK_HELD_SHARED ? " for reading" : "",
		add_lock(w, e->to), mode ? " (" : "", mode ? mode : "", mode ? ")" : "");
}

/* All kept runs of all parts are there: then it is known which runs show all. */
static bool is_exact(const struct lockgraph_ring *ring)
{
	for (uint32_t i = 0; i < ring->count; i++)
		if (ring->edge[i]->runs.count >= LOCKGRAPH_RUNS_KEPT)
			return false;
	return true;
}

static bool has_common_run(const struct lockgraph_ring *ring)
{
	const struct lockgraph_set *runs = &ring->edge[0]->runs;

	for (size_t i = 0; i < runs->count; i++) {
		bool common = true;

		for (uint32_t k = 1; k < ring->count && common; k++)
			common = lockgraph_set_has(&ring->edge[k]->runs, runs->id[i]);
		if (common)
			return true;
	}
	return false;
}

static const char *hint_words(const struct lockgraph *g, const struct lockgraph_ring *ring)
{
	for (uint32_t i = 0; i < ring->count; i++) {
		const struct lockgraph_lock *lock =
			lockgraph_find(g, LOCKGRAPH_LOCKS, ring->edge[i]->to);

		if (lock->identity == LOCKGRAPH_SITE)
			return " Only a hint: across runs, one of the locks is known by nothing but where it was made.";
	}
	for (uint32_t i = 0; i < ring->count; i++) {
		if (ring->edge[i]->flags & LOCK_BOUNDED)
			return " Only a hint: one of the waits gives up after its timeout.";
		if (ring->edge[i]->flags & LOCK_UNCERTAIN)
			return " Only a hint: not all locks that were held are known.";
	}
	return " Only a hint: a lock or barrier that both sides use may keep them apart.";
}

static const char *title_of(struct words *w, const struct lockgraph_ring *ring)
{
	const char *text = part_words(w, ring, 0);

	if (ring->count == 2)
		return finding_list_printf(w->list, "%s; {thread:2} takes them the other way round",
					   text);
	for (uint32_t i = 1; i < ring->count && i < 4; i++)
		text = finding_list_printf(w->list, "%s; %s", text, part_words(w, ring, i));
	return ring->count <= 4
		       ? text
		       : finding_list_printf(w->list,
					     "%u locks are taken in a circle by %u threads",
					     ring->count, ring->count);
}

static const char *message_of(struct words *w, const struct lockgraph_ring *ring)
{
	const char *text = "";

	for (uint32_t i = 0; i < ring->count; i++)
		text = finding_list_printf(w->list, "%s%s (%s). ", text, part_words(w, ring, i),
					   runs_words(w, ring->edge[i]));
	if (!has_common_run(ring) && is_exact(ring))
		text = finding_list_printf(w->list, "%sNo single run shows all of it. ", text);
	return finding_list_printf(
		w->list,
		"%sWhen this happens in one run at the same time, each waits for the next for ever; nothing in the traces rules it "
		"out.%s Take the locks in one order everywhere.",
		text, ring->is_hint ? hint_words(w->g, ring) : "");
}

void lockgraph_report(struct lockgraph *g, const struct lockgraph_ring *ring,
		      struct finding_list *findings, size_t process)
{
	struct words w = {
		.g = g,
		.list = findings,
		.f = finding_begin(findings, RULE_LOCK_ORDER_INVERSION,
				   ring->is_hint ? CONFIDENCE_HINT : CONFIDENCE_POTENTIAL, process)
	};
	uint64_t least = UINT64_MAX;

	for (uint32_t i = 0; i < ring->count; i++) {
		uint64_t runs = lockgraph_estimate(&ring->edge[i]->runs, LOCKGRAPH_RUNS_KEPT);

		add_thread(&w, i, ring->edge[i]->role);
		add_lock(&w, ring->edge[i]->from);
		least = runs < least ? runs : least;
	}
	for (uint32_t i = 0; i < ring->count; i++)
		add_part(&w, i, ring->edge[i]);
	w.f->count = least ? least : 1;
	w.f->title = title_of(&w, ring);
	w.f->message = message_of(&w, ring);
	finding_commit(findings, w.f);
}
