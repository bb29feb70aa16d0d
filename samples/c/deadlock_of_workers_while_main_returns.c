/* SPDX-License-Identifier: MIT */
/* SHOWS two detached workers deadlocked when main returns in good order */
/* EXPECT deadlock confidence=observed stacks=left,right threads=2 locks=a,b */
/* RUN */
#include "../sample.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static int holding, tid[2];

static void *left(void *arg)
{
	pthread_mutex_lock(&a);
	meet(&holding, 2);
	publish_tid(&tid[0]);
	pthread_mutex_lock(&b);
	return arg;
}

static void *right(void *arg)
{
	pthread_mutex_lock(&b);
	meet(&holding, 2);
	publish_tid(&tid[1]);
	pthread_mutex_lock(&a);
	return arg;
}

int main(void)
{
	MUST(pthread_detach(start(left, NULL)));
	MUST(pthread_detach(start(right, NULL)));
	until_asleep(&tid[0]);
	until_asleep(&tid[1]);
	printf("main is done\n");
	return 0;
}
