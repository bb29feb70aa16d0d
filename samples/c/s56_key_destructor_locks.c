/* SPDX-License-Identifier: MIT */
/* SCENARIO S56,I12: key destructors lock, in every round of destruction, after all other thread state is gone */
/* EXPECT lock-order-inversion confidence=potential stacks=last_words,opposite threads=2 */
/* NEVER lock-held-at-thread-exit unlock-not-owned */
/* RUN */
#include "../sample.h"

#include <limits.h>

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static pthread_key_t key;
static int rounds, step, alive;

static void last_words(void *value)
{
	pthread_mutex_lock(&a);
	pthread_mutex_lock(&b);
	rounds++;
	pthread_mutex_unlock(&b);
	pthread_mutex_unlock(&a);
	if (rounds < PTHREAD_DESTRUCTOR_ITERATIONS)
		pthread_setspecific(key, value); /* once more */
	else
		step_to(&step, 1);
}

static void *first(void *arg)
{
	meet(&alive, 2);
	pthread_setspecific(key, &key);
	return arg;
}

static void *opposite(void *arg)
{
	meet(&alive, 2);
	until(&step, 1);
	pthread_mutex_lock(&b);
	pthread_mutex_lock(&a);
	pthread_mutex_unlock(&a);
	pthread_mutex_unlock(&b);
	return arg;
}

int main(void)
{
	MUST(pthread_key_create(&key, last_words));
	run_two(first, opposite);
	printf("%d\n", rounds == PTHREAD_DESTRUCTOR_ITERATIONS);
	return 0;
}
