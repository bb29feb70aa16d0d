/* SPDX-License-Identifier: MIT */
/* SCENARIO S53c: all threads but one inherit a mask without the signal; that one takes the lock in handlers only: silent */
/* NEVER signal-handler-lock self-deadlock */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static int table, handled;

static void on_signal(int number)
{
	(void)number;
	pthread_mutex_lock(&table_lock);
	table++;
	pthread_mutex_unlock(&table_lock);
	__atomic_add_fetch(&handled, 1, __ATOMIC_SEQ_CST);
}

static void *work(void *arg)
{
	for (int i = 0; i < 100; i++) {
		pthread_mutex_lock(&table_lock);
		table++;
		pthread_mutex_unlock(&table_lock);
	}
	return arg;
}

int main(void)
{
	sigset_t set, old;
	pthread_t a, b;

	signal(SIGHUP, on_signal);
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	MUST(pthread_sigmask(SIG_BLOCK, &set, &old));
	a = start(work, NULL);
	b = start(work, NULL);
	MUST(pthread_sigmask(SIG_SETMASK, &old, NULL));
	for (int i = 0; i < 20; i++) {
		kill(getpid(), SIGHUP); /* this thread is the only one that may take it */
		until(&handled, i + 1);
	}
	finish(a);
	finish(b);
	return table == 220 ? 0 : 1;
}
