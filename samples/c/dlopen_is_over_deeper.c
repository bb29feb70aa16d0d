/* SPDX-License-Identifier: MIT */
/* SHOWS a dlopen that has returned, then a join and an idle end deeper in the stack than it was: the loader's lock is free */
/* NEVER lock-held-at-exit lock-held-at-thread-exit deadlock stuck-wait lock-order-inversion fork-with-lock-held */
/* RUN clean */
#include "../sample.h"

#include <dlfcn.h>
#include <string.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static int waiting;

static void *idle(void *arg)
{
	pthread_mutex_lock(&m);
	for (int waits = 1;; waits++) {
		step_to(&waiting, waits);
		pthread_cond_wait(&never, &m);
	}
	return arg;
}

static void *work(void *arg)
{
	/* Its only signaller ends before the process does. */
	pthread_mutex_lock(&m);
	pthread_cond_signal(&never);
	pthread_mutex_unlock(&m);
	/* Woken, it waits again: who takes the mutex then knows that it does. */
	until(&waiting, 2);
	pthread_mutex_lock(&m);
	pthread_mutex_unlock(&m);
	return dlopen("libdl.so.2", RTLD_NOW) ? arg : NULL;
}

static NOINLINE void load(void)
{
	if (!dlopen("libm.so.6", RTLD_NOW))
		exit(3);
}

static NOINLINE void run_deeper(void)
{
	char room[4096];
	pthread_t t;

	memset(room, 1, sizeof(room));
	pthread_detach(start(idle, room));
	until(&waiting, 1);
	t = start(work, room);
	pthread_join(t, NULL);
}

int main(void)
{
	load();
	run_deeper();
	return 0;
}
