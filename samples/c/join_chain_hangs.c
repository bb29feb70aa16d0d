/* SPDX-License-Identifier: MIT */
/* SHOWS main joins A, A joins B, and B waits for the go that main would give after the join */
/* EXPECT stuck-wait confidence=observed stacks=b_main threads=1..3 roles=waits */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t go_cond = PTHREAD_COND_INITIALIZER;
static int go;

static void *b_main(void *arg)
{
	pthread_mutex_lock(&m);
	while (!go)
		pthread_cond_wait(&go_cond, &m);
	pthread_mutex_unlock(&m);
	return arg;
}

static void *a_main(void *arg)
{
	finish(start(b_main, NULL));
	return arg;
}

int main(void)
{
	pthread_t a = start(a_main, NULL);

	finish(a); /* too early */
	pthread_mutex_lock(&m);
	go = 1;
	pthread_cond_signal(&go_cond);
	pthread_mutex_unlock(&m);
	return 0;
}
