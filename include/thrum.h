/* SPDX-License-Identifier: MIT */
/*
 * thrum.h - tell thrum what it cannot see: names, orders, tasks and fibers, hand-overs, locks of your own.
 *
 * Include it and call it; there is nothing to link. Every function is a weak symbol that libthrum.so defines
 * when the program is recorded: without thrum a call is one comparison with NULL, and returns 0. All are safe
 * in any thread at any time after main began, never change errno and never block. Addresses of locks are those
 * that the program locks: &mutex, also of std::mutex, GMutex, QMutex or a semaphore. Strings are copied; what
 * is beyond 255 bytes is cut off. docs/annotations.md has examples.
 *
 * Built as C it needs GCC or Clang. In an executable that is linked with -no-pie, compile the files that use
 * this with -fPIE, else the linker decides for good that there is no thrum.
 */
#ifndef THRUM_H
#define THRUM_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define THRUM_WEAK __attribute__((weak, nothrow))
#define THRUM_INLINE static inline __attribute__((unused))

/* What libthrum.so defines. Not to be called directly. */
void thrum__lock_name(const void *lock, const char *name) THRUM_WEAK;
void thrum__lock_class(const void *lock, const char *name) THRUM_WEAK;
void thrum__lock_order(const void *before, const void *after) THRUM_WEAK;
void thrum__class_order(const char *before, const char *after) THRUM_WEAK;
void thrum__lock_init(const void *lock, uint32_t recursive) THRUM_WEAK;
void thrum__lock_destroy(const void *lock) THRUM_WEAK;
void thrum__lock_acquiring(const void *lock, uint32_t mode) THRUM_WEAK;
void thrum__lock_acquired(const void *lock, uint32_t mode) THRUM_WEAK;
void thrum__lock_releasing(const void *lock) THRUM_WEAK;
void thrum__lock_hand_over(const void *lock, uint64_t thread) THRUM_WEAK;
uint32_t thrum__task_create(const char *name, uint64_t correlation) THRUM_WEAK;
void thrum__task_step(uint32_t task, uint32_t step) THRUM_WEAK;
void thrum__fiber_switch(uint32_t fiber) THRUM_WEAK;
void thrum__benign(uint32_t begin) THRUM_WEAK;

/* Is this process being recorded? */
THRUM_INLINE int thrum_is_here(void)
{
	return thrum__lock_name != 0;
}

/* ---- names and orders ---- */

/* Reports call the lock this, instead of the variable it lies in. Before its first use or after. */
THRUM_INLINE void thrum_lock_name(const void *lock, const char *name)
{
	if (thrum__lock_name)
		thrum__lock_name(lock, name);
}

/* Locks of one class play one part: "account", "connection". Reports name the class beside the lock. */
THRUM_INLINE void thrum_lock_class(const void *lock, const char *name)
{
	if (thrum__lock_class)
		thrum__lock_class(lock, name);
}

/*
 * Where both are held, `before` is taken first. A thread that waits for `before` while it holds `after` is
 * reported, even if nobody ever took them the other way round.
 */
THRUM_INLINE void thrum_lock_order(const void *before, const void *after)
{
	if (thrum__lock_order)
		thrum__lock_order(before, after);
}

/* The same of all locks of two different classes. */
THRUM_INLINE void thrum_class_order(const char *before, const char *after)
{
	if (thrum__class_order)
		thrum__class_order(before, after);
}

/* ---- hand-over ---- */

/* The caller holds the lock and goes on without it: whoever it is meant for may release it. */
THRUM_INLINE void thrum_lock_hand_over(const void *lock)
{
	if (thrum__lock_hand_over)
		thrum__lock_hand_over(lock, 0);
}

/* The same to the thread with this pthread_t: the lock counts as its from here on. */
THRUM_INLINE void thrum_lock_hand_over_to(const void *lock, uint64_t thread)
{
	if (thrum__lock_hand_over)
		thrum__lock_hand_over(lock, thread);
}

/* ---- locks of your own: spin locks, locks on futexes or in shared memory ---- */

enum { THRUM_SHARED = 1, THRUM_TRY = 2, THRUM_TIMED = 4 };

/* A new one, whatever lay at the address before. Not needed where memory is never reused. */
THRUM_INLINE void thrum_lock_init(const void *lock, int recursive)
{
	if (thrum__lock_init)
		thrum__lock_init(lock, recursive != 0);
}
THRUM_INLINE void thrum_lock_destroy(const void *lock)
{
	if (thrum__lock_destroy)
		thrum__lock_destroy(lock);
}

