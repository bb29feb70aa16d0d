/* SPDX-License-Identifier: MIT */
/* SCENARIO S09b: the two orders are apart only because a flag under a mutex happened to be seen first */
/* EXPECT lock-order-inversion confidence=potential stacks=early,late threads=2 */
/* RUN */
#include "../sample.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t flag_lock = PTHREAD_MUTEX_INITIALIZER;
static int warm;
static int step, alive;

static void *early(void *arg)
{
	meet(&alive, 2);
	pthread_mutex_lock(&a);
	pthread_mutex_lock(&b);
	pthread_mutex_unlock(&b);
	pthread_mutex_unlock(&a);
	pthread_mutex_lock(&flag_lock);
	warm = 1;
	pthread_mutex_unlock(&flag_lock);
	step_to(&step, 1);
	until(&step, 2);
	return arg;
}

static void *late(void *arg)
{
	int seen;

	meet(&alive, 2);
	until(&step, 1);
	pthread_mutex_lock(&flag_lock);
	seen = warm; /* nobody waits for it: it only happens to be set */
	pthread_mutex_unlock(&flag_lock);
	pthread_mutex_lock(&b);
	pthread_mutex_lock(&a);
	warm = seen + 1;
	pthread_mutex_unlock(&a);
	pthread_mutex_unlock(&b);
	step_to(&step, 2);
	return arg;
}

int main(void)
{
	run_two(early, late);
	return 0;
}
