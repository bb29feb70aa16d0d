/* SPDX-License-Identifier: MIT */
/* SHOWS two separate deadlocks in one process: two findings */
/* EXPECT deadlock confidence=observed count=2 threads=2 */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

static pthread_mutex_t lock[4];
static int holding[2];

static NOINLINE void red(int me)
{
	pthread_mutex_lock(&lock[me]);
	meet(&holding[0], 2);
	pthread_mutex_lock(&lock[!me]);
	__asm__ volatile("");
}

static NOINLINE void blue(int me)
{
	pthread_mutex_lock(&lock[2 + me]);
	meet(&holding[1], 2);
	pthread_mutex_lock(&lock[2 + !me]);
	__asm__ volatile("");
}

static void *red_thread(void *arg)
{
	red((int)(intptr_t)arg);
	return NULL;
}

static void *blue_thread(void *arg)
{
	blue((int)(intptr_t)arg);
	return NULL;
}

int main(void)
{
	pthread_t t[4];

	for (int i = 0; i < 4; i++)
		pthread_mutex_init(&lock[i], NULL);
	t[0] = start(red_thread, (void *)0);
	t[1] = start(red_thread, (void *)1);
	t[2] = start(blue_thread, (void *)0);
	t[3] = start(blue_thread, (void *)1);
	for (int i = 0; i < 4; i++)
		finish(t[i]);
	return 0;
}
