/* SPDX-License-Identifier: MIT */
/* SHOWS thread names with quotes, tags and bytes that are no UTF-8: the reports stay well-formed */
/* EXPECT lock-order-inversion confidence=potential threads=2 stacks=forwards,backwards threadnames=<b>&'"\ */
/* RUN */
#include "../sample.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static int step, alive;

static void *forwards(void *arg)
{
	pthread_setname_np(pthread_self(), "<b>&'\"\\");
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
	pthread_setname_np(pthread_self(), "\xff\xfe\x80\n\t\x01");
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
