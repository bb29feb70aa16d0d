/* SPDX-License-Identifier: MIT */
/*
 * tsan_atomic.c - atomic operations: done as asked, and recorded with the order they give. Safety class HOT.
 *
 * A release gets its number before the operation, an acquire after it: whatever an acquire has seen has a lower number, without a lock
 * that a signal handler could find taken. An acquire may get an edge too many that way, when its value is older than its number: that
 * can hide a race, never make one.
 *
 * A load that can have seen no release that this thread's newest recorded load of the address did not see, and that saw the same, orders
 * nothing new: a loop that waits for a flag is two records long.
 *
 * What was read and what was left is told by a byte each: who asks which write a read saw (analyzer/recorded/) has an answer then.
 */
#include "tsan.h"

enum { READS = 1, WRITES = 2 };

/* extra of TM_SYNC: the access in its high half. */
static hot_inline unsigned access_of(unsigned does, unsigned bytes)
{
	unsigned log = bytes == 1 ? 0 : bytes == 2 ? 1 : bytes == 4 ? 2 : bytes == 8 ? 3 : 4;

	return (1 + log + (does & WRITES ? 8 : 0)) << 4;
}

static hot_inline bool acquires(int order)
{
	return order == __ATOMIC_CONSUME || order == __ATOMIC_ACQUIRE ||
	       order == __ATOMIC_ACQ_REL || order == __ATOMIC_SEQ_CST;
}
static hot_inline bool releases(int order)
{
	return order == __ATOMIC_RELEASE || order == __ATOMIC_ACQ_REL || order == __ATOMIC_SEQ_CST;
}

/* A byte of a value: small numbers are themselves. */
static hot_inline uint64_t byte_of(uint64_t value)
{
	value ^= value >> 32;
	value ^= value >> 16;
	return (value ^ value >> 8) & 0xff;
}

/* For sync_note: what an operation saw, and what it left. */
static hot_inline uint64_t value_seen(uint64_t value)
{
	return TM_SAW << 16 | byte_of(value);
}
static hot_inline uint64_t value_left(uint64_t value)
{
	return TM_LEFT << 16 | byte_of(value) << 8;
}

void sync_note(struct lane *t, uintptr_t address, unsigned extra, uint64_t before, uint64_t values,
	       uintptr_t pc, uintptr_t sp)
{
	uint64_t after = 0;
	struct tm_record *r;

	if (extra & (TM_ACQUIRE | TM_MAY_ACQUIRE)) {
		after = (atomic_fetch_add_explicit(&world->bucket[tm_bucket(address)].state, 1,
						   memory_order_seq_cst) &
			 BUCKET_NUMBER) +
			1;
	}
	/* After the operation: who has seen what a thread did after it was cut, sees that. */
	if (unlikely(__atomic_load_n(&tsan_header->flags, __ATOMIC_ACQUIRE))) {
		t->on = t->syncs = false;
		return;
	}
	if (lane_is_behind(t)) {
		lane_context(t, sp);
	}
	epoch_next(t);
	r = reserve(t, 2);
	record_put(r + 1, TM_A(TM_NUMBERS, values >> 16, before),
		   after | (values & 0xffff) << TM_ADDRESS_BITS);
	record_put(r, TM_A(TM_SYNC, extra, address), TM_B(generation(address), pc));
}

/* Did the load see nothing that the one before it did not? `state` of its bucket, read after it. */
static hot_inline bool load_is_known(struct lane *t, uintptr_t address, uint32_t relaxed,
				     uint64_t values)
{
	struct seen_load *s = &t->seen[(address >> 3) % SEEN];
	uint32_t writes = (uint32_t)(atomic_load(&world->bucket[tm_bucket(address)].state) >> 40);

	if (s->address == address && (s->writes & 0xffffff) == writes &&
	    (relaxed || !(s->writes >> 31)) && s->value == (uint8_t)values) {
		return true;
	}
	/* Before the number of this load is taken: a release that is counted here has a lower one. */
	s->address = address;
	s->writes = writes | relaxed << 31;
	s->value = (uint8_t)values;
	return false;
}

