/* SPDX-License-Identifier: MIT */
/* SHOWS C11 threads: a thrd_t that is never joined nor detached */
/* EXPECT leaked-thread level=warning threads=1 created=start_it */
/* RUN clean */
#include "../sample.h"

#include <threads.h>

static int done;

static int quick(void *arg)
{
	(void)arg;
	step_to(&done, 1);
	return 0;
}

static NOINLINE void start_it(void)
{
	thrd_t t;

	thrd_create(&t, quick, NULL);
}

int main(void)
{
	start_it();
	until(&done, 1);
	until_alone();
	return 0;
}
