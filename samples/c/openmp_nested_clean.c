/* SPDX-License-Identifier: MIT */
/* SHOWS OpenMP nest locks taken again by their owner, criticals in one order, test_lock, a reduction: nothing to say */
/* NEVER lock-order-inversion double-lock self-deadlock unlock-not-owned deadlock leaked-thread */
/* RUN clean */
/* BUILD flags=-fopenmp */
#include "../sample.h"

#include <omp.h>

static omp_nest_lock_t tree;
static omp_lock_t flag;
static int depth, sum, taken;

static NOINLINE void walk(int n)
{
	omp_set_nest_lock(&tree);
	depth = depth < n ? n : depth;
	if (n < 4)
		walk(n + 1);
	omp_unset_nest_lock(&tree);
}

int main(void)
{
	omp_init_nest_lock(&tree);
	omp_init_lock(&flag);
#pragma omp parallel for num_threads(4) reduction(+ : sum)
	for (int i = 0; i < 100; i++) {
		walk(0);
#pragma omp critical(outer)
		{
#pragma omp critical(inner)
			sum++;
		}
		if (omp_test_lock(&flag)) {
			taken++;
			omp_unset_lock(&flag);
		}
	}
	omp_destroy_lock(&flag);
	omp_destroy_nest_lock(&tree);
	printf("%d %d\n", depth, sum);
	return taken == 0;
}
