/* SPDX-License-Identifier: MIT */
/*
 * shim_bell.c - the table of bells: what rings and stills them, and where they are registered. Safety class SLOW but where wrap_bell.h says otherwise.
 */
#include "wrap_bell.h"

#include <sys/epoll.h>

/* ---- the table; under ipc_lock ---- */

/* What it remembers is of an older number from here on. */
static void turn_still(struct bell *b)
{
	uint32_t state = atomic_load(&b->state);

	while (!atomic_compare_exchange_weak(&b->state, &state,
					     ((state | (BELL_NUMBER - 1)) + 1) | BELL_STILL)) {
	}
}

static unsigned bell_new(unsigned kind)
{
	struct bells *all = &shim->bells;
	unsigned index = all->free;

	if (index) {
		all->free = bell_at(index)->next;
	} else if (all->used + 1u < BELLS) {
		index = ++all->used;
	} else {
		return 0;
	}
	bell_at(index)->kind = (uint8_t)kind;
	bell_at(index)->epoll = -1;
	bell_at(index)->next = bell_at(index)->refs = 0;
	turn_still(bell_at(index));
	atomic_store(&all->possible, 1);
	return index;
}

static void unregister(unsigned index)
{
	struct bell *b = bell_at(index);
	unsigned at;

	if (b->epoll < 0) {
		return;
	}
	at = atomic_load(&shim->bells.watched[b->epoll]);
	if (at == index) {
		atomic_store(&shim->bells.watched[b->epoll], b->next);
	}
	for (; at && at != index; at = bell_at(at)->next) {
		if (bell_at(at)->next == index) {
			bell_at(at)->next = b->next;
			break;
		}
	}
	b->epoll = -1;
	b->next = 0;
}

static void let_go(_Atomic uint16_t *slot)
{
	unsigned index = atomic_exchange(slot, 0);
	struct bell *b = bell_at(index);

	if (index && --b->refs == 0) {
		unregister(index);
		turn_still(b);
		b->next = shim->bells.free;
		shim->bells.free = (uint16_t)index;
	}
}

static void take_up(_Atomic uint16_t *slot, unsigned index)
{
	if (!atomic_load(slot) && index) {
		bell_at(index)->refs++;
		atomic_store(slot, (uint16_t)index);
	}
}

void bell_forget(int fd)
{
	struct descriptor *d = &shim->descriptor[fd];
	unsigned index;

	let_go(&d->rings);
	let_go(&d->stills);
	while ((index = atomic_load(&shim->bells.watched[fd]))) {
		unregister(index);
	}
}

void bell_duplicate(int from, int to)
{
	take_up(&shim->descriptor[to].rings, atomic_load(&shim->descriptor[from].rings));
	take_up(&shim->descriptor[to].stills, atomic_load(&shim->descriptor[from].stills));
}

/* As descriptor_closing_range wants it. */
static void note_top(int fd)
{
	uint32_t top = atomic_load(&shim->descriptor_top);

	while (top <= (uint32_t)fd &&
	       !atomic_compare_exchange_weak(&shim->descriptor_top, &top, (uint32_t)fd + 1)) {
	}
}

/* One of its own: an eventfd, a timer, a set of signals. */
static void make(int fd, unsigned kind)
{
	struct descriptor *d = &shim->descriptor[fd];
	unsigned index;

	spin_lock(&shim->ipc_lock);
	if (!atomic_load(&d->stills) && (index = bell_new(kind))) {
		take_up(&d->stills, index);
		if (kind == TRACE_WAKER_EVENTFD) {
			take_up(&d->rings, index);
		}
	}
	spin_unlock(&shim->ipc_lock);
	note_top(fd);
}

void bell_recognise(int fd)
{
	static const struct {
		const char *name;
		uint8_t length, kind;
	} known[] = { { "anon_inode:[eventfd]", 20, TRACE_WAKER_EVENTFD },
		      { "anon_inode:[timerfd]", 20, TRACE_WAKER_TIMERFD },
		      { "anon_inode:[signalfd]", 21, TRACE_WAKER_SIGNALFD } };
	char path[64];

	if (!descriptor_path(fd, path, sizeof(path))) {
		return;
	}
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (!__builtin_memcmp(path, known[i].name, known[i].length + 1u)) {
			make(fd, known[i].kind);
		}
	}
}

