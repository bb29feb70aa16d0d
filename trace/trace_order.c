/* SPDX-License-Identifier: MIT */
/*
 * trace_order.c - locks and threads as far as the order of records needs them.
 */
#include "trace_order.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#define FORCE_LIMIT 4

enum object_flag {
	TRACKED = 1,
	RECURSIVE = 2,
	MUTEX = 4,
	/* Its definition is there. Without one the first number in a record shows that it is a lock. */
	KNOWN = 8,
};

/* What an op does to the order; ops without a row do nothing. */
enum effect {
	NOTHING,
	EXCLUSIVE,
	SHARED,
	OWNERDEAD,
	RELEASE,
	RELEASE_ODD,
	COND_WAIT,
	COND_WAKE,
	INIT,
	OVER,
	CREATE,
	BEGIN,
	JOIN,
};

static const uint8_t effects[TF_OPS] = {
	[TRACE_ACQUIRE] = EXCLUSIVE,
	[TRACE_ACQUIRE_TRY] = EXCLUSIVE,
	[TRACE_ACQUIRE_TIMED] = EXCLUSIVE,
	[TRACE_ACQUIRE_SHARED] = SHARED,
	[TRACE_ACQUIRE_TRY_SHARED] = SHARED,
	[TRACE_ACQUIRE_TIMED_SHARED] = SHARED,
	[TRACE_ACQUIRE_OWNERDEAD] = OWNERDEAD,
	[TRACE_RELEASE] = RELEASE,
	[TRACE_RELEASE_ODD] = RELEASE_ODD,
	[TRACE_COND_WAIT] = COND_WAIT,
	[TRACE_COND_WAKE] = COND_WAKE,
	[TRACE_INIT] = INIT,
	[TRACE_DESTROY] = OVER,
	[TRACE_GONE] = OVER,
	[TRACE_CREATE] = CREATE,
	[TRACE_THREAD_BEGIN] = BEGIN,
	[TRACE_JOIN] = JOIN,
};

/* Order among cursors that need the same number. */
enum rank { RANK_OWNERDEAD, RANK_SHARED, RANK_EXCLUSIVE };

static int32_t result_of(const struct trace_cursor *c)
{
	return (int32_t)trace_decode_zigzag(c->record.field[TRACE_FIELD_R]);
}

/* ---- pairing heap of waiting cursors ---- */

static bool waits_before(const struct trace_cursor *a, const struct trace_cursor *b)
{
	if (a->need != b->need) {
		return a->need < b->need;
	}
	return a->rank != b->rank ? a->rank < b->rank : a->index < b->index;
}

/* `before` is the left sibling, or of a first child its parent; of a root NULL. */
static struct trace_cursor *meld(struct trace_cursor *a, struct trace_cursor *b)
{
	if (!a || !b) {
		return a ? a : b;
	}
	if (waits_before(b, a)) {
		struct trace_cursor *swap = a;

		a = b;
		b = swap;
	}
	b->before = a;
	b->sibling = a->child;
	if (b->sibling) {
		b->sibling->before = b;
	}
	a->child = b;
	return a;
}

/* Two passes over the children: pairs from the left, then all from the right. */
static struct trace_cursor *meld_children(struct trace_cursor *first)
{
	struct trace_cursor *pairs = NULL, *root = NULL;

	while (first) {
		struct trace_cursor *a = first, *b = first->sibling, *pair;

		first = b ? b->sibling : NULL;
		a->sibling = a->before = NULL;
		if (b) {
			b->sibling = b->before = NULL;
		}
		pair = meld(a, b);
		pair->sibling = pairs;
		pairs = pair;
	}
	while (pairs) {
		struct trace_cursor *next = pairs->sibling;

		pairs->sibling = NULL;
		root = meld(root, pairs);
		pairs = next;
	}
	return root;
}

void trace_order_park(struct trace_cursor *c)
{
	c->child = c->sibling = c->before = NULL;
	*c->root = meld(*c->root, c);
}

