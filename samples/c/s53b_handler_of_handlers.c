/* SPDX-License-Identifier: MIT */
/* SCENARIO S53b: two handlers share a lock, and the second signal can interrupt the first one's handler */
/* EXPECT signal-handler-lock confidence=potential stacks=on_usr1,on_usr2 locks=log_lock */
/* NEVER self-deadlock */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static int lines;

static NOINLINE void on_usr1(int number)
{
	(void)number;
	pthread_mutex_lock(&log_lock);
	lines++;
	pthread_mutex_unlock(&log_lock);
}

static NOINLINE void on_usr2(int number)
{
	(void)number;
	pthread_mutex_lock(&log_lock);
	lines += 2;
	pthread_mutex_unlock(&log_lock);
}

int main(void)
{
	struct sigaction first = { .sa_handler = on_usr1 }, second = { .sa_handler = on_usr2 };

	sigaddset(&second.sa_mask, SIGUSR1); /* the other way round it is safe */
	MUST(sigaction(SIGUSR1, &first, NULL));
	MUST(sigaction(SIGUSR2, &second, NULL));
	raise(SIGUSR1);
	raise(SIGUSR2);
	return lines == 3 ? 0 : 1;
}
