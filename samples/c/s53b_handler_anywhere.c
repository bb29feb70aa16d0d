/* SPDX-License-Identifier: MIT */
/* SCENARIO S53b: the signal of a handler that locks arrives in three places: one finding, whose name is the handler's */
/* EXPECT signal-handler-lock confidence=potential level=warning count=1 occurs=3 stacks=on_signal,update locks=table_lock roles=acquires,holds */
/* NEVER self-deadlock */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static int table[2];

static NOINLINE void on_signal(int number)
{
	pthread_mutex_lock(&table_lock);
	table[0] += number == SIGTERM;
	pthread_mutex_unlock(&table_lock);
}

static NOINLINE void update(void)
{
	pthread_mutex_lock(&table_lock);
	table[1]++;
	pthread_mutex_unlock(&table_lock);
}

static NOINLINE void reading(void)
{
	raise(SIGTERM);
	table[1]++;
}

static NOINLINE void writing(void)
{
	raise(SIGTERM);
	table[1]--;
}

int main(void)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	MUST(sigaction(SIGTERM, &action, NULL));
	update();
	reading();
	writing();
	raise(SIGTERM);
	return table[0] == 3 ? 0 : 1;
}