static hot_inline void after_load(struct lane *t, uintptr_t a, unsigned bytes, int order,
				  uint64_t values, uintptr_t pc, uintptr_t sp)
{
	bool relaxed = !acquires(order);

	if (!t->syncs) {
		return;
	}
	if (relaxed && !atomic_load_explicit(&world->fences, memory_order_relaxed)) {
		access_note(a, TM_READ | TM_ATOMIC, bytes, pc, sp);
	} else if (!load_is_known(t, a, relaxed, values)) {
		sync_note(t, a, access_of(READS, bytes) | (relaxed ? TM_MAY_ACQUIRE : TM_ACQUIRE),
			  0, values, pc, sp);
	}
}

/* Before a store or a read-modify-write: the number of its release, 0 = it is none. */
static hot_inline uint64_t before_write(struct lane *t, uintptr_t a, int order)
{
	if (!t->syncs ||
	    (!releases(order) && !atomic_load_explicit(&world->fences, memory_order_relaxed))) {
		return 0;
	}
	return release_number(t, a);
}

static hot_inline void after_write(struct lane *t, uintptr_t a, unsigned bytes, unsigned does,
				   int order, uint64_t before, uint64_t values, uintptr_t pc,
				   uintptr_t sp)
{
	unsigned sync = 0;
	bool fences;

	if (!t->syncs) {
		return;
	}
	fences = atomic_load_explicit(&world->fences, memory_order_relaxed);
	if (before) {
		sync |= releases(order) ? TM_RELEASE : TM_MAY_RELEASE;
	}
	if (does & READS && (acquires(order) || fences)) {
		sync |= acquires(order) ? TM_ACQUIRE : TM_MAY_ACQUIRE;
	}
	if (!sync) {
		access_note(a, TM_READ | TM_WRITE | TM_ATOMIC, bytes, pc, sp);
		return;
	}
	sync_note(t, a, access_of(does | WRITES, bytes) | sync, before, values, pc, sp);
}

/* A compare-and-exchange that failed was a load; its release number is told so that none is missing. */
static hot_inline void after_failure(struct lane *t, uintptr_t a, unsigned bytes, int order,
				     uint64_t before, uint64_t values, uintptr_t pc, uintptr_t sp)
{
	if (!before) {
		after_load(t, a, bytes, order, values, pc, sp);
	} else if (t->syncs) {
		sync_note(t, a,
			  access_of(READS, bytes) | (acquires(order) ? TM_ACQUIRE : TM_MAY_ACQUIRE),
			  before, values, pc, sp);
	}
}

/* On x86-64 every load acquires and every store releases: only a store that is sequentially consistent differs. */
#define STORE_AS_ASKED(a, v, order)                               \
	do {                                                      \
		if (order == __ATOMIC_SEQ_CST)                    \
			__atomic_store_n(a, v, __ATOMIC_SEQ_CST); \
		else                                              \
			__atomic_store_n(a, v, __ATOMIC_RELEASE); \
	} while (0)

#define HERE CALLER_PC(), CALLER_SP()

#define CHANGE(bits, type, name, operation, left)                                         \
	EXPORT type __tsan_atomic##bits##_##name(volatile type *a, type v, int order)     \
	{                                                                                 \
		struct lane *t = lane_get();                                              \
		uint64_t before = before_write(t, (uintptr_t)a, order);                   \
		type old = operation;                                                     \
                                                                                          \
		after_write(t, (uintptr_t)a, sizeof(type), READS | WRITES, order, before, \
			    value_seen(old) | value_left((type)(left)), HERE);            \
		return old;                                                               \
	}

#define EXCHANGE_IF(bits, type, name, weak)                                                        \
	EXPORT int __tsan_atomic##bits##_compare_exchange_##name(volatile type *a, type *expected, \
								 type v, int order, int failed)    \
	{                                                                                          \
		struct lane *t = lane_get();                                                       \
		uint64_t before = before_write(t, (uintptr_t)a, order);                            \
		bool done = __atomic_compare_exchange_n(a, expected, v, weak, __ATOMIC_SEQ_CST,    \
							__ATOMIC_SEQ_CST);                         \
                                                                                                   \
		if (done)                                                                          \
			after_write(t, (uintptr_t)a, sizeof(type), READS | WRITES, order, before,  \
				    value_seen(*expected) | value_left(v), HERE);                  \
		else                                                                               \
			after_failure(t, (uintptr_t)a, sizeof(type), failed, before,               \
				      value_seen(*expected), HERE);                                \
		return done;                                                                       \
	}

