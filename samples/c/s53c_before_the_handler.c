/* SPDX-License-Identifier: MIT */
/* SCENARIO S53c: ordinary code uses the lock before the handler is installed and after it is taken away: silent */
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

static void update(void)
{
	pthread_mutex_lock(&table_lock);
	table++;
	pthread_mutex_unlock(&table_lock);
}

int main(void)
{
	struct sigaction action = { .sa_handler = on_signal }, old;

	update();
	MUST(sigaction(SIGUSR1, &action, &old));
	raise(SIGUSR1);
	MUST(sigaction(SIGUSR1, &old, NULL));
	update();
	return table == 3 ? 0 : 1;
}
