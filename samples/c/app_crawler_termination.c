/* SPDX-License-Identifier: MIT */
/* SHOWS workers that find new work and agree on the end by counting the idle ones: correct */
/* NEVER stuck-wait leaked-thread */
/* RUN clean */
#include "../sample.h"

#define WORKERS 3
#define LIMIT 2000

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int queue[LIMIT * 3], head, tail, idle, visited;

static int next_page(int *ret_page)
{
	int got = 0;

	pthread_mutex_lock(&lock);
	idle++;
	while (head == tail && idle < WORKERS)
		pthread_cond_wait(&changed, &lock);
	if (head == tail) {
		pthread_cond_broadcast(&changed); /* all are idle: the end */
	} else {
		idle--;
		*ret_page = queue[head++];
		got = 1;
	}
	pthread_mutex_unlock(&lock);
	return got;
}

static void *crawl(void *arg)
{
	int page;

	while (next_page(&page)) {
		pthread_mutex_lock(&lock);
		visited++;
		for (int link = page * 2 + 1; link <= page * 2 + 2; link++)
			if (link < LIMIT)
				queue[tail++] = link;
		pthread_cond_broadcast(&changed);
		pthread_mutex_unlock(&lock);
	}
	return arg;
}

int main(void)
{
	pthread_t t[WORKERS];

	queue[tail++] = 0;
	for (int i = 0; i < WORKERS; i++)
		t[i] = start(crawl, NULL);
	for (int i = 0; i < WORKERS; i++)
		finish(t[i]);
	printf("%d\n", visited);
	return 0;
}
