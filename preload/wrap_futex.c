/* SPDX-License-Identifier: MIT */
/*
 * wrap_futex.c - futexes that a program uses behind libc's back, through syscall(2).
 *
 * Only the contended path of a lock built on a futex comes here: a wait or a wake. Nobody says what the word
 * means, so nobody owns it; a priority-inheriting futex alone holds its owner's kernel id. Where one of a
 * library's own locks lies at the address (the library called itself, past our hook), the event is about that.
 */
#include "wrap.h"

#include <linux/futex.h>

enum { TRACE_OBJECT_PI_FUTEX = TRACE_OBJECT_FUTEX | KIND_TYPE_1 };

/* For the naked entry: the real syscall(), NULL until it was looked up. */
__attribute__((used)) static void *futex_next_syscall;

__attribute__((used)) static void *resolve_syscall(void)
{
	shim_resolve_once();
	futex_next_syscall = (void *)(uintptr_t)real_syscall;
	return futex_next_syscall;
}

/* What one operation is about. */
struct futex_call {
	uintptr_t word;
	bool waits, wakes, inherits;
	bool timed;
	uint64_t expected; /* waits */
	uint64_t count;	   /* wakes */
};

/* False: not one that waits or wakes. */
static bool decode(struct futex_call *f, long word, long op, long value, long timeout)
{
	*f = (struct futex_call){ .word = (uintptr_t)word };
	switch (op & FUTEX_CMD_MASK) {
	case FUTEX_LOCK_PI:
	case 13: /* FUTEX_LOCK_PI2, since Linux 5.14 */
		f->inherits = true;
		f->waits = true;
		f->timed = timeout != 0;
		return true;
	case FUTEX_WAIT:
	case FUTEX_WAIT_BITSET:
	case FUTEX_WAIT_REQUEUE_PI:
		f->waits = true;
		f->timed = timeout != 0;
		f->expected = (uint32_t)value;
		return true;
	case FUTEX_WAKE:
	case FUTEX_WAKE_BITSET:
		f->wakes = true;
		f->count = (uint32_t)value;
		return true;
	case FUTEX_WAKE_OP: /* both words' waiters are woken: the second by `timeout` at most */
		f->wakes = true;
		f->count = (uint32_t)value;
		return true;
	case FUTEX_REQUEUE:
	case FUTEX_CMP_REQUEUE:
	case FUTEX_CMP_REQUEUE_PI: /* the rest goes on waiting elsewhere: no longer here */
		f->wakes = true;
		f->count = (uint64_t)(uint32_t)value + (uint32_t)timeout;
		return true;
	case FUTEX_UNLOCK_PI:
		f->inherits = true;
		f->wakes = true;
		f->count = 1;
		return true;
	default:
		return false;
	}
}

static bool find_word(struct call *c, uintptr_t word, bool inherits)
{
	struct object *o = object_peek(word);
	unsigned kind = inherits ? TRACE_OBJECT_PI_FUTEX : TRACE_OBJECT_FUTEX;

	c->stack = stack_id(c);
	if (o && !(o->flags & OBJECT_DESTROYED)) {
		kind = o->kind; /* of whatever lies there */
	}
	o = object_find_slow(c, word, kind);
	c->object = o;
	c->object_id = o ? o->id : 0;
	return o != NULL;
}

static bool wait_before(struct call *c, struct futex_call *f)
{
	uint32_t value = 0;

	if (!find_word(c, f->word, f->inherits)) {
		shim_leave(c);
		return false;
	}
	if (f->inherits && module_read(f->word, &value, sizeof(value))) {
		f->expected = value;
	}
	emit_osa_seq(c->s, TRACE_FUTEX_WAIT, c->object_id, c->stack, f->expected << 1 | f->timed,
		     0);
	wait_set(c, TRACE_WAIT_FUTEX, c->object_id, (uint32_t)f->expected,
		 f->timed ? TRACE_MODE_TIMED : 0, c->s->last_ticks);
	shim_leave(c);
	return true;
}

static void wait_after(struct call *c, int rc)
{
	shim_reenter(c);
	wait_clear(c);
	emit_or(c->s, TRACE_FUTEX_WOKEN, c->object_id, rc);
	shim_leave(c);
}

static void wake_before(struct call *c, const struct futex_call *f, long op, long word2,
			long count2)
{
	if (find_word(c, f->word, f->inherits)) {
		emit_osa_seq(c->s, TRACE_FUTEX_WAKE, c->object_id, c->stack, f->count, 0);
	}
	if ((op & FUTEX_CMD_MASK) == FUTEX_WAKE_OP && word2 &&
	    find_word(c, (uintptr_t)word2, false)) {
		emit_osa_seq(c->s, TRACE_FUTEX_WAKE, c->object_id, c->stack, (uint32_t)count2, 0);
	}
	shim_leave(c);
}

/* Entered by a jump from syscall(), as if called in its place. */
__attribute__((used)) static long futex_call(long n, long word, long op, long value, long timeout,
					     long word2, long value3)
{
	struct futex_call f;
	struct call call;
	long rc;

	if (!word || !decode(&f, word, op, value, timeout) || !shim_enter(&call)) {
		return real_syscall(n, word, op, value, timeout, word2, value3);
	}
	if (f.wakes) {
		wake_before(&call, &f, op, word2, timeout);
		return real_syscall(n, word, op, value, timeout, word2, value3);
	}
	if (!wait_before(&call, &f)) {
		return real_syscall(n, word, op, value, timeout, word2, value3);
	}
	rc = real_syscall(n, word, op, value, timeout, word2, value3);
	wait_after(&call, rc == -1 ? errno : 0);
	return rc;
}

EXPORT __attribute__((naked)) long syscall(long n __attribute__((unused)), ...)
{
	ARCH_SYSCALL_ENTRY(futex_call, futex_next_syscall, resolve_syscall);
}
