/* SPDX-License-Identifier: MIT */
/* SCENARIO S53: a signal handler locks what the interrupted thread holds */
/* EXPECT self-deadlock confidence=observed stacks=on_signal,update threads=1 locks=table_lock roles=holds,waits */
/* NEVER signal-handler-lock deadlock stuck-wait */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static int seen;

static NOINLINE void on_signal(int number)
{
	pthread_mutex_lock(&table_lock);
	seen = number;
	pthread_mutex_unlock(&table_lock);
}

static NOINLINE void update(void)
{
	pthread_mutex_lock(&table_lock);
	kill(getpid(), SIGUSR1);
	pthread_mutex_unlock(&table_lock);
}

int main(void)
{
	signal(SIGUSR1, on_signal);
	update();
	return seen == SIGUSR1 ? 0 : 1;
}
