/* SPDX-License-Identifier: MIT */
/* SHOWS an idle server: main sits in sigwait, workers wait; nothing is wrong */
/* NEVER stuck-wait deadlock leaked-thread */
/* RUN timeout=1 clean */
#include "../sample.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work = PTHREAD_COND_INITIALIZER;
static int stopping;

static void *worker(void *arg)
{
	pthread_mutex_lock(&m);
	while (!stopping)
		pthread_cond_wait(&work, &m);
	pthread_mutex_unlock(&m);
	return arg;
}

int main(void)
{
	pthread_t t[3];
	sigset_t set;
	int number;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	MUST(pthread_sigmask(SIG_BLOCK, &set, NULL));
	for (int i = 0; i < 3; i++)
		t[i] = start(worker, NULL);
	sigwait(&set, &number);
	pthread_mutex_lock(&m);
	stopping = 1;
	pthread_cond_broadcast(&work);
	pthread_mutex_unlock(&m);
	for (int i = 0; i < 3; i++)
		finish(t[i]);
	return 0;
}
