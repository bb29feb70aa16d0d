/* SPDX-License-Identifier: MIT */
/* SHOWS the same with the idle count compared to one too many: at the end all sleep */
/* EXPECT stuck-wait confidence=observed stacks=next_page threads=3..4 roles=waits locks=changed */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

#define WORKERS 3

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int left = 50, idle;

static NOINLINE int next_page(void)
{
	int got = 0;

	pthread_mutex_lock(&lock);
	idle++;
	while (!left && idle < WORKERS + 1)
		pthread_cond_wait(&changed, &lock);
	if (left) {
		idle--;
		left--;
		got = 1;
		pthread_cond_broadcast(&changed);
	}
	pthread_mutex_unlock(&lock);
	return got;
}

static void *crawl(void *arg)
{
	while (next_page())
		;
	return arg;
}

int main(void)
{
	pthread_t t[WORKERS];

	for (int i = 0; i < WORKERS; i++)
		t[i] = start(crawl, NULL);
	for (int i = 0; i < WORKERS; i++)
		finish(t[i]);
	return 0;
}
