/* SPDX-License-Identifier: MIT */
/* SCENARIO S26: T1 reads A and writes B; T2 reads B and writes A */
/* EXPECT lock-order-inversion confidence=potential stacks=copy_forth,copy_back threads=2 */
/* RUN */
#include "../sample.h"

static pthread_rwlock_t a = PTHREAD_RWLOCK_INITIALIZER;
static pthread_rwlock_t b = PTHREAD_RWLOCK_INITIALIZER;
static int value_a = 1, value_b = 2;
static int step, alive;

static NOINLINE void copy_forth(void)
{
	pthread_rwlock_rdlock(&a);
	pthread_rwlock_wrlock(&b);
	value_b = value_a;
	pthread_rwlock_unlock(&b);
	pthread_rwlock_unlock(&a);
}

static NOINLINE void copy_back(void)
{
	pthread_rwlock_rdlock(&b);
	pthread_rwlock_wrlock(&a);
	value_a = value_b;
	pthread_rwlock_unlock(&a);
	pthread_rwlock_unlock(&b);
}

static void *first(void *arg)
{
	meet(&alive, 2);
	copy_forth();
	step_to(&step, 1);
	until(&step, 2);
	return arg;
}

static void *second(void *arg)
{
	meet(&alive, 2);
	until(&step, 1);
	copy_back();
	step_to(&step, 2);
	return arg;
}

int main(void)
{
	run_two(first, second);
	return 0;
}
