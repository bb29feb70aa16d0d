/* SPDX-License-Identifier: MIT */
/* SCENARIO S28: the same with the default kind: a note on portability */
/* EXPECT lock-order-inversion level=note stacks=reader */
/* RUN clean */
#include "../sample.h"

static pthread_rwlock_t a = PTHREAD_RWLOCK_INITIALIZER;
static int tid, reading;

static void *reader(void *arg)
{
	pthread_rwlock_rdlock(&a);
	step_to(&reading, 1);
	until_asleep(&tid); /* the writer waits */
	pthread_rwlock_rdlock(&a);
	pthread_rwlock_unlock(&a);
	pthread_rwlock_unlock(&a);
	return arg;
}

static void *writer(void *arg)
{
	until(&reading, 1);
	publish_tid(&tid);
	pthread_rwlock_wrlock(&a);
	pthread_rwlock_unlock(&a);
	return arg;
}

int main(void)
{
	run_two(reader, writer);
	return 0;
}
