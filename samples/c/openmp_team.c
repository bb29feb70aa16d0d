/* SPDX-License-Identifier: MIT */
/* SHOWS an OpenMP team with critical sections and OpenMP locks beside a mutex: correct; its threads idle at exit */
/* NEVER stuck-wait deadlock lock-order-inversion leaked-thread */
/* RUN clean */
/* BUILD flags=-fopenmp */
#include "../sample.h"

#include <omp.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

int main(void)
{
	long sum = 0, count = 0, locked = 0;
	omp_lock_t lock;

	omp_init_lock(&lock);
	omp_set_num_threads(4);
#pragma omp parallel for reduction(+ : sum)
	for (int i = 0; i < 1000; i++) {
		sum += i;
		pthread_mutex_lock(&m);
		count++;
		pthread_mutex_unlock(&m);
		omp_set_lock(&lock);
		locked++;
		omp_unset_lock(&lock);
	}
#pragma omp parallel
	{
#pragma omp critical
		count++;
#pragma omp barrier
	}
	omp_destroy_lock(&lock);
	printf("%ld %ld %ld\n", sum, count, locked);
	return 0;
}
