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

#include "shim_races.h"
#include "shim_task.h"
#include "wrap.h"
#include "wrap_bell.h"

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

/* What is to be recorded when the call came back: else the ticks when it began, inside a callback. */
enum { BLOCK_NOTHING_TO_SAY = 0, BLOCK_WAS_SAID = 1 };

/* HOT: is a read or write of it over at once, as far as anybody asks? */
static hot_inline bool block_is_quick(unsigned class)
{
	const struct stream *s = shim_stream;

	return class == DESCRIPTOR_QUICK ||
	       (class == DESCRIPTOR_FILE &&
		(!s || !(s->task || s->callback_count || s->turns >= TURNS_A_LOOP) || s->held));
}

/* What a descriptor leads to tells more than the name of the call. */
static inline unsigned block_number(unsigned number, unsigned class)
{
	if (class == DESCRIPTOR_FILE && number == TRACE_CALL_READ) {
		return TRACE_CALL_FILE_READ;
	}
	return class == DESCRIPTOR_FILE && number == TRACE_CALL_WRITE ? TRACE_CALL_FILE_WRITE
								      : number;
}

/* Outside of callbacks that is what a loop does when it has nothing to do. */
static inline bool block_is_turn(unsigned number)
{
	return number == TRACE_CALL_POLL || number == TRACE_CALL_SELECT ||
	       number == TRACE_CALL_EPOLL_WAIT;
}

/* HOT when nothing is held: sets the slot. False: not noted. */
static hot_inline bool block_before(struct call *c, struct arch_caller caller, unsigned number,
				    struct block_on on, unsigned mode, uint64_t *ret_note)
{
	unsigned class = DESCRIPTOR_PLAIN;
	uint32_t object = 0;
	uint64_t since = 0;

