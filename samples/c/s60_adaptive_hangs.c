/* SPDX-License-Identifier: MIT */
/* SCENARIO S60: adaptive mutexes, both threads hang */
/* EXPECT deadlock confidence=observed stacks=forwards,backwards threads=2 */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

static pthread_mutex_t a = PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP;
static pthread_mutex_t b = PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP;
static int holding;

static void *forwards(void *arg)
{
	pthread_mutex_lock(&a);
	meet(&holding, 2);
	pthread_mutex_lock(&b);
	return arg;
}

static void *backwards(void *arg)
{
	pthread_mutex_lock(&b);
	meet(&holding, 2);
	pthread_mutex_lock(&a);
	return arg;
}

int main(void)
{
	run_two(forwards, backwards);
	return 0;
}
