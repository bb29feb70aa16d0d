/* SPDX-License-Identifier: MIT */
/* SHOWS what OpenMP orders: the ends of regions, loops and sections, barriers, ordered parts, copies to all, tasks by all their means */
/* NEVER data-race */
/* RUN options=--races=record full clean */
/* BUILD needs=tsan flags=-fopenmp */
#include "../sample.h"

enum { CELLS = 64, ROUNDS = 20 };

static long cells[CELLS], others[CELLS], by_order, by_task, by_chain, by_group, by_wait, total;
static long copied, sections[2];

static NOINLINE void loops(void)
{
#pragma omp parallel num_threads(4)
	for (int round = 0; round < ROUNDS; round++) {
#pragma omp for schedule(dynamic, 3)
		for (int i = 0; i < CELLS; i++)
			cells[i] = others[CELLS - 1 - i] + 1;
#pragma omp for schedule(guided)
		for (int i = 0; i < CELLS; i++)
			others[i] = cells[CELLS - 1 - i] + 1;
#pragma omp single
		cells[0] = 7;
		if (others[1] < 0)
			abort();
#pragma omp master
		cells[1] = 8;
#pragma omp barrier
	}
	/* A region of its own kind, and sums that the team makes together. */
#pragma omp parallel for num_threads(3) schedule(dynamic) reduction(+ : total)
	for (int i = 0; i < CELLS; i++)
		total += cells[i] + others[i];
	total++;
#pragma omp parallel for num_threads(2) ordered schedule(static, 1)
	for (int i = 0; i < 16; i++) {
#pragma omp ordered
		by_order += i;
	}
#pragma omp parallel for num_threads(2) ordered(1) schedule(static, 1)
	for (int i = 1; i < CELLS; i++) {
#pragma omp ordered depend(sink : i - 1)
		cells[i] = cells[i - 1] + 1;
#pragma omp ordered depend(source)
	}
}

static NOINLINE void one_for_all(void)
{
#pragma omp parallel num_threads(3)
	{
		long *mine;

#pragma omp single copyprivate(mine)
		{
			copied = 5;
			mine = &copied;
		}
		if (*mine != 5)
			abort();
#pragma omp sections
		{
#pragma omp section
			sections[0] = 1;
#pragma omp section
			sections[1] = 2;
		}
		if (sections[0] + sections[1] != 3)
			abort();
	}
}

static NOINLINE long tree(int depth)
{
	long left = 0, right = 0;

	if (!depth)
		return 1;
#pragma omp task shared(left)
	left = tree(depth - 1);
#pragma omp task shared(right) if (depth > 2)
	right = tree(depth - 1);
#pragma omp taskwait
	return left + right;
}

static NOINLINE void tasks(void)
{
	long in[4] = { 0 };

#pragma omp parallel num_threads(4)
#pragma omp single
	{
		by_task = tree(6);
		for (int i = 0; i < 16; i++) {
#pragma omp task depend(inout : by_chain) firstprivate(in)
			by_chain += in[i % 4] + 1;
		}
		for (int i = 0; i < 4; i++) {
#pragma omp task depend(in : by_chain) depend(out : in[i])
			in[i] = by_chain;
		}
#pragma omp task depend(in : in[0], in[1], in[2], in[3]) depend(out : by_chain)
		by_chain = in[0] + in[1] + in[2] + in[3];
#pragma omp taskgroup
		{
#pragma omp task
			{
#pragma omp task
				by_group = 1;
			}
		}
		by_group++;
#pragma omp taskloop grainsize(4)
		for (int i = 0; i < CELLS; i++)
			cells[i] = others[i];
		cells[0]++;
#pragma omp task
		by_wait = 1;
	}
	/* The end of the region waits for all tasks. */
	by_wait += by_chain;
}

int main(void)
{
	for (int i = 0; i < CELLS; i++)
		others[i] = i;
	loops();
	one_for_all();
	tasks();
	tasks();
	printf("%d %ld %ld\n", total > 0, by_order, by_task);
	return by_group != 2 || by_wait < 1;
}
