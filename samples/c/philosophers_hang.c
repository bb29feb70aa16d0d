/* SPDX-License-Identifier: MIT */
/* SHOWS five dining philosophers, all with the left fork in hand */
/* EXPECT deadlock confidence=observed stacks=eat threads=5 threadnames=Plato,Hegel locks=fork_ roles=holds,waits */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

#define SEATS 5

static pthread_mutex_t fork_[SEATS];
static const char *const names[SEATS] = { "Plato", "Kant", "Hegel", "Marx", "Arendt" };
static int seated;

static NOINLINE void eat(int seat)
{
	pthread_mutex_lock(&fork_[seat]);
	meet(&seated, SEATS);
	pthread_mutex_lock(&fork_[(seat + 1) % SEATS]);
	pthread_mutex_unlock(&fork_[(seat + 1) % SEATS]);
	pthread_mutex_unlock(&fork_[seat]);
}

static void *philosopher(void *arg)
{
	int seat = (int)(intptr_t)arg;

	pthread_setname_np(pthread_self(), names[seat]);
	eat(seat);
	return NULL;
}

int main(void)
{
	pthread_t t[SEATS];

	for (int i = 0; i < SEATS; i++)
		MUST(pthread_mutex_init(&fork_[i], NULL));
	for (intptr_t i = 0; i < SEATS; i++)
		t[i] = start(philosopher, (void *)i);
	for (int i = 0; i < SEATS; i++)
		finish(t[i]);
	return 0;
}
