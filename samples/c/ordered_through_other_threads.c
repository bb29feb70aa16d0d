/* SPDX-License-Identifier: MIT */
/* SHOWS S09 through a chain: the first order ends before its thread is joined by another, which creates the next */
/* NEVER lock-order-inversion */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;

static void *backwards(void *arg)
{
	pthread_mutex_lock(&b);
	pthread_mutex_lock(&a);
	pthread_mutex_unlock(&a);
	pthread_mutex_unlock(&b);
	return arg;
}

static void *forwards(void *arg)
{
	pthread_mutex_lock(&a);
	pthread_mutex_lock(&b);
	pthread_mutex_unlock(&b);
	pthread_mutex_unlock(&a);
	return arg;
}

static void *forwards_then_spawns(void *arg)
{
	forwards(arg);
	finish(start(backwards, NULL));
	return arg;
}

static void *middle(void *arg)
{
	finish(start(forwards_then_spawns, NULL));
	finish(start(backwards, NULL));
	return arg;
}

int main(void)
{
	forwards(NULL);
	finish(start(middle, NULL));
	finish(start(forwards, NULL));
	return 0;
}
