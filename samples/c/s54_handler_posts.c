/* SPDX-License-Identifier: MIT */
/* SCENARIO S54: a handler that only posts a semaphore, and a thread that takes signals with sigwait */
/* NEVER deadlock stuck-wait */
/* RUN clean */
#include "../sample.h"

static sem_t came;
static int got;

static void on_signal(int number)
{
	int saved = errno;

	(void)number;
	sem_post(&came);
	errno = saved;
}

static void *sigwaiter(void *arg)
{
	sigset_t set;
	int number;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	for (int i = 0; i < 5; i++) {
		sigwait(&set, &number);
		__atomic_add_fetch(&got, 1, __ATOMIC_SEQ_CST);
	}
	return arg;
}

int main(void)
{
	struct sigaction action;
	sigset_t set;
	pthread_t t;

	memset(&action, 0, sizeof(action));
	action.sa_handler = on_signal;
	sigaction(SIGUSR1, &action, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	MUST(pthread_sigmask(SIG_BLOCK, &set, NULL));
	MUST(sem_init(&came, 0, 0));
	t = start(sigwaiter, NULL);
	for (int i = 0; i < 5; i++) {
		raise(SIGUSR1);
		while (sem_wait(&came) < 0)
			;
		MUST(pthread_kill(t, SIGUSR2));
		until(&got, i + 1);
	}
	finish(t);
	MUST(sem_destroy(&came));
	return 0;
}