void bell_watch_channel(int fd)
{
	struct descriptor *d = &shim->descriptor[fd];
	uint32_t top = atomic_load(&shim->descriptor_top);
	const struct named *n;
	unsigned index;

	spin_lock(&shim->ipc_lock);
	n = d->channel;
	if (n && d->ends & END_READ && !atomic_load(&d->stills) &&
	    (index = bell_new(n->key.space == TF_IDENTITY_PIPE ? TRACE_WAKER_PIPE
							       : TRACE_WAKER_SOCKET))) {
		bool pipe = n->key.space == TF_IDENTITY_PIPE;

		for (uint32_t i = 0; i < top; i++) {
			struct descriptor *other = &shim->descriptor[i];
			const struct named *o = other->channel;

			if (o == n && other->ends & END_READ) {
				take_up(&other->stills, index);
			}
			if (o && (pipe ? o == n && other->ends & END_WRITE
				       : n->key.length && o->key.space == n->key.space &&
						  o->key.ino == n->key.length &&
						  o->key.dev == n->key.dev)) {
				take_up(&other->rings, index);
			}
		}
	}
	spin_unlock(&shim->ipc_lock);
}

void bell_made(struct arch_caller caller, int fd, unsigned kind)
{
	struct call c;

	if (!bell_is_number(fd)) {
		return;
	}
	descriptor_closing(caller,
			   fd); /* the number may have been another thing whose close nobody saw */
	if (descriptor_begin(&c, caller)) {
		make(fd, kind);
		shim_leave(&c);
	}
}

/* ---- ringing ---- */

/* From STILL. The number of what is remembered now; 0 = somebody was faster. */
static uint32_t remember(struct call *c, struct bell *b, uint32_t state, uint32_t flying)
{
	uint32_t mine = ((state | (BELL_NUMBER - 1)) + 1) | BELL_BUSY, rung;

	if (!atomic_compare_exchange_strong(&b->state, &state, mine)) {
		return 0;
	}
	b->stack = c->stack;
	b->thread = c->s->thread;
	b->task = c->s->task;
	rung = (mine & ~(uint32_t)BELL_PHASE) | BELL_RUNG | flying;
	return atomic_compare_exchange_strong_explicit(&b->state, &mine, rung, memory_order_release,
						       memory_order_relaxed)
		       ? rung
		       : 0;
}

uint32_t bell_ring(struct arch_caller caller, unsigned index)
{
	struct bell *b = bell_at(index);
	uint32_t state = atomic_load_explicit(&b->state, memory_order_relaxed), token = 0;
	struct call c;

	if ((state & BELL_PHASE) == BELL_BUSY || state & BELL_FLYING) {
		atomic_compare_exchange_strong(&b->state, &state,
					       (state & ~(uint32_t)(BELL_PHASE | BELL_FLYING)) |
						       BELL_UNSURE);
		return 0;
	}
	if ((state & BELL_PHASE) != BELL_STILL || bell_is_inside_a_hook() ||
	    !shim_enter_with(&c, caller, ROOM_EARLY)) {
		return 0;
	}
	c.stack = stack_id(&c);
	token = remember(&c, b, state, BELL_FLYING);
	shim_leave(&c);
	return token;
}

void bell_written_slow(unsigned index, uint32_t token, bool done)
{
	struct bell *b = bell_at(index);
	uint32_t state = token;
	uint32_t still = (token & ~(uint32_t)(BELL_NUMBER - 1)) | BELL_STILL;

	if (!atomic_compare_exchange_strong(&b->state, &state,
					    done ? token & ~(uint32_t)BELL_FLYING : still) &&
	    state == (token | BELL_TOLD)) {
		atomic_compare_exchange_strong(&b->state, &state, state & ~(uint32_t)BELL_FLYING);
	}
}

