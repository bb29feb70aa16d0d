/* SPDX-License-Identifier: MIT */
/* SCENARIO S74: flockfile around several calls, printf from threads: correct, and the file locks disturb nothing */
/* NEVER unlock-not-owned lock-order-inversion deadlock */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static FILE *sink;

static void *writer(void *arg)
{
	for (int i = 0; i < 50; i++) {
		flockfile(sink);
		pthread_mutex_lock(&m);
		fprintf(sink, "a");
		pthread_mutex_unlock(&m);
		putc_unlocked('b', sink);
		funlockfile(sink);
	}
	return arg;
}

int main(void)
{
	sink = fopen("/dev/null", "w");
	if (!sink)
		return 3;
	run_two(writer, writer);
	fclose(sink);
	return 0;
}
