/* SPDX-License-Identifier: MIT */
/* SCENARIO S49: longjmp leaves a critical section in main; the process ends with the lock held */
/* EXPECT lock-held-at-exit level=note stacks=parse locks=parser_lock */
/* RUN clean */
#include "../sample.h"

#include <setjmp.h>

static pthread_mutex_t parser_lock = PTHREAD_MUTEX_INITIALIZER;
static jmp_buf error;

static NOINLINE void parse(void)
{
	pthread_mutex_lock(&parser_lock);
	longjmp(error, 1);
}

int main(void)
{
	if (!setjmp(error))
		parse();
	return 0;
}