void bell_read_slow(unsigned index)
{
	struct bell *b = bell_at(index);
	uint32_t state = atomic_load(&b->state);

	if (b->kind == TRACE_WAKER_SIGNALFD || (b->kind == TRACE_WAKER_TIMERFD && b->repeats)) {
		atomic_fetch_and(&b->state, ~(uint32_t)BELL_TOLD);
	} else if ((state & BELL_PHASE) == BELL_RUNG || (state & BELL_PHASE) == BELL_UNSURE) {
		/* One that was rung anew meanwhile is not in what was read, perhaps. */
		atomic_compare_exchange_strong(&b->state, &state,
					       (state & ~(uint32_t)(BELL_NUMBER - 1)) | BELL_STILL);
	}
}

unsigned bell_of_timer(int fd)
{
	unsigned index = bell_stilled_by(fd);

	if (!index || bell_at(index)->kind != TRACE_WAKER_TIMERFD) {
		return 0;
	}
	turn_still(bell_at(index));
	return index;
}

void bell_timer_set(struct arch_caller caller, unsigned index, bool repeats)
{
	struct bell *b = bell_at(index);
	uint32_t state = atomic_load(&b->state);
	struct call c;

	if (bell_is_inside_a_hook() || !shim_enter_with(&c, caller, ROOM_EARLY)) {
		return;
	}
	c.stack = stack_id(&c);
	if ((state & BELL_PHASE) == BELL_STILL) {
		b->repeats = repeats;
		remember(&c, b, state, 0);
	}
	shim_leave(&c);
}

/* ---- epoll ---- */

/* One bit for each (epoll, data) that was ever registered for what is no bell: others may share it. */
static uint64_t filter_hash(int q, uint64_t data)
{
	return (data ^ (uint64_t)(unsigned)q << 40) * 0x9e3779b97f4a7c15u >> 52;
}

static void note_stranger(int q, uint64_t data)
{
	uint64_t h = filter_hash(q, data);

	shim->bells.filter[h / 64] |= UINT64_C(1) << h % 64;
	for (unsigned i = atomic_load(&shim->bells.watched[q]); i; i = bell_at(i)->next) {
		bell_at(i)->doubtful |= bell_at(i)->data == data;
	}
}

static void enlist(unsigned index, int q, int fd, uint32_t events, uint64_t data)
{
	struct bell *b = bell_at(index);
	uint64_t h = filter_hash(q, data);

	unregister(index);
	b->edge = events & EPOLLET;
	b->data = data;
	b->number = (uint16_t)fd;
	/* What a program that gives the number gives for others is another number. */
	b->doubtful = (uint32_t)data != (uint32_t)fd && shim->bells.filter[h / 64] >> h % 64 & 1;
	for (unsigned i = atomic_load(&shim->bells.watched[q]); i; i = bell_at(i)->next) {
		if (bell_at(i)->data == data) {
			bell_at(i)->doubtful = b->doubtful = true;
		}
	}
	b->epoll = (int16_t)q;
	b->next = atomic_load(&shim->bells.watched[q]);
	atomic_store(&shim->bells.watched[q], (uint16_t)index);
	note_top(q);
}

void bell_registered(struct arch_caller caller, int q, int fd, const struct epoll_event *event)
{
	uint32_t events = event ? event->events : 0;
	struct descriptor *d;
	struct call c;
	unsigned index;

	if (!bell_is_number(q) || !bell_is_number(fd)) {
		return;
	}
	d = &shim->descriptor[fd];
	if (!event && !atomic_load(&d->stills)) {
		return;
	}
	if (!descriptor_begin(&c, caller)) {
		return;
	}
	if (events & EPOLLIN && bell_may_be_channel(d)) {
		bell_watch_channel(fd);
	}
	spin_lock(&shim->ipc_lock);
	index = atomic_load(&d->stills);
	if (index && bell_at(index)->epoll == q && bell_at(index)->number == fd) {
		unregister(index);
	}
	if (index && events & EPOLLIN) {
		enlist(index, q, fd, events, event->data.u64);
	} else if (event) {
		note_stranger(q, event->data.u64);
	}
	spin_unlock(&shim->ipc_lock);
	shim_leave(&c);
}
