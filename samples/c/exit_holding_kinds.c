/* SPDX-License-Identifier: MIT */
/* SHOWS threads that end with an rwlock held for reading and with a spinlock held, by pthread_exit */
/* EXPECT lock-held-at-thread-exit confidence=observed count=2 */
/* RUN */
#include "../sample.h"

static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t spin;

static NOINLINE void leave(void)
{
	pthread_exit(NULL);
}

static void *reader(void *arg)
{
	pthread_rwlock_rdlock(&rw);
	leave();
	return arg;
}

static void *spinner(void *arg)
{
	pthread_spin_lock(&spin);
	leave();
	return arg;
}

int main(void)
{
	pthread_spin_init(&spin, 0);
	run_two(reader, spinner);
	return 0;
}
