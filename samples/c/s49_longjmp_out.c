/* SPDX-License-Identifier: MIT */
/* SCENARIO S49: longjmp leaves a critical section; the lock is still held when the thread ends */
/* EXPECT lock-held-at-thread-exit confidence=observed stacks=parse threads=1 locks=parser_lock */
/* RUN */
#include "../sample.h"

#include <setjmp.h>

static pthread_mutex_t parser_lock = PTHREAD_MUTEX_INITIALIZER;
static int depth;

static NOINLINE void parse(jmp_buf *error)
{
	pthread_mutex_lock(&parser_lock);
	if (++depth > 0)
		longjmp(*error, 1);
	pthread_mutex_unlock(&parser_lock);
}

static void *parser(void *arg)
{
	jmp_buf error;

	if (!setjmp(error))
		parse(&error);
	return arg;
}

int main(void)
{
	finish(start(parser, NULL));
	return 0;
}
