/* SPDX-License-Identifier: MIT */
/*
 * wrap_block.h - calls that may wait and are not locks: the wait slot says which one a thread is
 * in, and BLOCK / UNBLOCK records stand around one that is made while a lock is held.
 *
 * The common case, nothing held and nobody to name, is a cached stack and a few stores; a descriptor
 * that cannot wait (a file, O_NONBLOCK) costs a load. All of these are cancellation points: a
 * cancelled thread leaves its slot, which the next hook of the thread, or its end, clears. A signal
 * handler may call them and may fork: then the child comes back here with a stream that is wiped.
 */
#ifndef THRUM_WRAP_BLOCK_H
#define THRUM_WRAP_BLOCK_H

#include "wrap.h"

enum block_subject {
	BLOCK_NOTHING,
	BLOCK_DESCRIPTOR,
	BLOCK_QUEUE,
	BLOCK_SYSV_QUEUE,
	BLOCK_POLLED_DATA, /* a descriptor, blocking or not */
	BLOCK_POLLED_ROOM,
};

struct block_on {
	enum block_subject subject;
	int id;
};
#define ON_NOTHING ((struct block_on){ BLOCK_NOTHING, -1 })
#define ON_FD(fd) ((struct block_on){ BLOCK_DESCRIPTOR, fd })
#define ON_QUEUE(q) ((struct block_on){ BLOCK_QUEUE, q })
#define ON_SYSV_QUEUE(id) ((struct block_on){ BLOCK_SYSV_QUEUE, id })

/* Of one descriptor, without an end, and for one thing: as a read or a write of it. */
#define ON_POLLED(f, n, endless) ((endless) && (n) == 1 ? block_polled((uintptr_t)(f)) : ON_NOTHING)

/* SLOW: the host's array may be anywhere. */
struct block_on block_polled(uintptr_t array);

#define BLOCK_NEVER (1u << 31) /* as a mode: this call returns at once */
#define UNLESS(condition, mode) ((condition) ? BLOCK_NEVER : (unsigned)(mode))
#define UNTIL_MS(ms) ((ms) < 0 ? 0 : (ms) == 0 ? BLOCK_NEVER : (unsigned)TRACE_MODE_TIMED)
/* libc reads this one itself, always; it passes the others on, where a bad address gives EFAULT. */
#define UNTIL_OWN_TIMESPEC(t)                                  \
	(!(t)					 ? 0           \
	 : (t)->tv_sec == 0 && (t)->tv_nsec == 0 ? BLOCK_NEVER \
						 : (unsigned)TRACE_MODE_TIMED)
#define UNTIL_TIME(t) ((t) ? (unsigned)TRACE_MODE_TIMED : 0)

/* SLOW: what it waits for, defined; adds TIMED to `mode` where the object has a timeout. 0 = nobody. */
uint32_t block_object(struct call *c, struct block_on on, unsigned *mode);

/* HOT when nothing is held: sets the slot. False: not noted. `ret_held`: a BLOCK was written. */
static hot_inline bool block_before(struct call *c, struct arch_caller caller, unsigned number,
				    struct block_on on, unsigned mode, bool *ret_held)
{
	unsigned class = DESCRIPTOR_PLAIN;
	uint32_t object = 0;
	uint64_t since = 0;

	if (unlikely(mode == BLOCK_NEVER)) {
		return false;
	}
	if (on.subject == BLOCK_DESCRIPTOR) {
		class = descriptor_class(on.id);
		if (likely(class == DESCRIPTOR_QUICK)) {
			return false;
		}
	}
	/* From a handler that interrupted a hook: passes uncounted, no lock is missed by it. */
	if (unlikely(shim_stream && shim_stream->busy) ||
	    unlikely(!shim_enter_with(c, caller, ROOM_EARLY))) {
		return false;
	}
	if (unlikely(class == DESCRIPTOR_UNKNOWN)) {
		class = descriptor_learn(on.id);
		if (class == DESCRIPTOR_QUICK) {
			shim_leave(c);
			return false;
		}
	}
	c->stack = stack_id(c);
	if (unlikely(class == DESCRIPTOR_CHANNEL || on.subject > BLOCK_DESCRIPTOR)) {
		object = block_object(c, on, &mode);
		since = arch_ticks();
	}
	*ret_held = c->s->held != 0;
	if (unlikely(*ret_held)) {
		emit_osa_seq(c->s, TRACE_BLOCK, object, c->stack, number, 0);
		since = c->s->last_ticks;
	}
	wait_set(c, TRACE_WAIT_CALL, object, number, mode, since);
	shim_leave(c);
	return true;
}

/* HOT: `rc` is an errno value, only looked at when a BLOCK was written. */
static hot_inline void block_after(struct call *c, unsigned number, bool held, int rc)
{
	if (likely(!held && !c->saved)) {
		if (likely(c->s->segment != NULL)) {
			__atomic_store_n(&c->s->segment->wait.kind, TRACE_WAIT_NONE,
					 __ATOMIC_RELEASE);
		}
		return;
	}
	if (unlikely(!c->s->segment)) {
		return;
	}
	shim_reenter(c);
	wait_clear(c);
	if (held) {
		emit_plain(c->s, TRACE_UNBLOCK, 2, number, encode_zigzag(rc), 0);
	}
	shim_leave(c);
}

#define PRIM_BLOCK(call_, ret, name, params, args, on_, mode_)                                    \
	EXPORT ret name params                                                                    \
	{                                                                                         \
		struct call call;                                                                 \
		bool held;                                                                        \
		ret rc;                                                                           \
                                                                                                  \
		if (!block_before(&call, ARCH_CALLER(), TRACE_CALL_##call_, on_, mode_, &held)) { \
			return real_##name args;                                                  \
		}                                                                                 \
		rc = real_##name args;                                                            \
		block_after(&call, TRACE_CALL_##call_, held, held ? RESULT(rc) : 0);              \
		return rc;                                                                        \
	}

#endif
