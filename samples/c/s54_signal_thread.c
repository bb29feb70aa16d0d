/* SPDX-License-Identifier: MIT */
/* SCENARIO S54: signals go to a thread that takes them with sigwait and then locks: no handler, silent */
/* NEVER signal-handler-lock self-deadlock */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static int table;

static void update(void)
{
	pthread_mutex_lock(&table_lock);
	table++;
	pthread_mutex_unlock(&table_lock);
}

static void *take_signals(void *arg)
{
	sigset_t *set = arg;
	int number;

	for (int i = 0; i < 10; i++) {
		MUST(sigwait(set, &number));
		update();
	}
	return NULL;
}

int main(void)
{
	pthread_t t;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	MUST(pthread_sigmask(SIG_BLOCK, &set, NULL));
	t = start(take_signals, &set);
	for (int i = 0; i < 10; i++) {
		update();
		MUST(pthread_kill(t, SIGUSR1));
		for (;;) {
			pthread_mutex_lock(&table_lock);
			if (table >= 2 * (i + 1)) {
				pthread_mutex_unlock(&table_lock);
				break;
			}
			pthread_mutex_unlock(&table_lock);
			sched_yield();
		}
	}
	finish(t);
	return 0;
}
