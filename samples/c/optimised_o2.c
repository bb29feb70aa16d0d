/* SPDX-License-Identifier: MIT */
/* SHOWS -O2 with inlining and tail calls: inlined functions and lines are still shown */
/* EXPECT lock-order-inversion confidence=potential stacks=debit,credit,forwards,backwards threads=2 locks=a,b */
/* RUN */
/* BUILD flags=-O2 */
#include "../sample.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static int step, alive, value;

static inline __attribute__((always_inline)) void lock_it(pthread_mutex_t *m)
{
	pthread_mutex_lock(m);
}

static inline __attribute__((always_inline)) void debit(void)
{
	lock_it(&a);
	lock_it(&b);
	value--;
	pthread_mutex_unlock(&b);
	pthread_mutex_unlock(&a);
}

static inline __attribute__((always_inline)) void credit(void)
{
	lock_it(&b);
	lock_it(&a);
	value++;
	pthread_mutex_unlock(&a);
	pthread_mutex_unlock(&b);
}

static void *forwards(void *arg)
{
	meet(&alive, 2);
	debit();
	step_to(&step, 1);
	until(&step, 2);
	return arg;
}

static void *backwards(void *arg)
{
	meet(&alive, 2);
	until(&step, 1);
	credit();
	step_to(&step, 2);
	return arg;
}

int main(void)
{
	run_two(forwards, backwards);
	return 0;
}
