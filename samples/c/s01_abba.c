/* SPDX-License-Identifier: MIT */
/* SCENARIO S01: T1 takes A,B; later T2 takes B,A; both alive, no hang */
/* EXPECT lock-order-inversion confidence=potential level=error stacks=transfer_out,transfer_in threads=2 threadnames=sender,receiver locks=account_a,account_b created=main edges=2 */
/* RUN */
#include "../sample.h"

static pthread_mutex_t account_a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t account_b = PTHREAD_MUTEX_INITIALIZER;
static int balance_a = 100, balance_b = 100;
static int started, step;

static NOINLINE void transfer_out(int amount)
{
	pthread_mutex_lock(&account_a);
	pthread_mutex_lock(&account_b);
	balance_a -= amount;
	balance_b += amount;
	pthread_mutex_unlock(&account_b);
	pthread_mutex_unlock(&account_a);
}

static NOINLINE void transfer_in(int amount)
{
	pthread_mutex_lock(&account_b);
	pthread_mutex_lock(&account_a);
	balance_b -= amount;
	balance_a += amount;
	pthread_mutex_unlock(&account_a);
	pthread_mutex_unlock(&account_b);
}

static void *sender(void *arg)
{
	(void)arg;
	pthread_setname_np(pthread_self(), "sender");
	meet(&started, 2);
	transfer_out(10);
	step_to(&step, 1);
	until(&step, 2);
	return NULL;
}

static void *receiver(void *arg)
{
	(void)arg;
	pthread_setname_np(pthread_self(), "receiver");
	meet(&started, 2);
	until(&step, 1);
	transfer_in(5);
	step_to(&step, 2);
	return NULL;
}

int main(void)
{
	pthread_t out, in;

	MUST(pthread_create(&out, NULL, sender, NULL));
	MUST(pthread_create(&in, NULL, receiver, NULL));
	MUST(pthread_join(out, NULL));
	MUST(pthread_join(in, NULL));
	printf("%d %d\n", balance_a, balance_b);
	return 0;
}
