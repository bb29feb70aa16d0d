/* SPDX-License-Identifier: MIT */
/* SCENARIO S57: an exit handler locks a mutex that was destroyed earlier: said, and no crash */
/* EXPECT use-after-destroy level=note stacks=flush_at_exit locks=log_lock */
/* ALLOW lock-held-at-exit */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t log_lock;

static void flush_at_exit(void)
{
	if (pthread_mutex_lock(&log_lock) == 0)
		pthread_mutex_unlock(&log_lock);
}

static void close_log(void)
{
	pthread_mutex_destroy(&log_lock);
}

int main(void)
{
	pthread_mutex_init(&log_lock, NULL);
	atexit(flush_at_exit);
	atexit(close_log); /* runs first */
	pthread_mutex_lock(&log_lock);
	pthread_mutex_unlock(&log_lock);
	return 0;
}