void trace_order_unpark(struct trace_cursor *c)
{
	if (*c->root == c) {
		*c->root = meld_children(c->child);
	} else {
		if (c->before->child == c) {
			c->before->child = c->sibling;
		} else {
			c->before->sibling = c->sibling;
		}
		if (c->sibling) {
			c->sibling->before = c->before;
		}
		*c->root = meld(*c->root, meld_children(c->child));
	}
	c->child = c->sibling = c->before = NULL;
	c->root = NULL;
}

static void wake(struct trace_order *order, struct trace_cursor *c)
{
	trace_order_unpark(c);
	c->woken = order->woken;
	order->woken = c;
}

static void wake_all(struct trace_order *order, struct trace_cursor **root)
{
	while (*root) {
		wake(order, *root);
	}
}

/* ---- locks ---- */

static bool is_held_by_other(const struct order_object *o, const struct trace_cursor *c)
{
	return o->depth && o->owner != c->thread;
}

static bool may_acquire(struct order_object *o, struct trace_cursor *c, enum rank rank)
{
	bool named = c->record.has_seq;
	uint64_t need = named ? c->record.seq - (rank != RANK_SHARED && c->record.seq)
			      : o->acquired;
	bool go;

	if (!(o->flags & (TRACKED | KNOWN)) && named) {
		o->flags |= TRACKED;
	}
	if (!(o->flags & TRACKED) || o->forced >= FORCE_LIMIT) {
		return true;
	}
	go = o->acquired >= need;
	if (go && rank != RANK_OWNERDEAD) {
		go = !is_held_by_other(o, c) && (rank == RANK_SHARED || !o->readers);
	}
	if (!go) {
		c->need = need;
		c->rank = (uint8_t)rank;
		c->stale = rank == RANK_SHARED && o->acquired >= need &&
			   (!named || o->acquired > need);
		c->root = &o->waiting;
	}
	return go;
}

/* Lets those go that can: see the invariant on top of the header. */
static void wake_lock(struct trace_order *order, struct order_object *o)
{
	bool shared = false;

	while (o->waiting && o->waiting->need <= o->acquired) {
		struct trace_cursor *c = o->waiting;

		if (c->rank == RANK_EXCLUSIVE && (shared || o->depth || o->readers)) {
			break;
		}
		if (c->rank == RANK_SHARED && o->depth) {
			break;
		}
		wake(order, c);
		if (c->rank != RANK_SHARED) {
			break;
		}
		shared = true;
	}
}

static void acquire(struct trace_order *order, struct order_object *o, const struct trace_cursor *c,
		    bool outermost)
{
	if (!outermost && !c->record.has_seq && o->depth && o->owner == c->thread &&
	    o->flags & RECURSIVE) {
		o->depth++;
		return;
	}
	if (!c->record.has_seq) {
		o->acquired++;
	} else if (c->record.seq > o->acquired) {
		o->acquired = c->record.seq;
	}
	o->owner = c->thread;
	o->depth = 1;
	o->readers = 0;
	if (o->waiting) {
		wake_lock(order, o); /* an owner that died will not release */
	}
}

static void release(struct trace_order *order, struct order_object *o, const struct trace_cursor *c,
		    bool odd)
{
	if (o->depth && o->owner == c->thread) {
		o->depth = odd ? 0 : o->depth - 1;
	} else if (o->readers) {
		o->readers--;
	} else {
		o->depth = 0;
	}
	if (o->waiting) {
		wake_lock(order, o);
	}
}

static void set_type(struct order_object *o, uint32_t attributes)
{
	bool recursive = attributes & TF_ATTRIBUTES_UNKNOWN ||
			 (attributes & TF_MUTEX_TYPE_MASK) == PTHREAD_MUTEX_RECURSIVE;

	if (o->flags & MUTEX) {
		o->flags = (uint8_t)(recursive ? o->flags | RECURSIVE : o->flags & ~RECURSIVE);
	}
}

static void vacate(struct trace_order *order, struct order_object *o)
{
	o->depth = o->readers = 0;
	if (o->waiting) {
		wake_lock(order, o);
	}
}

/*
 * Does this COND_WAKE hold the mutex again? A wait that never let go of it, because it failed at
 * once, does not take it.
 */
