/* SPDX-License-Identifier: MIT */
/* SHOWS a deadlock of two and three more threads queued behind it: one finding, the ring and not the victims */
/* EXPECT deadlock confidence=observed count=1 stacks=left,right threads=2..5 locks=a,b */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
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

static void *victim(void *arg)
{
	until(&holding, 2);
	pthread_mutex_lock(&a);
	pthread_mutex_unlock(&a);
	return arg;
}

int main(void)
{
	pthread_t t[5] = { start(left, NULL), start(right, NULL), start(victim, NULL),
			   start(victim, NULL), start(victim, NULL) };

	for (int i = 0; i < 5; i++)
		finish(t[i]);
	return 0;
}
