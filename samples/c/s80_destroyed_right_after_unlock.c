/* SPDX-License-Identifier: MIT */
/* SCENARIO S80,I5: the last user unlocks, destroys and unmaps; whoever touched the lock after its unlock would crash */
/* NEVER use-after-destroy destroy-locked unlock-not-owned */
/* RUN clean */
#include "../sample.h"

#include <sys/mman.h>

#define ROUNDS 2000

struct shared {
	pthread_mutex_t lock;
	int users;
};

static struct shared *current;
static int round_open, round_done[2];

static NOINLINE void drop(struct shared *s)
{
	int last;

	pthread_mutex_lock(&s->lock);
	last = --s->users == 0;
	pthread_mutex_unlock(&s->lock);
	if (last) {
		pthread_mutex_destroy(&s->lock);
		munmap(s, 4096);
	}
}

static void *user(void *arg)
{
	int me = (int)(intptr_t)arg;

	for (int i = 1; i <= ROUNDS; i++) {
		until(&round_open, i);
		drop(current);
		step_to(&round_done[me], i);
	}
	return NULL;
}

int main(void)
{
	pthread_t t[2] = { start(user, (void *)0), start(user, (void *)1) };

	for (int i = 1; i <= ROUNDS; i++) {
		struct shared *s = (struct shared *)mmap(NULL, 4096, PROT_READ | PROT_WRITE,
							 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (s == MAP_FAILED)
			return 3;
		MUST(pthread_mutex_init(&s->lock, NULL));
		s->users = 2;
		current = s;
		step_to(&round_open, i);
		until(&round_done[0], i);
		until(&round_done[1], i);
	}
	finish(t[0]);
	finish(t[1]);
	return 0;
}
