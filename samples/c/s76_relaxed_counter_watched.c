/* SPDX-License-Identifier: MIT */
/* SCENARIO S76: the same in a binary as it is, with a relaxed load that stores what it saw: a plain instruction each */
/* NEVER data-race */
/* RUN once full limit=120 options=--races=auto clean */
/* BUILD needs=watchpoints flags=-O2 */
#include "race.h"

#include <stdatomic.h>

static atomic_long counter;
static __thread long seen;

static NOINLINE void count(long n)
{
	atomic_fetch_add_explicit(&counter, n & 1, memory_order_relaxed);
	seen = atomic_load_explicit(&counter, memory_order_relaxed);
}

int main(void)
{
	race_run(count, 3000);
	return counter < 0 || seen < 0;
}
