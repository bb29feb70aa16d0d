/* SPDX-License-Identifier: MIT */
/* SCENARIO S53c: a lock that only handlers take, and each blocks the other's signal: silent */
/* NEVER signal-handler-lock self-deadlock */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static int lines;

static NOINLINE void on_signal(int number)
{
	(void)number;
	pthread_mutex_lock(&log_lock);
	lines++;
	pthread_mutex_unlock(&log_lock);
}

int main(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigaddset(&action.sa_mask, SIGUSR1);
	sigaddset(&action.sa_mask, SIGUSR2);
	MUST(sigaction(SIGUSR1, &action, NULL));
	MUST(sigaction(SIGUSR2, &action, NULL));
	for (int i = 0; i < 3; i++) {
		raise(SIGUSR1);
		raise(SIGUSR2);
	}
	return lines == 6 ? 0 : 1;
}
