/* SPDX-License-Identifier: MIT */
/* SCENARIO S28: a thread reads A twice; another thread writes A; the kind prefers writers */
/* EXPECT lock-order-inversion confidence=potential stacks=read_again threads=1..2 */
/* RUN */
#include "../sample.h"

static pthread_rwlock_t a = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
static int step, alive;

static NOINLINE void read_again(void)
{
	pthread_rwlock_rdlock(&a);
	pthread_rwlock_unlock(&a);
}

static NOINLINE void read_once(void)
{
	pthread_rwlock_rdlock(&a);
	read_again();
	pthread_rwlock_unlock(&a);
}

static void *reader(void *arg)
{
	meet(&alive, 2);
	read_once();
	step_to(&step, 1);
	until(&step, 2);
	return arg;
}

static void *writer(void *arg)
{
	meet(&alive, 2);
	until(&step, 1);
	pthread_rwlock_wrlock(&a);
	pthread_rwlock_unlock(&a);
	step_to(&step, 2);
	return arg;
}

int main(void)
{
	run_two(reader, writer);
	return 0;
}
