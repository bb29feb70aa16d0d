/* SPDX-License-Identifier: MIT */
/* SHOWS link-time optimisation at -O2 with eager binding and no PLT */
/* EXPECT lock-order-inversion confidence=potential stacks=forwards,backwards threads=2 */
/* RUN */
/* BUILD flags=-O2,-flto,-fno-plt */
#include "../sample.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static int step, alive;

static void *forwards(void *arg)
{
	meet(&alive, 2);
	pthread_mutex_lock(&a);
	pthread_mutex_lock(&b);
	pthread_mutex_unlock(&b);
	pthread_mutex_unlock(&a);
	step_to(&step, 1);
	until(&step, 2);
	return arg;
}

static void *backwards(void *arg)
{
	meet(&alive, 2);
	until(&step, 1);
	pthread_mutex_lock(&b);
	pthread_mutex_lock(&a);
	pthread_mutex_unlock(&a);
	pthread_mutex_unlock(&b);
	step_to(&step, 2);
	return arg;
}

int main(void)
{
	run_two(forwards, backwards);
	return 0;
}
