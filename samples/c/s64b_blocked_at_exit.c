/* SPDX-License-Identifier: MIT */
/* SCENARIO S64b: a thread is blocked for ever when main returns */
/* EXPECT leaked-thread level=warning stacks=wait_for_news threads=1..2 threadnames=listener created=main locks=news */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t news = PTHREAD_COND_INITIALIZER;
static int any, tid;

static NOINLINE void wait_for_news(void)
{
	pthread_mutex_lock(&m);
	publish_tid(&tid);
	while (!any)
		pthread_cond_wait(&news, &m);
	pthread_mutex_unlock(&m);
}

static void *listener(void *arg)
{
	pthread_setname_np(pthread_self(), "listener");
	wait_for_news();
	return arg;
}

int main(void)
{
	pthread_t t;

	MUST(pthread_create(&t, NULL, listener, NULL));
	until_asleep(&tid);
	return 0;
}
