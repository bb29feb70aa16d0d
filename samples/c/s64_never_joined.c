/* SPDX-License-Identifier: MIT */
/* SCENARIO S64: a thread finished and was never joined nor detached */
/* EXPECT leaked-thread level=warning stacks=start_helper threads=1 threadnames=helper created=start_helper */
/* RUN clean */
#include "../sample.h"

static int done;

static void *helper(void *arg)
{
	pthread_setname_np(pthread_self(), "helper");
	step_to(&done, my_tid());
	return arg;
}

static NOINLINE void start_helper(void)
{
	pthread_t t;

	MUST(pthread_create(&t, NULL, helper, NULL));
}

int main(void)
{
	start_helper();
	until(&done, 1);
	until_alone();
	return 0;
}
