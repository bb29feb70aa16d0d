/* SPDX-License-Identifier: MIT */
/* SHOWS what one thread changes all the time another one changes in a function that runs a hundred times a second, among many that run as seldom */
/* EXPECT data-race confidence=observed level=error threads=2 threadnames=worker,worker locks=total stacks=add_often,add_seldom occurs=1..1000000 says=An+update+can+be+lost */
/* RUN once full limit=120 options=--races=deep */
/* BUILD needs=watchpoints flags=-O2 */
#include "race.h"

static long total, own[32];

/* They are of one thread alone. */
#define COLD(n)                             \
	static NOINLINE void cold_##n(void) \
	{                                   \
		own[n] += own[n + 1];       \
	}
#define COLDS(a) \
	COLD(a##0) COLD(a##1) COLD(a##2) COLD(a##3) COLD(a##4) COLD(a##5) COLD(a##6) COLD(a##7)
COLDS(1)
COLDS(2)

static NOINLINE void add_often(void)
{
	total++;
}

/* Not the same as the other one: a compiler may make one of two alike. */
static NOINLINE void add_seldom(void)
{
	total += 3;
}

static void (*const seldom[])(void) = { cold_10, cold_11, cold_12,    cold_13, cold_14, cold_15,
					cold_16, cold_17, add_seldom, cold_20, cold_21, cold_22,
					cold_23, cold_24, cold_25,    cold_26, cold_27 };

static NOINLINE void use(long n)
{
	if (race_is_first())
		add_often();
	else if (n % 4096 == 0)
		seldom[n / 4096 % (sizeof(seldom) / sizeof(seldom[0]))]();
}

int main(void)
{
	race_run(use, 4000);
	return total < 0;
}
