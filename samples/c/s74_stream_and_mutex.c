/* SPDX-License-Identifier: MIT */
/* SCENARIO S74: a stream locked with flockfile and then a mutex; elsewhere the mutex and then flockfile */
/* EXPECT lock-order-inversion confidence=potential stacks=log_line,log_totals threads=2 locks=totals_lock */
/* RUN */
#include "../sample.h"

static pthread_mutex_t totals_lock = PTHREAD_MUTEX_INITIALIZER;
static FILE *sink;
static long lines;
static int logged;

static NOINLINE void *log_line(void *arg)
{
	flockfile(sink);
	fputs("line ", sink);
	pthread_mutex_lock(&totals_lock);
	fprintf(sink, "%ld\n", ++lines);
	pthread_mutex_unlock(&totals_lock);
	funlockfile(sink);
	step_to(&logged, 1);
	return arg;
}

static NOINLINE void *log_totals(void *arg)
{
	until(&logged, 1);
	pthread_mutex_lock(&totals_lock);
	flockfile(sink);
	fprintf(sink, "total %ld\n", lines);
	funlockfile(sink);
	pthread_mutex_unlock(&totals_lock);
	return arg;
}

int main(void)
{
	sink = fopen("/dev/null", "w");
	if (!sink)
		return 3;
	run_two(log_line, log_totals);
	fclose(sink);
	return 0;
}
