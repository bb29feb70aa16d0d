/* SPDX-License-Identifier: MIT */
/* SCENARIO S27: T1 reads A,B; T2 reads B and writes A; nobody writes B and the kind prefers readers */
/* NEVER lock-order-inversion */
/* RUN clean */
#include "../sample.h"

static pthread_rwlock_t a = PTHREAD_RWLOCK_INITIALIZER;
static pthread_rwlock_t b = PTHREAD_RWLOCK_INITIALIZER;
static int step, alive;

static void *reader(void *arg)
{
	meet(&alive, 2);
	pthread_rwlock_rdlock(&a);
	pthread_rwlock_rdlock(&b);
	pthread_rwlock_unlock(&b);
	pthread_rwlock_unlock(&a);
	step_to(&step, 1);
	until(&step, 2);
	return arg;
}

static void *writer(void *arg)
{
	meet(&alive, 2);
	until(&step, 1);
	pthread_rwlock_rdlock(&b);
	pthread_rwlock_wrlock(&a);
	pthread_rwlock_unlock(&a);
	pthread_rwlock_unlock(&b);
	step_to(&step, 2);
	return arg;
}

int main(void)
{
	run_two(reader, writer);
	return 0;
}
