/* SPDX-License-Identifier: MIT */
/* SHOWS two threads deadlocked while others go on working: found at the time-out all the same */
/* EXPECT deadlock confidence=observed stacks=left,right threads=2 locks=a,b */
/* RUN timeout=2 */
#include "../sample.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t c = PTHREAD_MUTEX_INITIALIZER;
static int holding;

static void *left(void *arg)
{
	pthread_mutex_lock(&a);
	meet(&holding, 2);
	pthread_mutex_lock(&b);
	return arg;
}

static void *right(void *arg)
{
	pthread_mutex_lock(&b);
	meet(&holding, 2);
	pthread_mutex_lock(&a);
	return arg;
}

static void *working(void *arg)
{
	struct timespec moment = { 0, 1000000 };

	for (;;) {
		pthread_mutex_lock(&c);
		pthread_mutex_unlock(&c);
		nanosleep(&moment, NULL);
	}
	return arg;
}

int main(void)
{
	pthread_t t[3] = { start(left, NULL), start(right, NULL), start(working, NULL) };

	for (int i = 0; i < 3; i++)
		finish(t[i]);
	return 0;
}