#define ATOMIC(bits, type)                                                                        \
	EXPORT type __tsan_atomic##bits##_load(const volatile type *a, int order)                 \
	{                                                                                         \
		type v = __atomic_load_n(a, __ATOMIC_ACQUIRE);                                    \
                                                                                                  \
		after_load(lane_get(), (uintptr_t)a, sizeof(type), order, value_seen(v), HERE);   \
		return v;                                                                         \
	}                                                                                         \
	EXPORT void __tsan_atomic##bits##_store(volatile type *a, type v, int order)              \
	{                                                                                         \
		struct lane *t = lane_get();                                                      \
		uint64_t before = before_write(t, (uintptr_t)a, order);                           \
                                                                                                  \
		STORE_AS_ASKED(a, v, order);                                                      \
		after_write(t, (uintptr_t)a, sizeof(type), WRITES, order, before, value_left(v),  \
			    HERE);                                                                \
	}                                                                                         \
	CHANGE(bits, type, exchange, __atomic_exchange_n(a, v, __ATOMIC_SEQ_CST), v)              \
	CHANGE(bits, type, fetch_add, __atomic_fetch_add(a, v, __ATOMIC_SEQ_CST), old + v)        \
	CHANGE(bits, type, fetch_sub, __atomic_fetch_sub(a, v, __ATOMIC_SEQ_CST), old - v)        \
	CHANGE(bits, type, fetch_and, __atomic_fetch_and(a, v, __ATOMIC_SEQ_CST), old &v)         \
	CHANGE(bits, type, fetch_or, __atomic_fetch_or(a, v, __ATOMIC_SEQ_CST), old | v)          \
	CHANGE(bits, type, fetch_xor, __atomic_fetch_xor(a, v, __ATOMIC_SEQ_CST), old ^ v)        \
	CHANGE(bits, type, fetch_nand, __atomic_fetch_nand(a, v, __ATOMIC_SEQ_CST), ~(old & v))   \
	EXCHANGE_IF(bits, type, strong, 0)                                                        \
	EXCHANGE_IF(bits, type, weak, 1)                                                          \
	EXPORT type __tsan_atomic##bits##_compare_exchange_val(volatile type *a, type expected,   \
							       type v, int order, int failed)     \
	{                                                                                         \
		struct lane *t = lane_get();                                                      \
		uint64_t before = before_write(t, (uintptr_t)a, order);                           \
                                                                                                  \
		if (__atomic_compare_exchange_n(a, &expected, v, 0, __ATOMIC_SEQ_CST,             \
						__ATOMIC_SEQ_CST))                                \
			after_write(t, (uintptr_t)a, sizeof(type), READS | WRITES, order, before, \
				    value_seen(expected) | value_left(v), HERE);                  \
		else                                                                              \
			after_failure(t, (uintptr_t)a, sizeof(type), failed, before,              \
				      value_seen(expected), HERE);                                \
		return expected;                                                                  \
	}

ATOMIC(8, uint8_t)
ATOMIC(16, uint16_t)
ATOMIC(32, uint32_t)
ATOMIC(64, uint64_t)

/* ---- 16 bytes: cmpxchg16b is all there is ---- */

typedef unsigned __int128 wide;

static hot_inline uint64_t wide_fold(wide value)
{
	return (uint64_t)value ^ (uint64_t)(value >> 64);
}

static hot_inline wide wide_load(const volatile wide *a)
{
	return __sync_val_compare_and_swap((volatile wide *)(uintptr_t)a, 0, 0);
}

