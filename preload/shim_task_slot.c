/* SPDX-License-Identifier: MIT */
/*
 * shim_task_slot.c - bounded mode: the slots of tasks.
 */
#include "shim_task_slot.h"
#include "shim_facts.h"

enum {
	SLOTS = 1 << 20,   /* numbers above have none: TASK_NEW is a fact then */
	SLOTS_WAIT = 4096, /* what a ring still tells of is some hundred tasks */
	NAME_BYTES = 96,
};

/* In the map: one definition. */
struct slot_def {
	struct tf_def_task task;
	char name[NAME_BYTES];
	struct tf_task_live live;
};

struct task_slots {
	spin_t lock; /* what waits */
	uint32_t first, last, waiting;
	struct task_slot {
		struct slot_def *def; /* NULL = no slot */
		uint32_t next;	      /* that waits behind it */
		_Atomic bool pinned;
		bool over;
	} slot[SLOTS];
};

static struct task_slot *slot_of(uint32_t task)
{
	struct task_slots *s = shim->task_slots;

	return s && task < SLOTS && s->slot[task].def ? &s->slot[task] : NULL;
}

static struct task_slots *slots_touch(void)
{
	if (unlikely(!shim->task_slots && facts_are_wanted())) {
		struct task_slots *fresh = shim_pages(sizeof(*fresh)), *expected = NULL;

		__atomic_compare_exchange_n(&shim->task_slots, &expected, fresh, false,
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	}
	return shim->task_slots;
}

/* The number that waits longest; 0 = not long enough. */
static uint32_t take_waiting(struct task_slots *s)
{
	uint32_t task = 0;

	spin_lock(&s->lock);
	while (!task && s->waiting > SLOTS_WAIT) {
		task = s->first;
		s->first = s->slot[task].next;
		s->waiting--;
		task = s->slot[task].pinned ? 0 : task; /* named meanwhile: it stays */
	}
	spin_unlock(&s->lock);
	return task;
}

bool task_slot_is_there(uint32_t task)
{
	return slot_of(task) != NULL;
}

uint32_t task_slot_number(bool *ret_slotted)
{
	struct task_slots *s = slots_touch();
	uint32_t task = s ? take_waiting(s) : 0;

	*ret_slotted = true;
	if (task) {
		return task;
	}
	task = atomic_fetch_add(&shim->next_task, 1) + 1;
	*ret_slotted = s && task < SLOTS;
	if (*ret_slotted) {
		struct slot_def def = { .task.def.type = TF_DEF_TASK,
					.task.def.flags = TF_TASK_SLOT,
					.task.task = task };

		s->slot[task].def = region_define(&def.task.def, sizeof(def), NULL, 0, NULL, 0);
		*ret_slotted = s->slot[task].def != NULL;
	}
	return task;
}

void task_slot_made(const struct stream *s, uint32_t task, unsigned kind, uint32_t loop,
		    uint32_t stack)
{
	struct task_slot *slot = slot_of(task);
	struct slot_def *d = slot->def;

	/* A reader at this very moment finds a task of no kind. */
	__atomic_store_n(&d->live.kind, 0, __ATOMIC_RELEASE);
	d->task.bytes = 0;
	if (slot->over) {
		d->task.def.flags = TF_TASK_SLOT | TF_TASK_AGAIN;
	}
	slot->over = false;
	d->live = (struct tf_task_live){ .loop = loop };
	d->task.parent = s->task;
	d->task.thread = s->thread;
	d->task.stack = stack;
	d->task.ticks = s->last_ticks;
	__atomic_store_n(&d->live.kind, kind, __ATOMIC_RELEASE);
}

bool task_slot_named(uint32_t task, const char *text, uint32_t bytes)
{
	struct task_slot *slot = slot_of(task);

	if (!slot) {
		return false;
	}
	bytes = bytes < NAME_BYTES ? bytes : NAME_BYTES - 1;
	__atomic_store_n(&slot->def->task.bytes, 0, __ATOMIC_RELEASE);
	__builtin_memcpy(slot->def->name, text, bytes);
	slot->def->name[bytes] = 0;
	__atomic_store_n(&slot->def->task.bytes, bytes, __ATOMIC_RELEASE);
	return true;
}

void task_slot_armed(const struct stream *s, uint32_t task, uint32_t loop, uint32_t stack,
		     uint32_t callback)
{
	struct task_slot *slot = slot_of(task);

	if (slot) {
		struct tf_task_live *l = &slot->def->live;

		__atomic_store_n(&l->armed_ticks, 0, __ATOMIC_RELEASE);
		l->armed_loop = loop;
		l->armed_stack = stack;
		l->armed_thread = s->thread;
		l->callback = callback;
		__atomic_store_n(&l->armed_ticks, s->last_ticks, __ATOMIC_RELEASE);
	}
}

void task_slot_over(const struct stream *s, uint32_t task, enum trace_task_step step)
{
	struct task_slots *all = shim->task_slots;
	struct task_slot *slot = slot_of(task);

	if (!slot || slot->over) {
		return;
	}
	slot->over = true;
	slot->def->live.over_step = step;
	slot->def->live.over_thread = s->thread;
	__atomic_store_n(&slot->def->live.over_ticks, s->last_ticks, __ATOMIC_RELEASE);
	if (slot->pinned) {
		return;
	}
	spin_lock(&all->lock);
	if (all->waiting) {
		all->slot[all->last].next = task;
	} else {
		all->first = task;
	}
	all->last = task;
	all->waiting++;
	spin_unlock(&all->lock);
}

void task_slot_pin(uint32_t task)
{
	struct task_slot *slot = slot_of(task);

	if (slot) {
		slot->pinned = true;
	}
}
