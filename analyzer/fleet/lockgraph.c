/* SPDX-License-Identifier: MIT */
/*
 * lockgraph.c - the tables of a lockgraph, and how two records of one id become one. Knows no files and no traces.
 *
 * Every operation here must be associative, commutative and idempotent; tests/unit/test_lockgraph.c merges random parts in random
 * orders. Of texts that differ (a host without debug symbols) the better one stays by a total order.
 */
#include "lockgraph.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <stdlib.h>
#include <string.h>

struct table {
	struct lockgraph_record **slot; /* owned; open addressing by id; NULL = free */
	size_t slots, count;
	const void **list; /* owned; sorted; NULL = to be made */
};

struct lockgraph {
	struct finding_list *memory;
	struct table table[LOCKGRAPH_TABLES];
	struct lockgraph_set runs;
	const char **text; /* owned; open addressing, of copies */
	size_t text_slots, text_count;
};

static const size_t record_bytes[LOCKGRAPH_TABLES] = {
	[LOCKGRAPH_PROGRAMS] = sizeof(struct lockgraph_program),
	[LOCKGRAPH_ROLES] = sizeof(struct lockgraph_role),
	[LOCKGRAPH_LOCKS] = sizeof(struct lockgraph_lock),
	[LOCKGRAPH_EDGES] = sizeof(struct lockgraph_edge),
	[LOCKGRAPH_STACKS] = sizeof(struct lockgraph_stack),
};

static void *must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

struct lockgraph *lockgraph_new(void)
{
	struct lockgraph *g = must(calloc(1, sizeof(*g)));

	g->memory = finding_list_new();
	return g;
}

void lockgraph_free(struct lockgraph *g)
{
	if (!g)
		return;
	for (int t = 0; t < LOCKGRAPH_TABLES; t++) {
		free(g->table[t].slot);
		free(g->table[t].list);
	}
	free(g->text);
	finding_list_free(g->memory);
	free(g);
}

struct finding_list *lockgraph_memory(struct lockgraph *g)
{
	return g->memory;
}

/* ---- hashes and texts ---- */

uint64_t lockgraph_hash_text(uint64_t seed, const char *text)
{
	uint64_t hash = text ? XXH3_64bits_withSeed(text, strlen(text) + 1, seed)
			     : XXH3_64bits_withSeed("", 0, seed);

	return hash ? hash : 1;
}

uint64_t lockgraph_hash_id(uint64_t seed, uint64_t id)
{
	uint64_t hash = XXH3_64bits_withSeed(&id, sizeof(id), seed);

	return hash ? hash : 1;
}

static const char **find_text(const char **slot, size_t slots, const char *text)
{
	size_t at = lockgraph_hash_text(0, text) & (slots - 1);

	while (slot[at] && strcmp(slot[at], text) != 0)
		at = (at + 1) & (slots - 1);
	return &slot[at];
}

const char *lockgraph_text(struct lockgraph *g, const char *text)
{
	const char **found;

	if (!text)
		return NULL;
	if (2 * g->text_count >= g->text_slots) {
		size_t slots = g->text_slots ? 2 * g->text_slots : 256;
		const char **bigger = must(calloc(slots, sizeof(*bigger)));

		for (size_t i = 0; i < g->text_slots; i++)
			if (g->text[i])
				*find_text(bigger, slots, g->text[i]) = g->text[i];
		free(g->text);
		g->text = bigger;
		g->text_slots = slots;
	}
	found = find_text(g->text, g->text_slots, text);
	if (!*found) {
		*found = finding_list_printf(g->memory, "%s", text);
		g->text_count++;
	}
	return *found;
}

/* ---- sets ---- */

