/* SPDX-License-Identifier: MIT */
/* SCENARIO S44: another process dies with a robust mutex locked; this one unlocks it without making it consistent */
/* EXPECT lock-not-recoverable confidence=observed stacks=gives_up */
/* RUN */
#include "../process.h"

static pthread_mutex_t *m;

static int owner(void)
{
	MUST(pthread_mutex_lock(m));
	return 0;
}

static NOINLINE void gives_up(void)
{
	GIVES(EOWNERDEAD, pthread_mutex_lock(m));
	MUST(pthread_mutex_unlock(m));
	GIVES(ENOTRECOVERABLE, pthread_mutex_lock(m));
}

int main(void)
{
	pthread_mutexattr_t attr;

	m = (pthread_mutex_t *)share(sizeof(*m));
	MUST(pthread_mutexattr_init(&attr));
	MUST(pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED));
	MUST(pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST));
	MUST(pthread_mutex_init(m, &attr));
	finish_child(start_child(owner));
	gives_up();
	return 0;
}
