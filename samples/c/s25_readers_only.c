/* SPDX-License-Identifier: MIT */
/* SCENARIO S25: T1 reads A,B; T2 reads B,A; nobody ever writes */
/* NEVER lock-order-inversion */
/* RUN clean */
#include "../sample.h"

static pthread_rwlock_t a = PTHREAD_RWLOCK_INITIALIZER;
static pthread_rwlock_t b = PTHREAD_RWLOCK_INITIALIZER;
static int alive;

static void *forwards(void *arg)
{
	pthread_rwlock_rdlock(&a);
	meet(&alive, 2);
	pthread_rwlock_rdlock(&b);
	pthread_rwlock_unlock(&b);
	pthread_rwlock_unlock(&a);
	return arg;
}

static void *backwards(void *arg)
{
	pthread_rwlock_rdlock(&b);
	meet(&alive, 2);
	pthread_rwlock_rdlock(&a);
	pthread_rwlock_unlock(&a);
	pthread_rwlock_unlock(&b);
	return arg;
}

int main(void)
{
	run_two(forwards, backwards);
	return 0;
}
