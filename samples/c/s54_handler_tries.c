/* SPDX-License-Identifier: MIT */
/* SCENARIO S54: a handler that only tries the lock, and otherwise leaves a flag: silent */
/* NEVER signal-handler-lock self-deadlock lock-order-inversion */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static volatile sig_atomic_t later;
static int table;

static void on_signal(int number)
{
	int saved = errno;

	(void)number;
	if (pthread_mutex_trylock(&table_lock)) {
		later = 1;
	} else {
		table++;
		pthread_mutex_unlock(&table_lock);
	}
	errno = saved;
}

int main(void)
{
	signal(SIGUSR1, on_signal);
	raise(SIGUSR1);
	pthread_mutex_lock(&table_lock);
	raise(SIGUSR1);
	table += later;
	pthread_mutex_unlock(&table_lock);
	return table == 2 ? 0 : 1;
}
