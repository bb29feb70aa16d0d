/* SPDX-License-Identifier: MIT */
/* SCENARIO S53d: the handler of a crash takes the log's lock: such a signal comes from the running code, so a hint */
/* EXPECT signal-handler-lock confidence=hint level=note stacks=on_crash,log_line locks=log_lock */
/* RUN clean */
#include "../sample.h"

#include <setjmp.h>

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static sigjmp_buf back;
static int lines;

static NOINLINE void log_line(void)
{
	pthread_mutex_lock(&log_lock);
	lines++;
	pthread_mutex_unlock(&log_lock);
}

static NOINLINE void on_crash(int number)
{
	(void)number;
	log_line();
	siglongjmp(back, 1);
}

int main(void)
{
	int *volatile nowhere = NULL;

	signal(SIGSEGV, on_crash);
	log_line();
	if (!sigsetjmp(back, 1))
		*nowhere = 1;
	log_line();
	return lines == 3 ? 0 : 1;
}