EXPORT wide __tsan_atomic128_load(const volatile wide *a, int order)
{
	wide v = wide_load(a);

	after_load(lane_get(), (uintptr_t)a, 16, order, value_seen(wide_fold(v)), HERE);
	return v;
}

#define WIDE_CHANGE(name, value)                                                              \
	EXPORT wide __tsan_atomic128_##name(volatile wide *a, wide v, int order)              \
	{                                                                                     \
		struct lane *t = lane_get();                                                  \
		uint64_t before = before_write(t, (uintptr_t)a, order);                       \
		wide old = wide_load(a), seen;                                                \
                                                                                              \
		while ((seen = __sync_val_compare_and_swap(a, old, value)) != old)            \
			old = seen;                                                           \
		after_write(t, (uintptr_t)a, 16, READS | WRITES, order, before,               \
			    value_seen(wide_fold(old)) | value_left(wide_fold(value)), HERE); \
		return old;                                                                   \
	}
WIDE_CHANGE(exchange, v)
WIDE_CHANGE(fetch_add, old + v)
WIDE_CHANGE(fetch_sub, old - v)
WIDE_CHANGE(fetch_and, old &v)
WIDE_CHANGE(fetch_or, old | v)
WIDE_CHANGE(fetch_xor, old ^ v)
WIDE_CHANGE(fetch_nand, ~(old &v))

EXPORT void __tsan_atomic128_store(volatile wide *a, wide v, int order)
{
	struct lane *t = lane_get();
	uint64_t before = before_write(t, (uintptr_t)a, order);
	wide old = wide_load(a), seen;

	while ((seen = __sync_val_compare_and_swap(a, old, v)) != old)
		old = seen;
	after_write(t, (uintptr_t)a, 16, WRITES, order, before, value_left(wide_fold(v)), HERE);
}

static hot_inline wide wide_exchange_if(volatile wide *a, wide expected, wide v, int order,
					int failed, uintptr_t pc, uintptr_t sp)
{
	struct lane *t = lane_get();
	uint64_t before = before_write(t, (uintptr_t)a, order);
	wide seen = __sync_val_compare_and_swap(a, expected, v);

	if (seen == expected)
		after_write(t, (uintptr_t)a, 16, READS | WRITES, order, before,
			    value_seen(wide_fold(seen)) | value_left(wide_fold(v)), pc, sp);
	else
		after_failure(t, (uintptr_t)a, 16, failed, before, value_seen(wide_fold(seen)), pc,
			      sp);
	return seen;
}

EXPORT wide __tsan_atomic128_compare_exchange_val(volatile wide *a, wide expected, wide v,
						  int order, int failed)
{
	return wide_exchange_if(a, expected, v, order, failed, HERE);
}
EXPORT int __tsan_atomic128_compare_exchange_strong(volatile wide *a, wide *expected, wide v,
						    int order, int failed)
{
	wide wanted = *expected, seen = wide_exchange_if(a, wanted, v, order, failed, HERE);

	*expected = seen;
	return seen == wanted;
}
EXPORT int __tsan_atomic128_compare_exchange_weak(volatile wide *a, wide *expected, wide v,
						  int order, int failed)
{
	wide wanted = *expected, seen = wide_exchange_if(a, wanted, v, order, failed, HERE);

	*expected = seen;
	return seen == wanted;
}

/* ---- fences ---- */

EXPORT void __tsan_atomic_thread_fence(int order)
{
	struct lane *t = lane_get();

	if (order != __ATOMIC_RELAXED && t->syncs) {
		/* Before it: a relaxed store behind a release fence must find it set, and who reads its value too. */
		atomic_store(&world->fences, 1);
		if (lane_is_behind(t)) {
			lane_context(t, CALLER_SP());
		}
		epoch_next(t);
		record_put(reserve(t, 1),
			   TM_A(TM_FENCE,
				(acquires(order) ? TM_ACQUIRE : 0) |
					(releases(order) ? TM_RELEASE : 0),
				0),
			   TM_B(0, CALLER_PC()));
	}
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

EXPORT void __tsan_atomic_signal_fence(int order)
{
	(void)order;
	atomic_signal_fence(memory_order_seq_cst);
}
