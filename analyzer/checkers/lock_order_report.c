/* SPDX-License-Identifier: MIT */
/*
 * lock_order_report.c - lock-order findings in words: per edge where the first lock was taken and
 * where the second.
 *
 * Many instances of one piece of code (10,000 node locks) give many cycles with the same stacks:
 * the first few become findings, the rest only count.
 */
#include "lock_order.h"

#include <stdlib.h>
#include <string.h>

#define INSTANCES_PER_CODE 4u /* findings with the same stacks */
#define EDGES_IN_TITLE 4u
#define EDGES_IN_MESSAGE 8u

struct code {
	uint64_t hash; /* 0 = free */
	uint32_t instances;
	struct finding *first;
};

struct lock_report {
	struct lock_order *order;
	struct analysis *a;
	struct code *code; /* owned; open addressing */
	uint32_t code_mask, code_count;
	struct finding **pending; /* owned array; findings belong to the list */
	uint32_t pending_count, pending_capacity;
};

static void *checked(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

struct lock_report *lock_report_new(struct lock_order *order, struct analysis *a)
{
	struct lock_report *r = checked(calloc(1, sizeof(*r)));

	r->order = order;
	r->a = a;
	r->code_mask = 255;
	r->code = checked(calloc(256, sizeof(*r->code)));
	return r;
}

void lock_report_free(struct lock_report *r)
{
	for (uint32_t i = 0; i < r->pending_count; i++)
		analysis_commit(r->a, r->pending[i]);
	free(r->pending);
	free(r->code);
	free(r);
}

static void keep(struct lock_report *r, struct finding *f)
{
	if (r->pending_count == r->pending_capacity) {
		r->pending_capacity = r->pending_capacity ? r->pending_capacity * 2 : 16;
		r->pending =
			checked(realloc(r->pending, r->pending_capacity * sizeof(*r->pending)));
	}
	r->pending[r->pending_count++] = f;
}

/* ---- instances of the same code ---- */

static struct code *find_code(struct code *table, uint32_t mask, uint64_t hash)
{
	uint64_t at = hash >> 9;

	while (table[at & mask].hash && table[at & mask].hash != hash)
		at++;
	return &table[at & mask];
}

static struct code *lookup_or_add_code(struct lock_report *r, uint64_t hash)
{
	struct code *c;

	if (r->code_count * 2 > r->code_mask) {
		uint32_t size = r->code_mask + 1;
		struct code *bigger = checked(calloc((size_t)size * 2, sizeof(*bigger)));

		for (uint32_t i = 0; i < size; i++)
			if (r->code[i].hash)
				*find_code(bigger, size * 2 - 1, r->code[i].hash) = r->code[i];
		free(r->code);
		r->code = bigger;
		r->code_mask = size * 2 - 1;
	}
	c = find_code(r->code, r->code_mask, hash);
	if (!c->hash) {
		c->hash = hash;
		r->code_count++;
	}
	return c;
}

static uint64_t hash_code(const struct lock_report *r, const struct lock_cycle *cycle)
{
	uint64_t hash = cycle->count + ((uint64_t)cycle->weakness << 32);

	for (uint32_t i = 0; i < cycle->count; i++) {
		const struct lock_context *c = &r->order->graph->context[cycle->choice[i].context];
		uint64_t x = ((uint64_t)c->hold_stack << 32 | c->request_stack) *
			     UINT64_C(0x9e3779b97f4a7c15);

		hash += (x ^ (x >> 29)) * UINT64_C(0xbf58476d1ce4e5b9);
	}
	return hash | 1;
}

/* How often the whole can have been met: as often as its rarest part. */
static uint64_t count_of(const struct lock_report *r, const struct lock_cycle *cycle)
{
	uint64_t least = UINT64_MAX;

	for (uint32_t i = 0; i < cycle->count; i++) {
		uint64_t n = r->order->graph->context[cycle->choice[i].context].count;

		if (n < least)
			least = n;
	}
	return least ? least : 1;
}

/* ---- words ---- */

static uint32_t held_object(const struct lock_graph *g, uint32_t context)
{
	return g->edge[g->context[context].edge].from;
}

static uint32_t wanted_object(const struct lock_graph *g, uint32_t context)
{
	return g->edge[g->context[context].edge].to;
}

static const char *mode_words(const struct lock_context *c)
{
	if (c->flags & LOCK_REACQUIRE)
		return " (taken back at the end of a condition wait)";
	if (c->flags & LOCK_BOUNDED)
		return " (with a timeout)";
	if (c->flags & LOCK_WANT_SHARED)
		return " (for reading)";
	return "";
}

static const char *edge_words(struct lock_report *r, const struct lock_choice *choice)
{
	const struct lock_graph *g = r->order->graph;
	const struct lock_context *c = &g->context[choice->context];

	return analysis_printf(r->a, "{thread:%u} takes {lock:%u}%s, then {lock:%u}%s",
			       choice->use.thread, held_object(g, choice->context),
			       c->flags & LOCK_HELD_SHARED ? " for reading" : "",
			       wanted_object(g, choice->context), mode_words(c));
}

static const char *title_of(struct lock_report *r, const struct lock_cycle *cycle)
{
	const char *text;

	if (cycle->count > EDGES_IN_TITLE)
		return analysis_printf(r->a, "%u locks are taken in a circle by %u threads",
				       cycle->count, cycle->count);
	text = edge_words(r, &cycle->choice[0]);
	if (cycle->count == 2)
		return analysis_printf(r->a, "%s; {thread:%u} takes them the other way round", text,
				       cycle->choice[1].use.thread);
	for (uint32_t i = 1; i < cycle->count; i++)
		text = analysis_printf(r->a, "%s; %s", text, edge_words(r, &cycle->choice[i]));
	return text;
}

static bool has_semaphore(const struct lock_report *r, const struct lock_cycle *cycle)
{
	for (uint32_t i = 0; i < cycle->count; i++) {
		const struct model_object *o = model_get_object(
			r->a->model, wanted_object(r->order->graph, cycle->choice[i].context));

		/* Python's Lock is one by its name already. */
		if (o->kind == TRACE_OBJECT_SEM &&
		    (o->attributes >> TF_LIBRARY_SHIFT & TF_LIBRARY_MASK) != TF_LIBRARY_PYTHON)
			return true;
	}
	return false;
}

static const char *weakness_words(uint32_t weakness)
{
	if (weakness & WEAK_BOUNDED)
		return " Only a hint: one of the waits gives up after its timeout.";
	if (weakness & WEAK_PRIVATE)
		return " Only a hint: a held lock was brand new and no other thread could reach it yet.";
	if (weakness & WEAK_UNCERTAIN)
		return " Only a hint: records of one of the threads are missing, so a common lock may be unknown.";
	if (weakness & WEAK_MIXED_READ)
		return " Only a hint: it takes one more thread that waits to write.";
	return "";
}

static const char *message_of(struct lock_report *r, const struct lock_cycle *cycle)
{
	const char *text = "";

	for (uint32_t i = 0; i < cycle->count && i < EDGES_IN_MESSAGE; i++)
		text = analysis_printf(r->a, "%s%s. ", text, edge_words(r, &cycle->choice[i]));
	if (cycle->count > EDGES_IN_MESSAGE)
		text = analysis_printf(r->a, "%s(and %u more.) ", text,
				       cycle->count - EDGES_IN_MESSAGE);
	return analysis_printf(
		r->a,
		"%sWhen this happens at the same time, each waits for the next for ever; nothing in the "
		"trace rules it out.%s%s%s Take the locks in one order everywhere.",
		text,
		cycle->behind_writer
			? " A reader has to wait as soon as a writer waits for the same lock."
			: "",
		has_semaphore(r, cycle)
			? " A semaphore is used as a lock here: whoever takes it posts it."
			: "",
		weakness_words(cycle->weakness));
}

/* ---- findings ---- */

/*
 * HOLDS: where the first lock was taken. ACQUIRES: where the second was wanted, with what was held
 * there.
 */
static void add_edge_stacks(struct lock_report *r, struct finding *f, const struct lock_graph *g,
			    const struct lock_choice *choice, uint32_t held, uint32_t wanted)
{
	const struct lock_context *c = &g->context[choice->context];
	struct finding_stack *stack;
	uint32_t count, *object;
	const uint32_t *element = model_get_set(r->a->model, c->set, &count);

	object = checked(malloc((count + 1) * sizeof(*object)));
	for (uint32_t i = 0; i < count; i++)
		object[i] = MODEL_SET_OBJECT(element[i]);
	stack = analysis_add_stack(r->a, f, ROLE_HOLDS, choice->use.thread, held, c->hold_stack,
				   c->hold_ns, NULL, 0);
	if (c->flags & LOCK_HELD_SHARED)
		stack->note = "acquired for reading";
	stack = analysis_add_stack(r->a, f, ROLE_ACQUIRES, choice->use.thread, wanted,
				   c->request_stack, c->request_ns, object, count);
	if (c->flags & LOCK_REACQUIRE)
		stack->note = "taken back at the end of the condition wait";
	else if (c->flags & LOCK_BOUNDED)
		stack->note = "with a timeout";
	else if (c->flags & LOCK_WANT_SHARED)
		stack->note = "for reading";
	free(object);
}

/* Of several processes: this is a matter of one, which was looked at alone before. */
static bool is_told(const struct lock_report *r, uint32_t one, uint32_t other)
{
	const struct run_processes *run = r->a->run;

	return run && run_process_of_thread(run, one) == run_process_of_thread(run, other);
}

static bool is_cycle_told(const struct lock_report *r, const struct lock_cycle *cycle)
{
	for (uint32_t i = 1; i < cycle->count; i++)
		if (!is_told(r, cycle->choice[0].use.thread, cycle->choice[i].use.thread))
			return false;
	return r->a->run;
}

void lock_report_cycle(struct lock_report *r, const struct lock_cycle *cycle)
{
	const struct lock_graph *g = r->order->graph;
	struct code *code;
	struct finding *f;

	if (is_cycle_told(r, cycle))
		return;
	code = lookup_or_add_code(r, hash_code(r, cycle));
	if (code->instances++ >= INSTANCES_PER_CODE) {
		code->first->count += count_of(r, cycle);
		return;
	}
	f = analysis_begin(r->a, RULE_LOCK_ORDER_INVERSION,
			   cycle->weakness ? CONFIDENCE_HINT : CONFIDENCE_POTENTIAL);
	if (!code->first)
		code->first = f;
	f->count = count_of(r, cycle);
	for (uint32_t i = 0; i < cycle->count; i++) {
		const struct lock_choice *c = &cycle->choice[i];

		analysis_add_thread(r->a, f, c->use.thread);
		analysis_add_lock(r->a, f, held_object(g, c->context));
	}
	for (uint32_t i = 0; i < cycle->count; i++) {
		uint32_t c = cycle->choice[i].context;

		add_edge_stacks(r, f, g, &cycle->choice[i], held_object(g, c), wanted_object(g, c));
	}
	f->title = title_of(r, cycle);
	f->message = message_of(r, cycle);
	keep(r, f);
}

void lock_report_reread(struct lock_report *r, uint32_t context, struct lock_use use,
			uint32_t writer, struct lock_use writer_use)
{
	const struct lock_graph *g = r->order->graph;
	const struct lock_context *c = &g->context[context];
	uint32_t lock = wanted_object(g, context);
	bool weak = writer == 0 || (c->flags & (LOCK_UNCERTAIN | LOCK_BOUNDED));
	uint64_t hash =
		((uint64_t)c->hold_stack << 32 | c->request_stack) * UINT64_C(0x9e3779b97f4a7c15) |
		1;
	struct code *code;
	struct lock_choice choice = { .context = context, .use = use };
	struct finding *f;

	if (is_told(r, use.thread, writer ? writer_use.thread : use.thread))
		return;
	code = lookup_or_add_code(r, hash ^ 2);
	if (code->first) {
		code->first->count += c->count;
		return;
	}
	f = code->first = analysis_begin(r->a, RULE_LOCK_ORDER_INVERSION,
					 weak ? CONFIDENCE_HINT : CONFIDENCE_POTENTIAL);
	code->instances = 1;
	f->count = c->count ? c->count : 1;
	add_edge_stacks(r, f, g, &choice, lock, lock);
	if (writer) {
		analysis_add_stack(r->a, f, ROLE_ACQUIRES, writer_use.thread, lock,
				   g->context[writer].request_stack, g->context[writer].request_ns,
				   NULL, 0)
			->note = "for writing";
		f->title = analysis_printf(
			r->a,
			"{thread:%u} takes {lock:%u} for reading twice; a writer that comes between "
			"blocks both for ever",
			use.thread, lock);
		f->message = analysis_printf(
			r->a,
			"{thread:%u} holds {lock:%u} for reading and takes it for reading again. The lock lets waiting "
			"writers go first: when {thread:%u} starts to wait in between, the second read waits for the "
			"writer and the writer for the first read.%s",
			use.thread, lock, writer_use.thread,
			c->flags & LOCK_BOUNDED ? " Only a hint: the second read has a timeout."
						: "");
	} else {
		f->title = analysis_printf(r->a, "{thread:%u} takes {lock:%u} for reading twice",
					   use.thread, lock);
		f->message = analysis_printf(
			r->a,
			"{thread:%u} holds {lock:%u} for reading and takes it for reading again. This works only with "
			"locks that let readers pass waiting writers, as this one does here; with a lock that prefers "
			"writers it blocks for ever.",
			use.thread, lock);
	}
	keep(r, f);
}

void lock_report_nested_wait(struct lock_report *r, const struct lock_choice *wait,
			     const struct lock_choice *signal)
{
	const struct lock_graph *g = r->order->conds;
	const struct lock_context *w = &g->context[wait->context],
				  *s = &g->context[signal->context];
	uint32_t lock = g->edge[w->edge].from, cond = g->edge[w->edge].to;
	struct finding *f;

	if (is_told(r, wait->use.thread, signal->use.thread))
		return;
	f = analysis_begin(r->a, RULE_LOCK_ORDER_INVERSION, CONFIDENCE_HINT);
	f->count = w->count < s->count ? w->count : s->count;
	analysis_add_stack(r->a, f, ROLE_HOLDS, wait->use.thread, lock, w->hold_stack, w->hold_ns,
			   NULL, 0);
	analysis_add_stack(r->a, f, ROLE_WAITS, wait->use.thread, cond, w->request_stack,
			   w->request_ns, &lock, 1);
	analysis_add_stack(r->a, f, ROLE_ACQUIRES, signal->use.thread, lock, s->hold_stack,
			   s->hold_ns, NULL, 0);
	analysis_add_stack(r->a, f, ROLE_SIGNALS, signal->use.thread, cond, s->request_stack,
			   s->request_ns, &lock, 1);
	f->title = analysis_printf(
		r->a,
		"{thread:%u} waits on {lock:%u} while it holds {lock:%u}, which a signaller needs",
		wait->use.thread, cond, lock);
	f->message = analysis_printf(
		r->a,
		"{thread:%u} waits on {lock:%u} and keeps {lock:%u} locked meanwhile. {thread:%u} signals {lock:%u} with "
		"{lock:%u} held: it cannot get there before the wait is over. Release {lock:%u} before the wait.",
		wait->use.thread, cond, lock, signal->use.thread, cond, lock, lock);
	keep(r, f);
}
