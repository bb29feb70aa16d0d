/* SPDX-License-Identifier: MIT */
/* SCENARIO S39: the same calls one after the other: possible, not observed */
/* EXPECT lock-order-inversion confidence=potential stacks=initialise,lookup threads=2 locks=table_once,table_lock */
/* RUN */
#include "../sample.h"

static pthread_once_t table_once = PTHREAD_ONCE_INIT;
static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static int step, alive;

static void initialise(void)
{
	pthread_mutex_lock(&table_lock);
	pthread_mutex_unlock(&table_lock);
}

static NOINLINE void lookup(void)
{
	pthread_mutex_lock(&table_lock);
	pthread_once(&table_once, initialise);
	pthread_mutex_unlock(&table_lock);
}

static void *first_user(void *arg)
{
	meet(&alive, 2);
	pthread_once(&table_once, initialise);
	step_to(&step, 1);
	until(&step, 2);
	return arg;
}

static void *second_user(void *arg)
{
	meet(&alive, 2);
	until(&step, 1);
	lookup();
	step_to(&step, 2);
	return arg;
}

int main(void)
{
	run_two(first_user, second_user);
	return 0;
}
