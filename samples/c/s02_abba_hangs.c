/* SPDX-License-Identifier: MIT */
/* SCENARIO S02,I5: T1 holds A and wants B, T2 holds B and wants A: both hang; the same from the trace after SIGKILL */
/* EXPECT deadlock confidence=observed level=error stacks=transfer_out,transfer_in threads=2 threadnames=sender,receiver locks=account_a,account_b roles=holds,waits created=main */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

static pthread_mutex_t account_a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t account_b = PTHREAD_MUTEX_INITIALIZER;
static int holding;

static NOINLINE void transfer_out(void)
{
	pthread_mutex_lock(&account_a);
	meet(&holding, 2);
	pthread_mutex_lock(&account_b);
	pthread_mutex_unlock(&account_b);
	pthread_mutex_unlock(&account_a);
}

static NOINLINE void transfer_in(void)
{
	pthread_mutex_lock(&account_b);
	meet(&holding, 2);
	pthread_mutex_lock(&account_a);
	pthread_mutex_unlock(&account_a);
	pthread_mutex_unlock(&account_b);
}

static void *sender(void *arg)
{
	pthread_setname_np(pthread_self(), "sender");
	transfer_out();
	return arg;
}

static void *receiver(void *arg)
{
	pthread_setname_np(pthread_self(), "receiver");
	transfer_in();
	return arg;
}

int main(void)
{
	run_two(sender, receiver);
	return 0;
}
