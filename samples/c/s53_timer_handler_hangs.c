/* SPDX-License-Identifier: MIT */
/* SCENARIO S53: the handler of a timer, on a stack of its own, comes in the midst of a computation under the lock */
/* EXPECT self-deadlock confidence=observed stacks=on_tick,crunch threads=1 locks=stats_lock roles=holds,waits */
/* NEVER signal-handler-lock */
/* RUN timeout=2 */
#include "../sample.h"

#include <sys/time.h>

static pthread_mutex_t stats_lock = PTHREAD_MUTEX_INITIALIZER;
static volatile unsigned long steps;
static unsigned long reported;

static NOINLINE void on_tick(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)info;
	(void)context;
	pthread_mutex_lock(&stats_lock);
	reported = steps;
	pthread_mutex_unlock(&stats_lock);
}

static NOINLINE void crunch(void)
{
	pthread_mutex_lock(&stats_lock);
	for (;;)
		steps++;
}

int main(void)
{
	static char room[1 << 16];
	stack_t alternate = { .ss_sp = room, .ss_size = sizeof(room) };
	struct sigaction action = { .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART };
	struct itimerval soon = { .it_value = { 0, 100000 } };

	action.sa_sigaction = on_tick;
	MUST(sigaltstack(&alternate, NULL));
	MUST(sigaction(SIGALRM, &action, NULL));
	MUST(setitimer(ITIMER_REAL, &soon, NULL));
	crunch();
	return reported != 0;
}
