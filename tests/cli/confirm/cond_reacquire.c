/* SPDX-License-Identifier: MIT */
/* FEASIBLE a condition wait with another lock held: the mutex is wanted back by who has what the giver wants */
#include "confirm.h"

static pthread_mutex_t queue = PTHREAD_MUTEX_INITIALIZER, state = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER;
static int items;

static NOINLINE void take(void)
{
	pthread_mutex_lock(&state);
	pthread_mutex_lock(&queue);
	while (!items)
		pthread_cond_wait(&filled, &queue);
	items--;
	pthread_mutex_unlock(&queue);
	pthread_mutex_unlock(&state);
}

static NOINLINE void give(void)
{
	pthread_mutex_lock(&queue);
	items++;
	pthread_cond_signal(&filled);
	pthread_mutex_unlock(&queue);
}

BOTH(describe, MUTEX, MUTEX)

static void part(long number)
{
	switch (number) {
	case 0:
		take();
		break;
	case 1:
		give();
		break;
	default:
		describe(&queue, &state);
	}
}

int main(void)
{
	return run_apart(part, 3);
}
