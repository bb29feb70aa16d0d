/* SPDX-License-Identifier: MIT */
/* SCENARIO S53b: a handler takes a lock that other code holds with the signal unblocked; it did not come just then */
/* EXPECT signal-handler-lock confidence=potential level=warning stacks=on_signal,update locks=table_lock roles=acquires,holds */
/* NEVER self-deadlock */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static int table[2];

static NOINLINE void on_signal(int number)
{
	pthread_mutex_lock(&table_lock);
	table[0] = number;
	pthread_mutex_unlock(&table_lock);
}

static NOINLINE void update(void)
{
	pthread_mutex_lock(&table_lock);
	table[1]++;
	pthread_mutex_unlock(&table_lock);
}

int main(void)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	MUST(sigaction(SIGUSR1, &action, NULL));
	update();
	raise(SIGUSR1);
	return table[0] == SIGUSR1 ? 0 : 1;
}
