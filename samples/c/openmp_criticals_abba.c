/* SPDX-License-Identifier: MIT */
/* SHOWS OpenMP critical sections with two names inside each other in both orders */
/* EXPECT lock-order-inversion confidence=potential level=error stacks=forth,back threads=2 */
/* RUN */
/* BUILD flags=-fopenmp */
#include "../sample.h"

#include <omp.h>

static int step, a, b;

static NOINLINE void forth(void)
{
#pragma omp critical(accounts)
	{
		a++;
#pragma omp critical(journal)
		b++;
	}
}

static NOINLINE void back(void)
{
#pragma omp critical(journal)
	{
		b++;
#pragma omp critical(accounts)
		a++;
	}
}

int main(void)
{
#pragma omp parallel num_threads(2)
	{
		if (omp_get_thread_num() == 0) {
			forth();
			step_to(&step, 1);
		} else {
			until(&step, 1);
			back();
		}
	}
	printf("%d %d\n", a, b);
	return 0;
}
