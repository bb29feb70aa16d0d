/* SPDX-License-Identifier: MIT */
/* SHOWS first-in locks the room, last-out unlocks it, with mutexes: an inversion, and an unlock by another thread */
/* EXPECT unlock-not-owned confidence=observed stacks=leave threads=2 locks=room */
/* ALLOW lock-order-inversion level=note..error */
/* RUN */
#include "../sample.h"

static pthread_mutex_t count_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t room = PTHREAD_MUTEX_INITIALIZER;
static int inside, step;

static NOINLINE void enter(void)
{
	pthread_mutex_lock(&count_lock);
	if (++inside == 1)
		pthread_mutex_lock(&room);
	pthread_mutex_unlock(&count_lock);
}

static NOINLINE void leave(void)
{
	pthread_mutex_lock(&count_lock);
	if (--inside == 0)
		pthread_mutex_unlock(&room);
	pthread_mutex_unlock(&count_lock);
}

static void *first(void *arg)
{
	enter();
	step_to(&step, 1);
	until(&step, 2);
	leave();
	step_to(&step, 3);
	until(&step, 4);
	return arg;
}

static void *second(void *arg)
{
	until(&step, 1);
	enter();
	step_to(&step, 2);
	until(&step, 3);
	leave();
	step_to(&step, 4);
	return arg;
}

int main(void)
{
	run_two(first, second);
	return 0;
}
