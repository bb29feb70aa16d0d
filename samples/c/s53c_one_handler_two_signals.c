/* SPDX-License-Identifier: MIT */
/* SCENARIO S53c: one function handles two signals and locks for one of them only, which is blocked in every hold: silent */
/* NEVER signal-handler-lock self-deadlock */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static int table, others;

static void on_signal(int number)
{
	if (number != SIGUSR2) {
		others++;
		return;
	}
	pthread_mutex_lock(&table_lock);
	table++;
	pthread_mutex_unlock(&table_lock);
}

int main(void)
{
	sigset_t set;

	signal(SIGUSR1, on_signal);
	signal(SIGUSR2, on_signal);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	raise(SIGUSR1);
	raise(SIGUSR2);
	for (int i = 0; i < 10; i++) {
		MUST(pthread_sigmask(SIG_BLOCK, &set, NULL));
		pthread_mutex_lock(&table_lock);
		table++;
		pthread_mutex_unlock(&table_lock);
		MUST(pthread_sigmask(SIG_UNBLOCK, &set, NULL));
	}
	return table == 11 && others == 1 ? 0 : 1;
}
