/* SPDX-License-Identifier: MIT */
/* SHOWS two threads of an OpenMP team add to a counter, and after a loop without its barrier one reads what the other writes */
/* EXPECT data-race confidence=observed threads=2 stacks=count_one says=both+write locks=counted */
/* EXPECT data-race confidence=observed threads=2 stacks=fill,look says=read+and+write locks=cells */
/* RUN options=--races=record full */
/* BUILD needs=tsan flags=-fopenmp */
#include "../sample.h"

enum { CELLS = 2 };

static long counted, cells[CELLS];

static NOINLINE void count_one(void)
{
	counted++;
}

static NOINLINE void fill(int i)
{
	cells[i] = i;
}

static NOINLINE long look(int i)
{
	return cells[i];
}

int main(void)
{
#pragma omp parallel num_threads(2)
	{
		count_one();
#pragma omp for schedule(static) nowait
		for (int i = 0; i < CELLS; i++)
			fill(i);
#pragma omp for schedule(static)
		for (int i = 0; i < CELLS; i++)
			if (look(CELLS - 1 - i) < 0)
				abort();
	}
	return 0;
}
