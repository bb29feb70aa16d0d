/* SPDX-License-Identifier: MIT */
/*
 * steer_calls.c - leads the real functions that take and give locks through steer_stand.c and steer_perturb.c, when asked for.
 *
 * Not led: calls that only try or give up after a time, which end no deadlock and begin none; pthread_cond_clockwait, which a libc
 * before 2.30 does not have.
 */
#include "steer.h"

#include <errno.h>

#define HERE ((uintptr_t)__builtin_frame_address(0))
#define ADDRESS(p) ((uintptr_t)(p))

/* TAKES(name, type): a call of one argument that waits until it has that lock. GIVES: that gives it back. */
#define TAKES_ALL                                      \
	TAKES(pthread_mutex_lock, pthread_mutex_t)     \
	TAKES(pthread_rwlock_rdlock, pthread_rwlock_t) \
	TAKES(pthread_rwlock_wrlock, pthread_rwlock_t) \
	TAKES(pthread_spin_lock, pthread_spinlock_t)   \
	TAKES(mtx_lock, mtx_t)                         \
	TAKES(sem_wait, sem_t)
#define GIVES_ALL                                      \
	GIVES(pthread_mutex_unlock, pthread_mutex_t)   \
	GIVES(pthread_rwlock_unlock, pthread_rwlock_t) \
	GIVES(pthread_spin_unlock, pthread_spinlock_t) \
	GIVES(mtx_unlock, mtx_t)                       \
	GIVES(sem_post, sem_t)
/* WAITS(name, condition's type, mutex's type, further parameters, further arguments) */
#define WAITS_ALL                                                                        \
	WAITS(pthread_cond_wait, (pthread_cond_t * c, pthread_mutex_t * m), (c, m))      \
	WAITS(pthread_cond_timedwait,                                                    \
	      (pthread_cond_t *restrict c, pthread_mutex_t *restrict m,                  \
	       const struct timespec *restrict t),                                       \
	      (c, m, t))                                                                 \
	WAITS(cnd_wait, (cnd_t * c, mtx_t * m), (c, m))                                  \
	WAITS(cnd_timedwait,                                                             \
	      (cnd_t *restrict c, mtx_t *restrict m, const struct timespec *restrict t), \
	      (c, m, t))

static void perturb(uintptr_t address)
{
	if (shim_options.perturb) {
		steer_perturb(address);
	}
}

#define TAKES(name, type)                                        \
	static __typeof__(real_##name) next_##name;              \
	static int steer_##name(type *lock)                      \
	{                                                        \
		struct steer_call call;                          \
		int rc;                                          \
                                                                 \
		perturb(ADDRESS(lock));                          \
		steer_before(&call, ADDRESS(lock), HERE);        \
		rc = next_##name(lock);                          \
		steer_after(&call, rc == 0 || rc == EOWNERDEAD); \
		return rc;                                       \
	}
#define GIVES(name, type)                           \
	static __typeof__(real_##name) next_##name; \
	static int steer_##name(type *lock)         \
	{                                           \
		int rc;                             \
                                                    \
		steer_released(ADDRESS(lock));      \
		rc = next_##name(lock);             \
		perturb(ADDRESS(lock));             \
		return rc;                          \
	}
#define WAITS(name, params, args)                                       \
	static __typeof__(real_##name) next_##name;                     \
	static int steer_##name params                                  \
	{                                                               \
		struct steer_call call;                                 \
		int rc;                                                 \
                                                                        \
		perturb(ADDRESS(c));                                    \
		steer_wait_before(&call, ADDRESS(c), ADDRESS(m), HERE); \
		rc = next_##name args;                                  \
		steer_after(&call, true);                               \
		return rc;                                              \
	}
/* clang-format off */
TAKES_ALL
GIVES_ALL
WAITS_ALL
#undef TAKES
#undef GIVES
#undef WAITS

/* Once: a forked child finds them led already. */
static void lead(void)
{
#define LEAD(name)                                                                                 \
	next_##name = real_##name;                                                                 \
	real_##name = (__typeof__(real_##name))steer_##name;
#define TAKES(name, type) LEAD(name)
#define GIVES(name, type) LEAD(name)
#define WAITS(name, params, args) LEAD(name)
	TAKES_ALL
	GIVES_ALL
	WAITS_ALL
}
/* clang-format on */

void steer_arm(void)
{
	static bool is_led;
	bool wanted = shim_options.perturb;

	if (shim_options.steer && steer_plan_open() && steer_stand_arm()) {
		wanted = true;
	}
	if (wanted && !is_led) {
		lead();
		is_led = true;
	}
}
