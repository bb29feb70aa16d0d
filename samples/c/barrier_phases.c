/* SPDX-License-Identifier: MIT */
/* SHOWS a barrier used for many phases by four threads, destroyed by the serial thread's order */
/* NEVER barrier-misuse stuck-wait */
/* RUN clean */
#include "../sample.h"

#define WORKERS 4
#define PHASES 50

static pthread_barrier_t barrier;
static long cell[WORKERS], serial;

static void *worker(void *arg)
{
	intptr_t me = (intptr_t)arg;

	for (int phase = 0; phase < PHASES; phase++) {
		int rc;

		cell[me] += cell[(me + 1) % WORKERS] & 1;
		rc = pthread_barrier_wait(&barrier);
		if (rc == PTHREAD_BARRIER_SERIAL_THREAD)
			serial++;
		pthread_barrier_wait(&barrier);
		cell[me]++;
	}
	return NULL;
}

int main(void)
{
	pthread_t t[WORKERS];

	MUST(pthread_barrier_init(&barrier, NULL, WORKERS));
	for (intptr_t i = 0; i < WORKERS; i++)
		t[i] = start(worker, (void *)i);
	for (int i = 0; i < WORKERS; i++)
		finish(t[i]);
	MUST(pthread_barrier_destroy(&barrier));
	printf("%ld\n", serial);
	return 0;
}
