/* SPDX-License-Identifier: MIT */
/* SCENARIO S53c: the signal is blocked when the lock is taken, but unblocked again before it is released */
/* EXPECT signal-handler-lock confidence=potential stacks=on_signal,update locks=table_lock */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static int table;

static NOINLINE void on_signal(int number)
{
	(void)number;
	pthread_mutex_lock(&table_lock);
	table++;
	pthread_mutex_unlock(&table_lock);
}

static NOINLINE void update(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	MUST(pthread_sigmask(SIG_BLOCK, &set, NULL));
	pthread_mutex_lock(&table_lock);
	table++;
	MUST(pthread_sigmask(SIG_UNBLOCK, &set, NULL)); /* one line too high */
	pthread_mutex_unlock(&table_lock);
}

int main(void)
{
	signal(SIGTERM, on_signal);
	raise(SIGTERM);
	update();
	return table == 2 ? 0 : 1;
}
