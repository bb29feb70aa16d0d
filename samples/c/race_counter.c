/* SPDX-License-Identifier: MIT */
/* SHOWS two threads count requests without a lock, by a function that nothing names but a pointer */
/* EXPECT data-race confidence=observed level=error threads=2 threadnames=worker,worker locks=served stacks=count_one,count_one occurs=1..1000000 says=An+update+can+be+lost */
/* RUN once full limit=120 options=--races=auto */
/* BUILD needs=watchpoints flags=-O2 */
#include "race.h"

static long served;

static NOINLINE void count_one(long n)
{
	(void)n;
	served++;
}

int main(void)
{
	race_run(count_one, 4000);
	return served < 0;
}
