/* SPDX-License-Identifier: MIT */
/* SHOWS an allocator with arenas: its own by lock, others by trylock, the global list in a fixed order */
/* NEVER lock-order-inversion deadlock unlock-not-owned */
/* RUN clean */
#include "../sample.h"

#define ARENAS 4
#define BLOCKS 256

struct arena {
	pthread_spinlock_t lock;
	int free_blocks;
};

static struct arena arenas[ARENAS];
static pthread_mutex_t refill_lock = PTHREAD_MUTEX_INITIALIZER;
static long refills;

static int take(int preferred)
{
	for (;;) {
		for (int i = 0; i < ARENAS; i++) {
			int number = (preferred + i) % ARENAS;
			struct arena *a = &arenas[number];

			if (i == 0)
				pthread_spin_lock(&a->lock);
			else if (pthread_spin_trylock(&a->lock) != 0)
				continue;
			if (a->free_blocks > 0) {
				a->free_blocks--;
				pthread_spin_unlock(&a->lock);
				return number;
			}
			pthread_spin_unlock(&a->lock);
		}
		pthread_mutex_lock(&refill_lock);
		pthread_spin_lock(&arenas[preferred].lock);
		arenas[preferred].free_blocks += BLOCKS / 8;
		refills++;
		pthread_spin_unlock(&arenas[preferred].lock);
		pthread_mutex_unlock(&refill_lock);
	}
}

static void give(int number)
{
	pthread_spin_lock(&arenas[number].lock);
	arenas[number].free_blocks++;
	pthread_spin_unlock(&arenas[number].lock);
}

static void *user(void *arg)
{
	int mine[BLOCKS];
	int preferred = (int)(intptr_t)arg;

	for (int round = 0; round < 10; round++) {
		for (int i = 0; i < BLOCKS; i++)
			mine[i] = take(preferred);
		for (int i = 0; i < BLOCKS; i++)
			give(mine[i]);
	}
	return NULL;
}

int main(void)
{
	pthread_t t[ARENAS];

	for (int i = 0; i < ARENAS; i++) {
		MUST(pthread_spin_init(&arenas[i].lock, 0));
		arenas[i].free_blocks = 0;
	}
	for (intptr_t i = 0; i < ARENAS; i++)
		t[i] = start(user, (void *)i);
	for (int i = 0; i < ARENAS; i++)
		finish(t[i]);
	return refills > 0 ? 0 : 3;
}