static size_t find_place(const struct lockgraph_set *set, uint64_t id)
{
	size_t low = 0, high = set->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (set->id[middle] < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool lockgraph_set_has(const struct lockgraph_set *set, uint64_t id)
{
	size_t at = find_place(set, id);

	return at < set->count && set->id[at] == id;
}

/* Sets are shared between records: a change makes a new one. */
static struct lockgraph_set set_new(struct lockgraph *g, size_t count)
{
	return (struct lockgraph_set){
		.id = finding_list_alloc(g->memory, (count + 1) * sizeof(uint64_t)),
	};
}

/* Most merges change nothing, and what they change is new memory. */
static bool adds_to(const struct lockgraph_set *a, const struct lockgraph_set *b, size_t most)
{
	for (size_t i = 0; i < b->count; i++)
		if (!lockgraph_set_has(a, b->id[i]) &&
		    (!most || a->count < most || b->id[i] < a->id[a->count - 1]))
			return true;
	return false;
}

static struct lockgraph_set unite(struct lockgraph *g, const struct lockgraph_set *a,
				  const struct lockgraph_set *b, size_t most)
{
	size_t i = 0, k = 0, limit = most ? most : a->count + b->count;
	struct lockgraph_set all;

	if (!adds_to(a, b, most))
		return *a;
	all = set_new(g, a->count + b->count);
	while ((i < a->count || k < b->count) && all.count < limit) {
		uint64_t id = k == b->count || (i < a->count && a->id[i] <= b->id[k]) ? a->id[i]
										      : b->id[k];

		i += i < a->count && a->id[i] == id;
		k += k < b->count && b->id[k] == id;
		all.id[all.count++] = id;
	}
	return all;
}

static struct lockgraph_set intersect(struct lockgraph *g, const struct lockgraph_set *a,
				      const struct lockgraph_set *b)
{
	struct lockgraph_set both;

	if (!adds_to(b, a, 0))
		return *a;
	both = set_new(g, a->count);
	for (size_t i = 0; i < a->count; i++)
		if (lockgraph_set_has(b, a->id[i]))
			both.id[both.count++] = a->id[i];
	return both;
}

void lockgraph_set_add(struct lockgraph *g, struct lockgraph_set *set, uint64_t id, size_t most)
{
	struct lockgraph_set one = { &id, 1 };

	*set = unite(g, set, &one, most);
}

bool lockgraph_sets_meet(const struct lockgraph_set *a, const struct lockgraph_set *b)
{
	for (size_t i = 0; i < a->count; i++)
		if (lockgraph_set_has(b, a->id[i]))
			return true;
	return false;
}

bool lockgraph_sets_equal(const struct lockgraph_set *a, const struct lockgraph_set *b)
{
	return a->count == b->count &&
	       (!a->count || !memcmp(a->id, b->id, a->count * sizeof(*a->id)));
}

/* The k smallest of n hashes that are spread evenly lie k / n of the way up. */
uint64_t lockgraph_estimate(const struct lockgraph_set *set, size_t kept)
{
	if (set->count < kept)
		return set->count;
	return (uint64_t)((double)(kept - 1) / ((double)set->id[kept - 1] / (double)UINT64_MAX));
}

/* ---- two records become one ---- */

static const char *lesser(const char *a, const char *b)
{
	if (!a || !b)
		return a ? a : b;
	return strcmp(a, b) <= 0 ? a : b;
}

static uint64_t least_known(uint64_t a, uint64_t b)
{
	return !a || (b && b < a) ? b : a;
}

static void join_programs(struct lockgraph *g, void *kept, const void *other)
{
	struct lockgraph_program *a = kept;
	const struct lockgraph_program *b = other;

	(void)g;
	a->command = lesser(a->command, b->command);
	a->build_id = lesser(a->build_id, b->build_id);
}

static void join_roles(struct lockgraph *g, void *kept, const void *other)
{
	struct lockgraph_role *a = kept;
	const struct lockgraph_role *b = other;

	a->is_main |= b->is_main;
	a->start = lesser(a->start, b->start);
	a->created = least_known(a->created, b->created);
	a->most = a->most > b->most ? a->most : b->most;
	a->barriers = unite(g, &a->barriers, &b->barriers, 0);
}

static void join_locks(struct lockgraph *g, void *kept, const void *other)
{
	struct lockgraph_lock *a = kept;
	const struct lockgraph_lock *b = other;

	(void)g;
	a->name = lesser(a->name, b->name);
	a->word = lesser(a->word, b->word);
	a->many |= b->many;
	a->is_signal |= b->is_signal;
	a->room = a->room > b->room ? a->room : b->room;
	a->first_seen = least_known(a->first_seen, b->first_seen);
}

static bool is_better_witness(const struct lockgraph_edge *a, const struct lockgraph_edge *b)
{
	if (a->witness != b->witness)
		return a->witness < b->witness;
	return a->hold != b->hold ? a->hold < b->hold : a->request < b->request;
}

static void join_edges(struct lockgraph *g, void *kept, const void *other)
{
	struct lockgraph_edge *a = kept;
	const struct lockgraph_edge *b = other;

	a->with = unite(g, &a->with, &b->with, 0);
	a->after_always = intersect(g, &a->after_always, &b->after_always);
	a->after_ever = unite(g, &a->after_ever, &b->after_ever, 0);
	if (b->rounds_least < a->rounds_least)
		a->rounds_least = b->rounds_least;
	if (b->rounds_most > a->rounds_most)
		a->rounds_most = b->rounds_most;
	a->runs = unite(g, &a->runs, &b->runs, LOCKGRAPH_RUNS_KEPT);
	if (is_better_witness(b, a)) {
		a->witness = b->witness;
		a->hold = b->hold;
		a->request = b->request;
	}
}

static int compare_texts(const char *a, const char *b)
{
	if (!a || !b)
		return (a == NULL) - (b == NULL);
	return strcmp(a, b);
}

/* < 0: `a` tells more. Inlined calls and lines are known only where debug symbols are. */
static int compare_frames(const struct frames *a, const struct frames *b)
{
	int order = (a->count < b->count) - (a->count > b->count);

	for (size_t i = 0; !order && i < a->count; i++) {
		const struct frame *x = &a->frame[i], *y = &b->frame[i];

		order = compare_texts(x->function, y->function);
		if (!order)
			order = compare_texts(x->file, y->file);
		if (!order)
			order = (x->line < y->line) - (x->line > y->line);
		if (!order)
			order = compare_texts(x->module, y->module);
		if (!order)
			order = compare_texts(x->build_id, y->build_id);
		if (!order)
			order = compare_texts(x->language, y->language);
		if (!order)
			order = (x->offset > y->offset) - (x->offset < y->offset);
		if (!order)
			order = (int)x->inlined - (int)y->inlined;
	}
	return order;
}

static void join_stacks(struct lockgraph *g, void *kept, const void *other)
{
	struct lockgraph_stack *a = kept;
	const struct lockgraph_stack *b = other;

	(void)g;
	if (compare_frames(&b->frames, &a->frames) < 0)
		a->frames = b->frames;
}

static void (*const joins[LOCKGRAPH_TABLES])(struct lockgraph *g, void *kept, const void *other) = {
	[LOCKGRAPH_PROGRAMS] = join_programs, [LOCKGRAPH_ROLES] = join_roles,
	[LOCKGRAPH_LOCKS] = join_locks,	      [LOCKGRAPH_EDGES] = join_edges,
	[LOCKGRAPH_STACKS] = join_stacks,
};

/* ---- tables ---- */

static struct lockgraph_record **find_slot(struct lockgraph_record **slot, size_t slots,
					   uint64_t id)
{
	size_t at = id & (slots - 1);

	while (slot[at] && slot[at]->id != id)
		at = (at + 1) & (slots - 1);
	return &slot[at];
}

static void grow_table(struct table *t)
{
	size_t slots = t->slots ? 2 * t->slots : 64;
	struct lockgraph_record **bigger = must(calloc(slots, sizeof(struct lockgraph_record *)));

	for (size_t i = 0; i < t->slots; i++)
		if (t->slot[i])
			*find_slot(bigger, slots, t->slot[i]->id) = t->slot[i];
	free(t->slot);
	t->slot = bigger;
	t->slots = slots;
}

void lockgraph_add(struct lockgraph *g, enum lockgraph_table table, const void *record)
{
	const struct lockgraph_record *head = record;
	struct table *t = &g->table[table];
	struct lockgraph_record **slot;

	if (2 * t->count >= t->slots)
		grow_table(t);
	slot = find_slot(t->slot, t->slots, head->id);
	if (*slot) {
		joins[table](g, *slot, record);
		return;
	}
	*slot = finding_list_alloc(g->memory, record_bytes[table]);
	memcpy(*slot, record, record_bytes[table]);
	t->count++;
	free(t->list);
	t->list = NULL;
}

/* In place: of thousands of runs, one comes after the other. */
void lockgraph_add_run(struct lockgraph *g, uint64_t run)
{
	struct lockgraph_set *runs = &g->runs;
	size_t at = find_place(runs, run);

	if (lockgraph_set_has(runs, run) || at == LOCKGRAPH_RUNS_ALL)
		return;
	if (!runs->id)
		runs->id =
			finding_list_alloc(g->memory, (LOCKGRAPH_RUNS_ALL + 1) * sizeof(*runs->id));
	memmove(&runs->id[at + 1], &runs->id[at], (runs->count - at) * sizeof(*runs->id));
	runs->id[at] = run;
	runs->count += runs->count < LOCKGRAPH_RUNS_ALL;
}

const void *lockgraph_find(const struct lockgraph *g, enum lockgraph_table table, uint64_t id)
{
	const struct table *t = &g->table[table];

	return id && t->slots ? *find_slot(t->slot, t->slots, id) : NULL;
}

static int compare_records(const void *left, const void *right)
{
	const struct lockgraph_record *a = *(const void *const *)left,
				      *b = *(const void *const *)right;

	return (a->id > b->id) - (a->id < b->id);
}

const void *const *lockgraph_list(struct lockgraph *g, enum lockgraph_table table,
				  size_t *ret_count)
{
	struct table *t = &g->table[table];
	size_t count = 0;

	if (!t->list) {
		t->list = must(calloc(t->count + 1, sizeof(*t->list)));
		for (size_t i = 0; i < t->slots; i++)
			if (t->slot[i])
				t->list[count++] = t->slot[i];
		qsort(t->list, count, sizeof(*t->list), compare_records);
	}
	*ret_count = t->count;
	return t->list;
}

const struct lockgraph_set *lockgraph_get_runs(const struct lockgraph *g)
{
	return &g->runs;
}
