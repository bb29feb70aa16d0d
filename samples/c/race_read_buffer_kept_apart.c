/* SPDX-License-Identifier: MIT */
/* SHOWS the kernel fills and empties buffers that two threads use: one under a mutex, one handed over with semaphores, one of each thread's own */
/* NEVER data-race */
/* ALLOW lock-contention|hold-time|lock-held-across-blocking-call */
/* RUN once full limit=120 options=--races=auto clean */
/* BUILD needs=watchpoints flags=-O2 */
#include "race.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static sem_t empty, full;
static unsigned char locked[256], handed[256];
static int source, sink;
static volatile size_t bytes = 256; /* not known: a call of memcpy */

static NOINLINE void fill(unsigned char *to)
{
	if (read(source, to, 256) != 256)
		abort();
}

static NOINLINE void parse(const unsigned char *from)
{
	unsigned char copy[256];

	for (size_t i = 0; i < 256; i++)
		if (from[i])
			abort();
	memcpy(copy, from, bytes);
	if (write(sink, from, 256) != 256 || write(sink, copy, 256) != 256)
		abort();
}

static NOINLINE void use(long n)
{
	unsigned char own[256];

	pthread_mutex_lock(&mutex);
	if (n & 1)
		fill(locked);
	else
		parse(locked);
	pthread_mutex_unlock(&mutex);
	if (n & 2 && sem_trywait(&empty) == 0) {
		fill(handed);
		sem_post(&full);
	} else if (sem_trywait(&full) == 0) {
		parse(handed);
		sem_post(&empty);
	}
	fill(own);
	parse(own);
}

int main(void)
{
	source = open("/dev/zero", O_RDONLY);
	sink = open("/dev/null", O_WRONLY);
	sem_init(&empty, 0, 1);
	sem_init(&full, 0, 0);
	race_run(use, 2000);
	return 0;
}
