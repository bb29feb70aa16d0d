/* SPDX-License-Identifier: MIT */
/* SHOWS workers that wait for a thread that sits in read(): input may still come, so nobody is stuck */
/* NEVER deadlock stuck-wait */
/* RUN timeout=1 clean */
#include "../sample.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work = PTHREAD_COND_INITIALIZER;
static int jobs, ends[2];

static void *worker(void *arg)
{
	pthread_mutex_lock(&m);
	while (!jobs)
		pthread_cond_wait(&work, &m);
	pthread_mutex_unlock(&m);
	return arg;
}

static void *reader(void *arg)
{
	char c;

	while (read(ends[0], &c, 1) == 1) {
		pthread_mutex_lock(&m);
		jobs++;
		pthread_cond_signal(&work);
		pthread_mutex_unlock(&m);
	}
	return arg;
}

int main(void)
{
	if (pipe(ends))
		return 3;
	run_two(worker, reader);
	return 0;
}
