/* SPDX-License-Identifier: MIT */
/* SCENARIO S07: one thread takes A,B and then B,A; another thread uses each lock alone */
/* NEVER lock-order-inversion */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static int alive;

static void *both_orders(void *arg)
{
	meet(&alive, 2);
	for (int i = 0; i < 10; i++) {
		pthread_mutex_lock(&a);
		pthread_mutex_lock(&b);
		pthread_mutex_unlock(&b);
		pthread_mutex_unlock(&a);
		pthread_mutex_lock(&b);
		pthread_mutex_lock(&a);
		pthread_mutex_unlock(&a);
		pthread_mutex_unlock(&b);
	}
	meet(&alive, 4);
	return arg;
}

static void *bystander(void *arg)
{
	meet(&alive, 2);
	for (int i = 0; i < 10; i++) {
		pthread_mutex_lock(&a);
		pthread_mutex_unlock(&a);
		pthread_mutex_lock(&b);
		pthread_mutex_unlock(&b);
	}
	meet(&alive, 4);
	return arg;
}

int main(void)
{
	run_two(both_orders, bystander);
	return 0;
}
