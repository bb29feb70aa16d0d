/* SPDX-License-Identifier: MIT */
/* SHOWS a condvar waited on with an ERRORCHECK mutex that another thread holds: EPERM */
/* EXPECT cond-wait-unlocked confidence=observed stacks=wait_wrongly locks=m */
/* RUN */
#include "../sample.h"

static pthread_mutex_t m = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int step;

static NOINLINE void wait_wrongly(void)
{
	GIVES(EPERM, pthread_cond_wait(&cond, &m));
}

static void *owner(void *arg)
{
	MUST(pthread_mutex_lock(&m));
	step_to(&step, 1);
	until(&step, 2);
	MUST(pthread_mutex_unlock(&m));
	return arg;
}

static void *stranger(void *arg)
{
	until(&step, 1);
	wait_wrongly();
	step_to(&step, 2);
	return arg;
}

int main(void)
{
	run_two(owner, stranger);
	return 0;
}
