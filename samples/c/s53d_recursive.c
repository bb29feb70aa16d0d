/* SPDX-License-Identifier: MIT */
/* SCENARIO S53d: a recursive mutex does not hang its own thread's handler: a hint */
/* EXPECT signal-handler-lock confidence=hint level=note stacks=on_signal,update */
/* NEVER self-deadlock */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t table_lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
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
	pthread_mutex_lock(&table_lock);
	raise(SIGUSR1);
	table++;
	pthread_mutex_unlock(&table_lock);
}

int main(void)
{
	signal(SIGUSR1, on_signal);
	update();
	return table == 2 ? 0 : 1;
}