static bool wake_reacquires(const struct trace_cursor *c)
{
	int32_t result = result_of(c);

	return result != ENOTRECOVERABLE &&
	       !(c->cond_unlocked && (result == EPERM || result == EINVAL));
}

static enum rank wake_rank(const struct trace_cursor *c)
{
	return result_of(c) == EOWNERDEAD ? RANK_OWNERDEAD : RANK_EXCLUSIVE;
}

/* ---- threads ---- */

static bool may_begin(struct order_thread *t, struct trace_cursor *c)
{
	if (!t->expect_create || t->created) {
		return true;
	}
	c->need = 0;
	c->stale = false;
	c->root = &t->begin_waiting;
	return false;
}

/* Are the first `count` records of the thread's stream out? Its cursor holds the one at `position`. */
static bool has_come_out(const struct order_thread *t, uint32_t thread, uint64_t count)
{
	return t->cursor && t->cursor->thread == thread && t->cursor->position > count;
}

static bool may_join(struct trace_order *order, struct trace_cursor *c)
{
	uint64_t id = c->record.field[TRACE_FIELD_A];
	struct order_thread *t = &order->threads[id];

	if (!id || id == c->thread || t->finished || result_of(c) ||
	    (c->record.has_seq && has_come_out(t, (uint32_t)id, c->record.seq))) {
		return true;
	}
	order->early_joins |= c->record.has_seq;
	c->need = c->record.has_seq ? c->record.seq : UINT64_MAX;
	c->rank = 0;
	c->stale = false;
	c->root = &t->join_waiting;
	return false;
}

void trace_order_passed(struct trace_order *order, const struct trace_cursor *c)
{
	struct order_thread *t = &order->threads[c->thread];

	while (t->join_waiting && has_come_out(t, c->thread, t->join_waiting->need)) {
		wake(order, t->join_waiting);
	}
}

void trace_order_finish(struct trace_order *order, uint32_t thread)
{
	order->threads[thread].finished = true;
	wake_all(order, &order->threads[thread].join_waiting);
}

/* ---- the steps ---- */

bool trace_order_may_go(struct trace_order *order, struct trace_cursor *c)
{
	const uint64_t *field = c->record.field;

	if (c->synthetic || (c->facts && c->record.op != TRACE_JOIN)) {
		return true; /* facts come out as they lie in their stream */
	}
	switch ((enum effect)effects[c->record.op % TF_OPS]) {
	case EXCLUSIVE:
		return may_acquire(&order->objects[field[TRACE_FIELD_O]], c, RANK_EXCLUSIVE);
	case SHARED:
		return may_acquire(&order->objects[field[TRACE_FIELD_O]], c, RANK_SHARED);
	case OWNERDEAD:
		return may_acquire(&order->objects[field[TRACE_FIELD_O]], c, RANK_OWNERDEAD);
	case COND_WAKE:
		return !wake_reacquires(c) ||
		       may_acquire(&order->objects[field[TRACE_FIELD_P]], c, wake_rank(c));
	case BEGIN:
		return may_begin(&order->threads[field[TRACE_FIELD_A]], c);
	case JOIN:
		return may_join(order, c);
	case NOTHING:
	case RELEASE:
	case RELEASE_ODD:
	case COND_WAIT:
	case INIT:
	case OVER:
	case CREATE:
		return true;
	}
	return true;
}

