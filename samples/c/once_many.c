/* SPDX-License-Identifier: MIT */
/* SHOWS pthread_once from many threads, nested in another once, and with a cancelled initialiser that is run again */
/* NEVER deadlock stuck-wait lock-order-inversion */
/* RUN clean */
#include "../sample.h"

static pthread_once_t outer = PTHREAD_ONCE_INIT, inner = PTHREAD_ONCE_INIT,
		      flaky = PTHREAD_ONCE_INIT;
static int calls, tries, tid;
static sem_t never;

static void init_inner(void)
{
	calls++;
}

static void init_outer(void)
{
	pthread_once(&inner, init_inner);
	calls++;
}

static void init_flaky(void)
{
	if (__atomic_fetch_add(&tries, 1, __ATOMIC_SEQ_CST) == 0) {
		publish_tid(&tid);
		sem_wait(&never); /* cancelled here */
	}
}

static void *worker(void *arg)
{
	pthread_once(&outer, init_outer);
	pthread_once(&inner, init_inner);
	return arg;
}

static void *runs_flaky(void *arg)
{
	pthread_once(&flaky, init_flaky);
	return arg;
}

int main(void)
{
	pthread_t t[8], cancelled;

	MUST(sem_init(&never, 0, 0));
	for (int i = 0; i < 8; i++)
		t[i] = start(worker, NULL);
	for (int i = 0; i < 8; i++)
		finish(t[i]);
	cancelled = start(runs_flaky, NULL);
	until_asleep(&tid);
	MUST(pthread_cancel(cancelled));
	finish(cancelled);
	run_two(runs_flaky, runs_flaky);
	printf("%d %d\n", calls, tries);
	MUST(sem_destroy(&never));
	return 0;
}