	if (unlikely(mode == BLOCK_NEVER)) {
		return false;
	}
	if (on.subject == BLOCK_DESCRIPTOR) {
		class = descriptor_class(on.id);
		if (likely(block_is_quick(class))) {
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
		if (block_is_quick(class)) {
			shim_leave(c);
			return false;
		}
	}
	c->stack = stack_id(c);
	number = block_number(number, class);
	if (unlikely(class == DESCRIPTOR_CHANNEL || on.subject > BLOCK_DESCRIPTOR)) {
		object = block_object(c, on, &mode);
		since = arch_ticks();
	}
	*ret_note = BLOCK_NOTHING_TO_SAY;
	if (unlikely(c->s->held != 0)) {
		*ret_note = BLOCK_WAS_SAID;
		emit_osa_seq(c->s, TRACE_BLOCK, object, c->stack, number, 0);
		since = c->s->last_ticks;
	} else if (unlikely(block_is_turn(number) ? task_is_inside(c->s, c->caller.sp)
						  : task_is_awaited(c->s, c->caller.sp)) &&
		   !c->s->blocks) {
		since = since ? since : arch_ticks();
		*ret_note = since;
	}
	wait_set(c, TRACE_WAIT_CALL, object, number, mode, since);
	shim_leave(c);
	return true;
}

/* HOT: `rc` is an errno value, only looked at when BLOCK_WAS_SAID. It was to take `most_us` or less: task_blocked. */
static hot_inline void block_after(struct call *c, uint64_t note, int rc, uint64_t most_us)
{
	uint32_t number, object;

	if (likely(!note && !c->saved)) {
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
	number = c->s->segment->wait.other;
	object = c->s->segment->wait.object;
	wait_clear(c);
	if (note == BLOCK_WAS_SAID) {
		emit_plain(c->s, TRACE_UNBLOCK, 2, number, encode_zigzag(rc), 0);
	}
	shim_leave(c);
	if (note > BLOCK_WAS_SAID) {
		task_blocked(c->caller, number, object, note, most_us);
	}
}

#define PRIM_BLOCK(call_, ret, name, params, args, on_, mode_)                                    \
	EXPORT ret name params                                                                    \
	{                                                                                         \
		struct call call;                                                                 \
		uint64_t note;                                                                    \
		ret rc;                                                                           \
                                                                                                  \
		if (!block_before(&call, ARCH_CALLER(), TRACE_CALL_##call_, on_, mode_, &note)) { \
			return real_##name args;                                                  \
		}                                                                                 \
		rc = real_##name args;                                                            \
		block_after(&call, note, note == 1 ? RESULT(rc) : 0, UINT64_MAX);                 \
		return rc;                                                                        \
	}

/* By the names that the rows give their arguments. One that came back with success has read its argument. */
#define ASKED_sleep ((uint64_t)s * 1000000)
#define ASKED_usleep ((uint64_t)u)
#define ASKED_nanosleep block_asked_us(t)
#define ASKED_thrd_sleep block_asked_us(t)
#define ASKED_clock_nanosleep (flags & TIMER_ABSTIME ? UINT64_MAX : block_asked_us(t))

static inline uint64_t block_asked_us(const struct timespec *t)
{
	return (uint64_t)t->tv_sec * 1000000 + (uint64_t)t->tv_nsec / 1000;
}

/* The same for what waits for a time: what goes by after that, before the thread has a processor again, is no wait. */
#define PRIM_SLEEP(call_, ret, name, params, args, on_, mode_)                                    \
	EXPORT ret name params                                                                    \
	{                                                                                         \
		struct call call;                                                                 \
		uint64_t note;                                                                    \
		ret rc;                                                                           \
                                                                                                  \
		if (!block_before(&call, ARCH_CALLER(), TRACE_CALL_##call_, on_, mode_, &note)) { \
			return real_##name args;                                                  \
		}                                                                                 \
		rc = real_##name args;                                                            \
		block_after(&call, note, note == 1 ? RESULT(rc) : 0,                              \
			    note > BLOCK_WAS_SAID && rc == 0 ? ASKED_##name : UINT64_MAX);        \
		return rc;                                                                        \
	}

/* Where they read to and write from, by the names that the rows give their arguments: in case that is watched. */
#define PIECES_FLAT                               \
	{                                         \
		.one = {(void *)(uintptr_t)b, n } \
	}
#define PIECES_LIST                                              \
	{                                                        \
		.list = v, .count = n > 0 ? (unsigned long)n : 0 \
	}
#define PIECES_read PIECES_FLAT
#define PIECES___read_chk PIECES_FLAT
#define PIECES_readv PIECES_LIST
#define PIECES_pread PIECES_FLAT
#define PIECES_pread64 PIECES_FLAT
#define PIECES___pread_chk PIECES_FLAT
#define PIECES___pread64_chk PIECES_FLAT
#define PIECES_preadv PIECES_LIST
#define PIECES_preadv64 PIECES_LIST
#define PIECES_recv PIECES_FLAT
#define PIECES_recvfrom PIECES_FLAT
#define PIECES___recv_chk PIECES_FLAT
#define PIECES___recvfrom_chk PIECES_FLAT
#define PIECES_recvmsg races_pieces_of(m)
#define PIECES_write PIECES_FLAT
#define PIECES_writev PIECES_LIST
#define PIECES_pwrite PIECES_FLAT
#define PIECES_pwrite64 PIECES_FLAT
#define PIECES_pwritev PIECES_LIST
#define PIECES_pwritev64 PIECES_LIST
#define PIECES_send PIECES_FLAT
#define PIECES_sendto PIECES_FLAT
#define PIECES_sendmsg races_pieces_of(m)

/* The parts of what takes and of what gives: the call, what was read into watched memory, what is written from it before and after. */
#define CALL_BLOCKING(call_, name, args, on_, mode_)                                              \
	do {                                                                                      \
		struct call call;                                                                 \
		uint64_t note;                                                                    \
                                                                                                  \
		if (!block_before(&call, ARCH_CALLER(), TRACE_CALL_##call_, on_, mode_, &note)) { \
			rc = real_##name args;                                                    \
		} else {                                                                          \
			rc = real_##name args;                                                    \
			block_after(&call, note, note == 1 ? RESULT(rc) : 0, UINT64_MAX);         \
		}                                                                                 \
	} while (0)
#define PIECES_TAKEN(call_, name)                                               \
	do {                                                                    \
		if (races_are_armed()) {                                        \
			struct race_pieces p = PIECES_##name;                   \
			races_taken(ARCH_CALLER(), TRACE_CALL_##call_, &p, rc); \
		}                                                               \
	} while (0)
#define PIECES_GIVING(call_, name)                                                   \
	do {                                                                         \
		if (races_are_armed()) {                                             \
			struct race_pieces p = PIECES_##name;                        \
			watch = races_giving(ARCH_CALLER(), TRACE_CALL_##call_, &p); \
		}                                                                    \
	} while (0)
#define PIECES_GIVEN(call_, name)                                                      \
	do {                                                                           \
		if (unlikely(watch)) {                                                 \
			struct race_pieces p = PIECES_##name;                          \
			races_given(ARCH_CALLER(), watch, TRACE_CALL_##call_, &p, rc); \
		}                                                                      \
	} while (0)

/* The same for what takes from the descriptor `f`, or gives to it: it may be a bell. */
#define PRIM_TAKE(call_, ret, name, params, args, on_, mode_) \
	EXPORT ret name params                                \
	{                                                     \
		ret rc;                                       \
                                                              \
		CALL_BLOCKING(call_, name, args, on_, mode_); \
		bell_read(f, rc > 0);                         \
		PIECES_TAKEN(call_, name);                    \
		return rc;                                    \
	}

#define PRIM_GIVE(call_, ret, name, params, args, on_, mode_) \
	EXPORT ret name params                                \
	{                                                     \
		unsigned bell = bell_rung_by(f);              \
		uint32_t token = 0, watch = 0;                \
		ret rc;                                       \
                                                              \
		PIECES_GIVING(call_, name);                   \
		token = bell_writes(ARCH_CALLER(), bell);     \
		CALL_BLOCKING(call_, name, args, on_, mode_); \
		bell_written(bell, token, rc > 0);            \
		PIECES_GIVEN(call_, name);                    \
		turn_gave(f);                                 \
		return rc;                                    \
	}

#define PRIM_TAKE_AT(call_, ret, name, params, args, on_, mode_) \
	EXPORT ret name params                                   \
	{                                                        \
		ret rc = real_##name args;                       \
                                                                 \
		PIECES_TAKEN(call_, name);                       \
		return rc;                                       \
	}

#define PRIM_GIVE_AT(call_, ret, name, params, args, on_, mode_) \
	EXPORT ret name params                                   \
	{                                                        \
		uint32_t watch = 0;                              \
		ret rc;                                          \
                                                                 \
		PIECES_GIVING(call_, name);                      \
		rc = real_##name args;                           \
		PIECES_GIVEN(call_, name);                       \
		return rc;                                       \
	}

/* By the names that the rows give their arguments. */
#define BELLS_OF_POLL bell_poll(ARCH_CALLER(), f, n, rc)
#define BELLS_OF_SELECT bell_select(ARCH_CALLER(), n, r, rc)
#define BELLS_OF_EPOLL_WAIT bell_epoll(ARCH_CALLER(), q, e, rc)

/* Who asks one peer and waits for its answer, and for nothing else, turns no loop. SLOW where it has just written to someone. */
bool turn_awaits_answer_poll(uintptr_t array, unsigned long count);
bool turn_awaits_answer_select(int count, uintptr_t readable);
#define ANSWER_TO_POLL turn_awaits_answer_poll((uintptr_t)f, n)
#define ANSWER_TO_SELECT turn_awaits_answer_select(n, (uintptr_t)r)
#define ANSWER_TO_EPOLL_WAIT false

/* HOT: it wrote to `fd`. */
static hot_inline void turn_gave(int fd)
{
	if (shim_stream) {
		shim_stream->given = fd;
	}
}

/* HOT: one more turn. A loop that never waits for descriptors, only looks, rests in its other waits. */
static hot_inline void turn_counts(bool only_a_look)
{
	struct stream *s = shim_stream;

	if (unlikely(!s)) {
		return;
	}
	if (!only_a_look) {
		s->looks = 0;
		s->turns += s->turns < TURNS_A_LOOP;
	} else if (s->looks++ >= TURNS_A_LOOP) {
		s->turns = 0;
		s->looks = 0;
	}
}

/* A signal mask for the wait lets through what was blocked: a trap of ours must not end it. */
#define MASK_OF_poll NULL
#define MASK_OF_ppoll m
#define MASK_OF___poll_chk NULL
#define MASK_OF___ppoll_chk m
#define MASK_OF_select NULL
#define MASK_OF_pselect m
#define MASK_OF_epoll_wait NULL
#define MASK_OF_epoll_pwait m
#define MASK_OF_epoll_pwait2 m

/* Waits for descriptors: what happens between two of them is one turn of somebody's loop. `goes_on`: false = it was interrupted already. */
#define TURN_BODY(call_, ret, name, params, args, on_, mode_, goes_on)                          \
	EXPORT ret name params                                                                  \
	{                                                                                       \
		uint64_t note, since = arch_ticks();                                            \
		bool is_answer = ANSWER_TO_##call_;                                             \
		unsigned mode = (mode_);                                                        \
		struct call call;                                                               \
		ret rc = -1;                                                                    \
                                                                                                \
		task_wait_begins(ARCH_CALLER());                                                \
		if (MASK_OF_##name) {                                                           \
			races_take_traps();                                                     \
			races_masks(MASK_OF_##name);                                            \
		}                                                                               \
		if (block_before(&call, ARCH_CALLER(), TRACE_CALL_##call_, on_, mode, &note)) { \
			rc = (goes_on) ? real_##name args : -1;                                 \
			block_after(&call, note, note == 1 ? RESULT(rc) : 0, UINT64_MAX);       \
		} else {                                                                        \
			rc = (goes_on) ? real_##name args : -1;                                 \
		}                                                                               \
		BELLS_OF_##call_;                                                               \
		if (!is_answer) {                                                               \
			turn_counts(mode == BLOCK_NEVER);                                       \
			if (mode != BLOCK_NEVER || task_turn_may_end(since)) {                  \
				task_turn(ARCH_CALLER(), since, mode == 0,                      \
					  rc < 0 ? -RESULT(rc) : rc);                           \
			}                                                                       \
		}                                                                               \
		return rc;                                                                      \
	}
#define PRIM_TURN(call_, ret, name, params, args, on_, mode_) \
	TURN_BODY(call_, ret, name, params, args, on_, mode_, true)
/* The same of an epoll: a Python loop that comes to rest there is looked at. The timeout is `ms`, the descriptor `q`. */
#define PRIM_REST(call_, ret, name, params, args, on_, mode_) \
	TURN_BODY(call_, ret, name, params, args, on_, mode_, \
		  likely(!python_frames) || python_rest(ARCH_CALLER(), q, &ms))

#endif