void trace_order_apply(struct trace_order *order, struct trace_cursor *c)
{
	const uint64_t *field = c->record.field;
	struct order_object *o = &order->objects[field[TRACE_FIELD_O]];
	struct order_object *p = &order->objects[field[TRACE_FIELD_P]];

	if (c->synthetic || (c->facts && c->record.op != TRACE_CREATE)) {
		return;
	}
	switch ((enum effect)effects[c->record.op % TF_OPS]) {
	case EXCLUSIVE:
		acquire(order, o, c, false);
		break;
	case OWNERDEAD:
		acquire(order, o, c, true);
		break;
	case SHARED:
		o->readers++;
		break;
	case RELEASE:
		release(order, o, c, false);
		break;
	case RELEASE_ODD:
		if (!result_of(c)) {
			release(order, o, c, true);
		}
		break;
	case COND_WAIT:
		c->cond_unlocked = field[TRACE_FIELD_A] & TRACE_MODE_UNLOCKED;
		if (!c->cond_unlocked) {
			release(order, p, c, false);
		}
		break;
	case COND_WAKE:
		if (wake_reacquires(c)) {
			acquire(order, p, c, result_of(c) == EOWNERDEAD);
		}
		c->cond_unlocked = false;
		break;
	case INIT:
		if (!result_of(c)) {
			set_type(o, (uint32_t)field[TRACE_FIELD_A]);
			vacate(order, o);
		}
		break;
	case OVER:
		if (!result_of(c)) {
			vacate(order, o);
		}
		break;
	case CREATE:
		order->threads[field[TRACE_FIELD_A]].created = true;
		wake_all(order, &order->threads[field[TRACE_FIELD_A]].begin_waiting);
		break;
	case BEGIN:
		order->threads[field[TRACE_FIELD_A]].cursor = c;
		break;
	case NOTHING:
	case JOIN:
		break;
	}
}

void trace_order_force(struct trace_order *order, struct trace_cursor *c)
{
	uint64_t thread = c->record.field[TRACE_FIELD_A];
	struct order_object *o = NULL;

	switch ((enum effect)effects[c->record.op % TF_OPS]) {
	case EXCLUSIVE:
	case SHARED:
	case OWNERDEAD:
		o = &order->objects[c->record.field[TRACE_FIELD_O]];
		break;
	case COND_WAKE:
		o = &order->objects[c->record.field[TRACE_FIELD_P]];
		break;
	case BEGIN:
		order->threads[thread].created = true;
		wake_all(order, &order->threads[thread].begin_waiting);
		break;
	case JOIN:
		if (!c->record.has_seq) {
			trace_order_finish(order, (uint32_t)thread);
		}
		break;
	case NOTHING:
	case RELEASE:
	case RELEASE_ODD:
	case COND_WAIT:
	case INIT:
	case OVER:
	case CREATE:
		break;
	}
	if (!o || c->stale) {
		return; /* a reader in front of whose writer it belongs: both are right */
	}
	if (o->acquired < c->need) {
		o->acquired = c->need;
	}
	o->depth = o->readers = 0;
	if (!order->bounded && o->forced < FORCE_LIMIT && ++o->forced == FORCE_LIMIT) {
		wake_all(order, &o->waiting);
	}
}

/* ---- life ---- */

static bool is_tracked(uint32_t kind)
{
	return kind == TRACE_OBJECT_MUTEX || kind == TRACE_OBJECT_RWLOCK ||
	       kind == TRACE_OBJECT_SPIN;
}

int trace_order_init(struct trace_order *order, const struct trace_process *process)
{
	*order = (struct trace_order){
		.objects = calloc(process->object_count, sizeof(*order->objects)),
		.threads = calloc(process->thread_count, sizeof(*order->threads)),
	};
	order->bounded = process->flags & TF_PROCESS_BOUNDED;
	if (!order->objects || !order->threads) {
		trace_order_release(order);
		return THRUM_ENOMEM;
	}
	order->objects[0].flags = KNOWN;
	for (size_t i = 1; i < process->object_count; i++) {
		const struct trace_object *o = &process->objects[i];

		order->objects[i].flags =
			(uint8_t)((o->kind ? KNOWN : 0) | (is_tracked(o->kind) ? TRACKED : 0) |
				  (o->kind == TRACE_OBJECT_MUTEX ? MUTEX : 0));
		set_type(&order->objects[i], o->attributes);
	}
	for (size_t i = 1; i < process->thread_count; i++) {
		const struct trace_thread *t = &process->threads[i];

		order->threads[i].expect_create =
			t->defined && t->parent && !order->bounded &&
			!(t->flags & (TF_THREAD_MAIN | TF_THREAD_FOREIGN));
	}
	return 0;
}

void trace_order_release(struct trace_order *order)
{
	free(order->objects);
	free(order->threads);
	*order = (struct trace_order){ 0 };
}
