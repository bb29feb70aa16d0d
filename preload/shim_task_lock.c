/* SPDX-License-Identifier: MIT */
/*
 * shim_task_lock.c - bounded mode: what tasks hold, and the orders of that, as definitions.
 */
#include "shim_task_lock.h"

#include "shim_task_slot.h"

enum {
	BUCKETS = 256,
	HELD = 16, /* by the tasks of one bucket */
	ORDERS = 4096,
	PROBES = 8,
	TASKS = 4, /* of one order */
	NAMED = 4096,
	LOOK_DEFS = 16384, /* of one look, whose memory is used again */
};

struct task_hold {
	uint32_t object; /* 0 = free */
	uint32_t task, stack, thread;
	uint64_t ticks;
};

struct task_order {
	uint64_t key; /* 0 = free */
	uint32_t task[TASKS];
};

struct looks {
	struct look_defs {
		uint32_t look, count, used;
		struct tf_def *at[LOOK_DEFS]; /* in the map */
	} look[2];			      /* the newest, and the one before */
};

static struct {
	struct tf_process *process; /* whose all this is; a forked child begins anew */
	struct task_hold hold[BUCKETS][HELD];
	struct task_order order[ORDERS];
	uint32_t named[NAMED]; /* tasks that a definition names, by number */
	struct looks held, awaits, contexts;
} now;

static void look_at_process(void)
{
	static uint32_t pid;

	if (unlikely(now.process != shim->process || pid != shim->process->pid)) {
		__builtin_memset(&now, 0, sizeof(now));
		now.process = shim->process;
		pid = shim->process->pid;
	}
}

static void count_lost(void)
{
	__atomic_fetch_add(&shim->process->lost_facts, 1, __ATOMIC_RELAXED);
}

/*
 * Looks are taken for days; what one says is gone when the next but one says it again. So the memory of its definitions is the next but
 * one's: a look that is read while it is written over is one of whose tasks some are missing.
 */
static void define_in_look(struct tf_def *def, size_t bytes, uint32_t look, struct looks *l)
{
	struct look_defs *k = &l->look[look & 1];
	uint64_t *at, *from = (uint64_t *)(void *)def;

	if (k->look != look) {
		for (uint32_t i = 0; i < k->count; i++) {
			__atomic_store_n(&k->at[i]->type, TF_DEF_NONE, __ATOMIC_RELEASE);
		}
		k->look = look;
		k->used = 0;
	}
	if (k->used < k->count) {
		at = (uint64_t *)(void *)k->at[k->used++];
		def->bytes = (uint32_t)bytes;
		for (size_t i = 1; i < bytes / 8; i++) {
			at[i] = from[i];
		}
		__atomic_store_n(at, from[0], __ATOMIC_RELEASE);
		return;
	}
	at = region_define(def, bytes, NULL, 0, NULL, 0);
	if (at && k->count < LOOK_DEFS) {
		k->at[k->count++] = (struct tf_def *)(void *)at;
		k->used = k->count;
	}
}

void task_look_define(const struct stream *s, struct tf_def_await *def)
{
	look_at_process();
	if (task_locks_are_kept(s)) {
		define_in_look(&def->def, sizeof(*def), def->look, &now.awaits);
	} else {
		region_define(&def->def, sizeof(*def), NULL, 0, NULL, 0);
	}
}

/* What lies over another has its size: all of them the most. */
void task_context_define(const struct stream *s, struct tf_def_task_context *def, const char *text)
{
	uint64_t whole[(sizeof(*def) + TF_CONTEXT_TEXT) / 8] = { 0 };

	look_at_process();
	if (task_locks_are_kept(s)) {
		__builtin_memcpy(whole, def, sizeof(*def));
		__builtin_memcpy((char *)whole + sizeof(*def), text, def->bytes);
		define_in_look((struct tf_def *)(void *)whole, sizeof(whole), def->look,
			       &now.contexts);
	} else {
		region_define(&def->def, sizeof(*def), text, def->bytes, NULL, 0);
	}
}

static void define(struct tf_def_task_lock *def, struct object *o)
{
	def->def.type = TF_DEF_TASK_LOCK;
	now.named[def->task % NAMED] = def->task;
	if (!def->look) {
		task_slot_pin(def->task);
	}
	if (o && o->story) {
		o->story->extra_defs = 1; /* its number is its for ever */
	}
	if (def->look) {
		define_in_look(&def->def, sizeof(*def), def->look, &now.held);
	} else {
		region_define(&def->def, sizeof(*def), NULL, 0, NULL, 0);
	}
}

static bool is_new_order(const struct task_hold *h, uint32_t object, uint32_t stack, uint32_t task)
{
	uint64_t key = ((uint64_t)h->object << 32 | object) * 0x9e3779b97f4a7c15u ^
		       ((uint64_t)h->stack << 32 | stack) * 0xbf58476d1ce4e5b9u;
	uint64_t at = (key ^ key >> 29) * 0x94d049bb133111ebu >> 40;

	key += !key;
	for (unsigned i = 0; i < PROBES; i++) {
		struct task_order *o = &now.order[(at + i) % ORDERS];

		if (o->key && o->key != key) {
			continue;
		}
		o->key = key;
		for (unsigned n = 0; n < TASKS; n++) {
			if (o->task[n] == task) {
				return false;
			}
			if (!o->task[n]) {
				o->task[n] = task;
				return true;
			}
		}
		return false;
	}
	count_lost();
	return false;
}

