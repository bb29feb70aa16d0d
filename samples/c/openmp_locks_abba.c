/* SPDX-License-Identifier: MIT */
/* SHOWS two OpenMP locks taken in both orders by the threads of a team */
/* EXPECT lock-order-inversion confidence=potential level=error stacks=forth,back threads=2 locks=left,right */
/* RUN */
/* BUILD flags=-fopenmp */
#include "../sample.h"

#include <omp.h>

static omp_lock_t left, right;
static int step;

static NOINLINE void forth(void)
{
	omp_set_lock(&left);
	omp_set_lock(&right);
	omp_unset_lock(&right);
	omp_unset_lock(&left);
}

static NOINLINE void back(void)
{
	omp_set_lock(&right);
	omp_set_lock(&left);
	omp_unset_lock(&left);
	omp_unset_lock(&right);
}

int main(void)
{
	omp_init_lock(&left);
	omp_init_lock(&right);
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
	omp_destroy_lock(&left);
	omp_destroy_lock(&right);
	return 0;
}
