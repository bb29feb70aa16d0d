/* SPDX-License-Identifier: MIT */
/* SHOWS waits interrupted by signals: sem_wait gives EINTR and was not acquired, condvars and mutexes go on */
/* NEVER deadlock stuck-wait unlock-not-owned lock-held-at-thread-exit */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static sem_t sem;
static int tid, ready, interrupted, in_handler;

static void on_signal(int number)
{
	(void)number;
	__atomic_add_fetch(&in_handler, 1, __ATOMIC_SEQ_CST);
}

static void *waiter(void *arg)
{
	publish_tid(&tid);
	while (sem_wait(&sem) < 0 && errno == EINTR)
		interrupted++;
	pthread_mutex_lock(&m);
	while (!ready)
		pthread_cond_wait(&cond, &m);
	pthread_mutex_unlock(&m);
	pthread_mutex_lock(&gate);
	pthread_mutex_unlock(&gate);
	return arg;
}

static void poke(pthread_t t)
{
	int before = __atomic_load_n(&in_handler, __ATOMIC_SEQ_CST);

	until_asleep(&tid);
	MUST(pthread_kill(t, SIGUSR1));
	until(&in_handler, before + 1);
	until_asleep(&tid);
}

int main(void)
{
	struct sigaction action;
	pthread_t t;

	memset(&action, 0, sizeof(action));
	action.sa_handler = on_signal; /* no SA_RESTART */
	sigaction(SIGUSR1, &action, NULL);
	MUST(sem_init(&sem, 0, 0));
	pthread_mutex_lock(&gate);
	t = start(waiter, NULL);
	poke(t);
	sem_post(&sem);
	poke(t);
	pthread_mutex_lock(&m);
	ready = 1;
	pthread_cond_signal(&cond);
	pthread_mutex_unlock(&m);
	poke(t);
	pthread_mutex_unlock(&gate);
	finish(t);
	printf("%d\n", interrupted);
	MUST(sem_destroy(&sem));
	return 0;
}
