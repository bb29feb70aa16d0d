/* SPDX-License-Identifier: MIT */
/*
 * declared_order.c - orders that the program declares (include/thrum.h): a lock that must come first is requested
 * while one that must come after it is held. One such request is enough: that somebody keeps to the declared
 * order is what the declaration says.
 *
 * Where lock_order found a cycle of the two locks, its finding stands and this one is left out.
 */
#include "sites.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Of a pair, `before` must not be requested while `after` is held. Names are borrowed of the process. */
struct pair {
	uint32_t before, after;			/* object ids */
	const char *class_before, *class_after; /* instead, where an order is of classes */
	uint32_t stack;
};

struct declared_order {
	struct sites *sites;
	struct pair *pair; /* owned */
	size_t pair_count;
};

static const struct trace_object *object_of(const struct analysis *a, uint32_t id)
{
	const struct trace_process *p = a->process;

	return p->objects && id != 0 && id < p->object_count ? &p->objects[id] : NULL;
}

/* The object that stands for a class lies nowhere. */
static const char *class_of(const struct analysis *a, uint32_t id)
{
	const struct trace_object *o = object_of(a, id);

	return o && o->address == 0 ? o->class_name : NULL;
}

static void *declared_order_begin(struct analysis *a)
{
	struct declared_order *s = calloc(1, sizeof(*s));
	size_t count = a->process->order_count;

	if (!s || !(s->pair = calloc(count + 1, sizeof(*s->pair))))
		abort();
	s->sites = sites_new();
	for (size_t i = 0; i < count; i++) {
		const struct tf_def_order *d = a->process->orders[i];

		s->pair[s->pair_count++] = (struct pair){ .before = d->before,
							  .after = d->after,
							  .class_before = class_of(a, d->before),
							  .class_after = class_of(a, d->after),
							  .stack = d->stack };
	}
	return s;
}

static void declared_order_release(void *state)
{
	struct declared_order *s = state;

	sites_free(s->sites);
	free(s->pair);
	free(s);
}

static bool is_one(const struct trace_object *o, uint32_t id, uint32_t wanted, const char *class)
{
	if (!class)
		return id == wanted;
	return o && o->class_name && !strcmp(o->class_name, class);
}

/* NULL = nothing was declared about the two. */
static const struct pair *find_pair(const struct declared_order *s, const struct analysis *a,
				    uint32_t requested, uint32_t held)
{
	const struct trace_object *r = object_of(a, requested), *h = object_of(a, held);

	for (size_t i = 0; i < s->pair_count; i++)
		if (is_one(r, requested, s->pair[i].before, s->pair[i].class_before) &&
		    is_one(h, held, s->pair[i].after, s->pair[i].class_after))
			return &s->pair[i];
	return NULL;
}

static void report(struct declared_order *s, struct analysis *a, const struct trace_event *event,
		   const struct model_held *h, const struct pair *pair)
{
	struct finding *f = sites_begin(s->sites, a, RULE_LOCK_ORDER_INVERSION,
					CONFIDENCE_POTENTIAL, event->stack, event->object);

	if (!f)
		return;
	analysis_add_stack(a, f, ROLE_HOLDS, event->thread, h->object, h->stack, h->time_ns, NULL,
			   0);
	analysis_add_stack(a, f, ROLE_ACQUIRES, event->thread, event->object, event->stack,
			   event->time_ns, &h->object, 1);
	f->title = analysis_printf(
		a,
		"{thread:%u} takes {lock:%u} while it holds {lock:%u}, against the declared order",
		event->thread, event->object, h->object);
	f->message = analysis_printf(
		a,
		"%s. The program declares that %s comes first; a thread that keeps to that and this one "
		"can wait for each other.",
		f->title,
		pair->class_before ? analysis_printf(a, "class \"%s\"", pair->class_before)
				   : analysis_printf(a, "{lock:%u}", event->object));
}

static void declared_order_on_event(void *state, struct analysis *a,
				    const struct trace_event *event, const struct model_step *step)
{
	struct declared_order *s = state;
	const struct model_thread *t = step->thread;

	if (s->pair_count == 0 || !step->object || (step->flags & MODEL_STEP_DEPTH))
		return;
	if (event->op == TRACE_REQUEST ? (event->arg & TRACE_MODE_TRY) != 0
				       : (step->flags & MODEL_STEP_REQUESTED) != 0)
		return; /* a try cannot wait; the request said it already */
	for (uint32_t i = 0; i < t->held_count; i++) {
		const struct pair *pair;

		if (t->held[i].object == event->object)
			continue;
		pair = find_pair(s, a, event->object, t->held[i].object);
		if (pair)
			report(s, a, event, &t->held[i], pair);
	}
}

static bool lists_both(const struct finding *f, const struct finding *of)
{
	for (size_t i = 0; i < of->lock_count; i++)
		if (!finding_find_lock(f, of->locks[i].id))
			return false;
	return true;
}

static void declared_order_finish(void *state, struct analysis *a)
{
	struct declared_order *s = state;
	size_t before = finding_list_count(a->findings), kept = before;

	sites_commit(s->sites, a);
	for (size_t i = before; i < finding_list_count(a->findings); i++) {
		struct finding *f = finding_list_get(a->findings, i);
		bool known = false;

		for (size_t k = 0; k < before && !known; k++) {
			const struct finding *other = finding_list_get(a->findings, k);

			known = other->process == f->process && lists_both(other, f) &&
				(other->rule == RULE_LOCK_ORDER_INVERSION ||
				 other->rule == RULE_DEADLOCK);
		}
		if (!known)
			finding_list_set(a->findings, kept++, f);
	}
	finding_list_truncate(a->findings, kept);
}

#define OP(op) CHECKER_OP(TRACE_##op)

const struct checker checker_declared_order = {
	.name = "declared_order",
	.consumes = OP(REQUEST) | OP(ACQUIRE) | OP(ACQUIRE_SHARED) | OP(ACQUIRE_TIMED) |
		    OP(ACQUIRE_TIMED_SHARED) | OP(ACQUIRE_OWNERDEAD),
	.begin = declared_order_begin,
	.on_event = declared_order_on_event,
	.finish = declared_order_finish,
	.release = declared_order_release,
};