/* Just before it may wait. Leave it out for a try. `mode`: THRUM_SHARED, THRUM_TIMED or 0. */
THRUM_INLINE void thrum_lock_acquiring(const void *lock, unsigned mode)
{
	if (thrum__lock_acquiring)
		thrum__lock_acquiring(lock, mode);
}

/* It is ours: with the same mode, or THRUM_TRY. A failed try or timeout is thrum_lock_gave_up. */
THRUM_INLINE void thrum_lock_acquired(const void *lock, unsigned mode)
{
	if (thrum__lock_acquired)
		thrum__lock_acquired(lock, mode);
}
THRUM_INLINE void thrum_lock_gave_up(const void *lock, unsigned mode)
{
	if (thrum__lock_acquired)
		thrum__lock_acquired(lock, mode | 0x100);
}

/* Just before it is free for others. */
THRUM_INLINE void thrum_lock_releasing(const void *lock)
{
	if (thrum__lock_releasing)
		thrum__lock_releasing(lock);
}

/* ---- tasks: pieces of work that threads take turns at ---- */

/*
 * `correlation` is the program's own number for it, 0 = none. What a task locks while it runs goes with it
 * when it is suspended on one thread and resumed on another.
 */
THRUM_INLINE uint32_t thrum_task_create(const char *name, uint64_t correlation)
{
	return thrum__task_create ? thrum__task_create(name, correlation) : 0;
}
THRUM_INLINE void thrum_task_step(uint32_t task, uint32_t step)
{
	if (thrum__task_step)
		thrum__task_step(task, step);
}
THRUM_INLINE void thrum_task_start(uint32_t task) /* runs on this thread from here on */
{
	thrum_task_step(task, 1);
}
THRUM_INLINE void thrum_task_suspend(uint32_t task)
{
	thrum_task_step(task, 2);
}
THRUM_INLINE void thrum_task_resume(uint32_t task) /* on this thread */
{
	thrum_task_step(task, 3);
}
THRUM_INLINE void thrum_task_finish(uint32_t task)
{
	thrum_task_step(task, 4);
}
THRUM_INLINE void thrum_task_cancel(uint32_t task)
{
	thrum_task_step(task, 5);
}
THRUM_INLINE void thrum_task_destroy(uint32_t task)
{
	thrum_task_step(task, 6);
}

/* ---- fibers: tasks with a stack of their own ---- */

THRUM_INLINE uint32_t thrum_fiber_create(const char *name)
{
	return thrum_task_create(name, 0);
}
/* Just before the switch, on the thread that makes it; 0 = back to what the thread itself runs. */
THRUM_INLINE void thrum_fiber_switch(uint32_t fiber)
{
	if (thrum__fiber_switch)
		thrum__fiber_switch(fiber);
}
THRUM_INLINE void thrum_fiber_destroy(uint32_t fiber)
{
	thrum_task_step(fiber, 6);
}

/* ---- benign ---- */

/*
 * What this thread does between begin and end is meant so: findings that need it are notes, which gate
 * nothing. They nest.
 */
THRUM_INLINE void thrum_benign_begin(void)
{
	if (thrum__benign)
		thrum__benign(1);
}
THRUM_INLINE void thrum_benign_end(void)
{
	if (thrum__benign)
		thrum__benign(0);
}

#ifdef __cplusplus
}

namespace thrum
{

/* For as long as it lives, what the thread does is meant so. */
class benign
{
      public:
	benign()
	{
		thrum_benign_begin();
	}
	~benign()
	{
		thrum_benign_end();
	}
	benign(const benign &) = delete;
	benign &operator=(const benign &) = delete;
};

/* A piece of work: created, started and, at the end of the scope, finished. */
class task
{
      public:
	explicit task(const char *name, uint64_t correlation = 0)
	    : id_(thrum_task_create(name, correlation))
	{
		thrum_task_start(id_);
	}
	~task()
	{
		thrum_task_finish(id_);
	}
	task(const task &) = delete;
	task &operator=(const task &) = delete;
	uint32_t id() const
	{
		return id_;
	}

      private:
	uint32_t id_;
};

/* A mutex, or any lock, with a name: thrum::named<std::mutex> cache_lock("cache"). */
template <typename Lock> class named : public Lock
{
      public:
	explicit named(const char *name, const char *class_name = nullptr) : Lock()
	{
		thrum_lock_name(static_cast<Lock *>(this), name);
		if (class_name)
			thrum_lock_class(static_cast<Lock *>(this), class_name);
	}
};

} // namespace thrum
#endif

#endif
