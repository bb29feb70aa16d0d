/* SPDX-License-Identifier: MIT */
/* SCENARIO S28: a writer waits between the two reads and is preferred: both hang */
/* EXPECT deadlock confidence=observed stacks=read_again,writer threads=2 */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

static pthread_rwlock_t a = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
static int tid, reading;

static NOINLINE void read_again(void)
{
	pthread_rwlock_rdlock(&a);
	pthread_rwlock_unlock(&a);
}

static void *reader(void *arg)
{
	pthread_rwlock_rdlock(&a);
	step_to(&reading, 1);
	until_asleep(&tid);
	read_again();
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
