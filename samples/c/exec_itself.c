/* SPDX-License-Identifier: MIT */
/* SHOWS a program that replaces itself by exec: the second image has the inversion, the first leaves a thread behind */
/* EXPECT lock-order-inversion confidence=potential stacks=forwards,backwards threads=2 */
/* ALLOW leaked-thread|lock-held-at-exit level=note */
/* RUN */
#include "../sample.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static int step, alive, running;

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

static void *left_behind(void *arg)
{
	pthread_mutex_lock(&a);
	step_to(&running, 1);
	for (;;)
		sched_yield();
	return arg;
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		run_two(forwards, backwards);
		printf("second image\n");
		return 0;
	}
	start(left_behind, NULL);
	until(&running, 1);
	execl("/proc/self/exe", argv[0], "again", (char *)NULL);
	return 3;
}
