/* SPDX-License-Identifier: MIT */
/* SCENARIO S53c: ordinary code blocks the signal wherever it holds the handler's lock: silent */
/* NEVER signal-handler-lock self-deadlock */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static int table;

static void on_signal(int number)
{
	(void)number;
	pthread_mutex_lock(&table_lock);
	table++;
	pthread_mutex_unlock(&table_lock);
}

static void *update(void *arg)
{
	sigset_t set, old;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	for (int i = 0; i < 100; i++) {
		MUST(pthread_sigmask(SIG_BLOCK, &set, &old));
		pthread_mutex_lock(&table_lock);
		table++;
		pthread_mutex_unlock(&table_lock);
		MUST(pthread_sigmask(SIG_SETMASK, &old, NULL));
	}
	return arg;
}

int main(void)
{
	sigset_t set;

	signal(SIGUSR1, on_signal);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	for (int i = 0; i < 20; i++)
		raise(SIGUSR1);
	run_two(update, update);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	pthread_mutex_lock(&table_lock);
	raise(SIGUSR1); /* stays pending until it is unblocked */
	pthread_mutex_unlock(&table_lock);
	MUST(sigprocmask(SIG_UNBLOCK, &set, NULL));
	return table == 221 ? 0 : 1;
}
