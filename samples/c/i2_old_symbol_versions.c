/* SPDX-License-Identifier: MIT */
/* SCENARIO I2: a program bound to the oldest versions of its symbols, as one of twenty years ago is: seen, and no finding but the inversion */
/* EXPECT lock-order-inversion confidence=potential stacks=forwards,backwards threads=2 locks=a,b */
/* NEVER stuck-wait deadlock leaked-thread cond-wait-unlocked */
/* RUN */
#include "../sample.h"

/* Of all names below, these have newer versions too: of condition variables since 2.3.2, of threads since 2.34. */
#ifdef __x86_64__
#define OLDEST(name) __asm__(".symver " #name "," #name "@GLIBC_2.2.5");
OLDEST(pthread_cond_init)
OLDEST(pthread_cond_wait)
OLDEST(pthread_cond_timedwait)
OLDEST(pthread_cond_signal)
OLDEST(pthread_cond_broadcast)
OLDEST(pthread_cond_destroy)
OLDEST(pthread_create)
OLDEST(pthread_join)
OLDEST(pthread_once)
OLDEST(sem_init)
OLDEST(sem_post)
OLDEST(sem_wait)
#endif

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER,
		       m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t forward_done = PTHREAD_COND_INITIALIZER, made;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static sem_t started;
static int done;

static void initialise(void)
{
	MUST(pthread_cond_init(&made, NULL));
}

static NOINLINE void *forwards(void *arg)
{
	MUST(pthread_once(&once, initialise));
	sem_wait(&started);
	pthread_mutex_lock(&a);
	pthread_mutex_lock(&b);
	pthread_mutex_unlock(&b);
	pthread_mutex_unlock(&a);
	pthread_mutex_lock(&m);
	done = 1;
	pthread_cond_signal(&forward_done);
	pthread_cond_broadcast(&made);
	pthread_mutex_unlock(&m);
	return arg;
}

static NOINLINE void *backwards(void *arg)
{
	struct timespec past = { 1, 0 };

	MUST(pthread_once(&once, initialise));
	pthread_mutex_lock(&m);
	if (pthread_cond_timedwait(&made, &m, &past) != ETIMEDOUT)
		exit(4);
	sem_post(&started);
	while (!done)
		pthread_cond_wait(&forward_done, &m);
	pthread_mutex_unlock(&m);
	pthread_mutex_lock(&b);
	pthread_mutex_lock(&a);
	pthread_mutex_unlock(&a);
	pthread_mutex_unlock(&b);
	return arg;
}

int main(void)
{
	pthread_t first, second;

	MUST(sem_init(&started, 0, 0));
	MUST(pthread_create(&first, NULL, forwards, NULL));
	MUST(pthread_create(&second, NULL, backwards, NULL));
	MUST(pthread_join(first, NULL));
	MUST(pthread_join(second, NULL));
	MUST(pthread_cond_destroy(&made));
	return 0;
}
