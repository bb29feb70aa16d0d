/* SPDX-License-Identifier: MIT */
/* SCENARIO S75b: a table is filled before the threads are made that read it without a lock, and changed after they were joined */
/* NEVER data-race */
/* RUN options=--races=record full clean */
/* BUILD needs=tsan */
#include "../sample.h"

enum { ENTRIES = 200 };

static long table[ENTRIES];

static void *sum_up(void *arg)
{
	long sum = 0;

	for (int i = 0; i < ENTRIES; i++)
		sum += table[i];
	return sum ? arg : NULL;
}

static void fill(long from)
{
	for (int i = 0; i < ENTRIES; i++)
		table[i] = from + i;
}

int main(void)
{
	for (int round = 0; round < 3; round++) {
		fill(round);
		run_two(sum_up, sum_up);
	}
	return 0;
}
