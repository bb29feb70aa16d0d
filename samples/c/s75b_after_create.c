/* SPDX-License-Identifier: MIT */
/* SCENARIO S75b: a near miss: one entry is filled when the reader is already made */
/* EXPECT data-race confidence=observed threads=2 stacks=fill_last,look locks=table says=read+and+write */
/* RUN options=--races=record full */
/* BUILD needs=tsan */
#include "../sample.h"

enum { ENTRIES = 4 };

static long table[ENTRIES];

static void *look(void *arg)
{
	return table[ENTRIES - 1] < 0 ? NULL : arg;
}

static NOINLINE void fill_last(void)
{
	table[ENTRIES - 1] = 7;
}

int main(void)
{
	pthread_t t;

	for (int i = 0; i < ENTRIES - 1; i++)
		table[i] = i;
	MUST(pthread_create(&t, NULL, look, NULL));
	fill_last();
	MUST(pthread_join(t, NULL));
	return 0;
}
