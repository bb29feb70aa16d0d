/* SPDX-License-Identifier: MIT */
/* SHOWS an idle server: main sits in poll, workers wait for work that never came; nothing is wrong */
/* NEVER stuck-wait deadlock leaked-thread */
/* RUN timeout=1 clean */
#include "../sample.h"

#include <poll.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work = PTHREAD_COND_INITIALIZER;
static int jobs;

static void *worker(void *arg)
{
	pthread_mutex_lock(&m);
	for (;;) {
		while (!jobs)
			pthread_cond_wait(&work, &m);
		jobs--;
	}
	return arg;
}

int main(void)
{
	int ends[2];
	struct pollfd fd;

	if (pipe(ends))
		return 3;
	for (int i = 0; i < 4; i++)
		start(worker, NULL);
	fd.fd = ends[0];
	fd.events = POLLIN;
	while (poll(&fd, 1, -1) >= 0) {
		pthread_mutex_lock(&m);
		jobs++;
		pthread_cond_signal(&work);
		pthread_mutex_unlock(&m);
	}
	return 0;
}