/* The task takes `o`, or waits for it, with what is in its bucket. */
static void tell_orders(struct call *c, struct object *o, uint32_t task, uint32_t stack)
{
	struct task_hold *bucket = now.hold[task % BUCKETS];

	for (unsigned i = 0; i < HELD; i++) {
		struct tf_def_task_lock def = {
			.def.flags = TF_TASK_LOCK_ORDER,
			.object = o->id,
			.task = task,
			.stack = stack,
			.thread = c->s->thread,
			.held = bucket[i].object,
			.held_stack = bucket[i].stack,
			.held_ticks = bucket[i].ticks,
			.ticks = c->s->last_ticks,
		};
		unsigned also = 0;

		if (!bucket[i].object || bucket[i].task != task || bucket[i].object == o->id ||
		    !is_new_order(&bucket[i], o->id, stack, task)) {
			continue;
		}
		for (unsigned n = 0; n < HELD && also < TF_TASK_LOCKS_ALSO; n++) {
			if (n != i && bucket[n].object && bucket[n].task == task) {
				def.also[also++] = bucket[n].object;
			}
		}
		define(&def, o);
	}
}

static void keep_hold(struct call *c, struct object *o, uint32_t task, uint32_t stack)
{
	struct task_hold *bucket = now.hold[task % BUCKETS];

	look_at_process();
	tell_orders(c, o, task, stack);
	for (unsigned i = 0; i < HELD; i++) {
		if (!bucket[i].object) {
			bucket[i] = (struct task_hold){ .object = o->id,
							.task = task,
							.stack = stack,
							.thread = c->s->thread,
							.ticks = c->s->last_ticks };
			o->last_stream = task; /* such a lock has no hand-overs of threads */
			return;
		}
	}
	count_lost();
}

/* By whomever; NULL = nobody that is known. */
static struct task_hold *find_hold(const struct object *o)
{
	struct task_hold *bucket = now.hold[o->last_stream % BUCKETS];

	look_at_process();
	for (unsigned i = 0; i < HELD; i++) {
		if (bucket[i].object == o->id) {
			return &bucket[i];
		}
	}
	return NULL;
}

static void drop_hold(const struct object *o)
{
	struct task_hold *h = find_hold(o);

	if (h) {
		h->object = 0;
	}
}

/* ACQUIRE and RELEASE are told too until the mode is bounded; not as what the thread holds, which is all that `bounded` follows. */
static bool are_records(const struct stream *s)
{
	return !s->bounded || !s->bounded->recording;
}

void task_lock_taken(struct call *c, struct object *o, uint32_t task, uint32_t stack)
{
	struct bounded *bounded = c->s->bounded;

	o->depth = 1;
	if (task_locks_are_kept(c->s)) {
		keep_hold(c, o, task, stack);
	}
	if (are_records(c->s)) {
		c->s->bounded = NULL;
		emit_os_seq(c->s, TRACE_ACQUIRE, o->id, stack, 0);
		c->s->bounded = bounded;
	}
}

void task_lock_given(struct call *c, struct object *o)
{
	struct bounded *bounded = c->s->bounded;

	o->depth = 0;
	if (task_locks_are_kept(c->s)) {
		drop_hold(o);
	}
	if (are_records(c->s)) {
		c->s->bounded = NULL;
		emit_o(c->s, TRACE_RELEASE, o->id);
		c->s->bounded = bounded;
	}
}

static void tell_hold(const struct task_hold *h, struct object *o, uint32_t look)
{
	struct tf_def_task_lock def = { .def.flags = TF_TASK_LOCK_HELD,
					.object = h->object,
					.task = h->task,
					.stack = h->stack,
					.thread = h->thread,
					.ticks = h->ticks,
					.look = look };

	define(&def, o);
}

void task_lock_awaited(struct call *c, struct object *o, uint32_t task, uint32_t look)
{
	const struct task_hold *h = find_hold(o), *bucket = now.hold[task % BUCKETS];

	(void)c;
	if (h) {
		tell_hold(h, o, look);
	}
	for (unsigned i = 0; i < HELD; i++) {
		if (bucket[i].object && bucket[i].task == task && &bucket[i] != h) {
			struct story *t = bucket[i].object < BY_ID ? shim->by_id[bucket[i].object]
								   : NULL;

			tell_hold(&bucket[i], t ? t->object : NULL, look);
		}
	}
}

/* It ends with a lock: the number is no other's, who would have it then. */
static void pin_holder(uint32_t task)
{
	const struct task_hold *bucket = now.hold[task % BUCKETS];

	for (unsigned i = 0; i < HELD && now.process == shim->process; i++) {
		if (bucket[i].object && bucket[i].task == task) {
			task_slot_pin(task);
		}
	}
}

void task_lock_over(uint32_t task)
{
	pin_holder(task);
	if (now.named[task % NAMED] == task && now.process == shim->process) {
		struct tf_def_task_lock def = { .def.flags = TF_TASK_LOCK_OVER,
						.task = task,
						.ticks = arch_ticks() };

		define(&def, NULL);
		now.named[task % NAMED] = 0;
	}
}
