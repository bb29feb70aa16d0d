/* SPDX-License-Identifier: MIT */
/* SCENARIO S66: a detached thread is joined */
/* EXPECT double-join level=error stacks=join_detached threads=1..2 */
/* RUN */
#include "../sample.h"

static int go;

static void *worker(void *arg)
{
	until(&go, 1);
	return arg;
}

static NOINLINE void join_detached(pthread_t t)
{
	GIVES(EINVAL, pthread_join(t, NULL));
}

int main(void)
{
	pthread_t t = start(worker, NULL);

	MUST(pthread_detach(t));
	join_detached(t);
	step_to(&go, 1);
	until_alone();
	return 0;
}
