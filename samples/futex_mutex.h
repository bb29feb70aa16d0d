/* SPDX-License-Identifier: MIT */
/*
 * futex_mutex.h - the mutex of Rust's standard library, in C: 0 free, 1 locked, 2 locked with waiters. Only its
 * contended path makes a system call, through syscall(2).
 */
#ifndef THRUM_SAMPLES_FUTEX_MUTEX_H
#define THRUM_SAMPLES_FUTEX_MUTEX_H

#include "sample.h"

#include <linux/futex.h>

static NOINLINE __attribute__((unused)) void futex_lock(uint32_t *word)
{
	uint32_t free_ = 0;

	if (__atomic_compare_exchange_n(word, &free_, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	while (__atomic_exchange_n(word, 2, __ATOMIC_ACQUIRE) != 0)
		syscall(SYS_futex, word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, 2, NULL, NULL,
			~0u);
}

static NOINLINE __attribute__((unused)) void futex_unlock(uint32_t *word)
{
	if (__atomic_exchange_n(word, 0, __ATOMIC_RELEASE) == 2)
		syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1);
}

#endif
