/* SPDX-License-Identifier: MIT */
/* SCENARIO S05: both orders of A and B, always under the gate lock G */
/* NEVER lock-order-inversion deadlock */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static int alive;

static void *forwards(void *arg)
{
	meet(&alive, 2);
	pthread_mutex_lock(&gate);
	pthread_mutex_lock(&a);
	pthread_mutex_lock(&b);
	pthread_mutex_unlock(&b);
	pthread_mutex_unlock(&a);
	pthread_mutex_unlock(&gate);
	meet(&alive, 4);
	return arg;
}

static void *backwards(void *arg)
{
	meet(&alive, 2);
	pthread_mutex_lock(&gate);
	pthread_mutex_lock(&b);
	pthread_mutex_lock(&a);
	pthread_mutex_unlock(&a);
	pthread_mutex_unlock(&b);
	pthread_mutex_unlock(&gate);
	meet(&alive, 4);
	return arg;
}

int main(void)
{
	run_two(forwards, backwards);
	return 0;
}
