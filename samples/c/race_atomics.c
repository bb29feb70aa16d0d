/* SPDX-License-Identifier: MIT */
/* SHOWS counters, flags and a hand-over by atomics, relaxed, acquire and release: plain moves in the binary */
/* NEVER data-race */
/* ALLOW data-race confidence=hint */
/* RUN once full limit=120 options=--races=auto clean */
/* BUILD needs=watchpoints flags=-O2 */
#include "race.h"

#include <stdatomic.h>

enum { EMPTY, FILLING, FULL, TAKING };

static atomic_long counted;
static _Atomic long newest;
static struct {
	atomic_int state;
	long value;
} mailbox;

static NOINLINE void use(long n)
{
	int expected = n & 1 ? EMPTY : FULL;

	atomic_fetch_add_explicit(&counted, 1, memory_order_relaxed);
	if ((n & 15) == 0)
		atomic_store_explicit(&newest, n, memory_order_release);
	else if (atomic_load_explicit(&newest, memory_order_acquire) < 0)
		abort();
	if (!atomic_compare_exchange_strong(&mailbox.state, &expected, n & 1 ? FILLING : TAKING))
		return;
	if (n & 1)
		mailbox.value = n;
	else if (mailbox.value < 0)
		abort();
	atomic_store_explicit(&mailbox.state, n & 1 ? FULL : EMPTY, memory_order_release);
}

int main(void)
{
	race_run(use, 2000);
	return 0;
}
