/* SPDX-License-Identifier: MIT */
/* SHOWS dining philosophers that take the lower fork first: correct */
/* NEVER lock-order-inversion deadlock */
/* RUN clean */
#include "../sample.h"

#define SEATS 5
#define MEALS 200

static pthread_mutex_t fork_[SEATS];
static int meals[SEATS];

static void *philosopher(void *arg)
{
	int seat = (int)(intptr_t)arg, other = (seat + 1) % SEATS;
	int low = seat < other ? seat : other, high = seat < other ? other : seat;

	for (int i = 0; i < MEALS; i++) {
		pthread_mutex_lock(&fork_[low]);
		pthread_mutex_lock(&fork_[high]);
		meals[seat]++;
		pthread_mutex_unlock(&fork_[high]);
		pthread_mutex_unlock(&fork_[low]);
	}
	return NULL;
}

int main(void)
{
	pthread_t t[SEATS];
	int total = 0;

	for (int i = 0; i < SEATS; i++)
		MUST(pthread_mutex_init(&fork_[i], NULL));
	for (intptr_t i = 0; i < SEATS; i++)
		t[i] = start(philosopher, (void *)i);
	for (int i = 0; i < SEATS; i++) {
		finish(t[i]);
		total += meals[i];
	}
	printf("%d\n", total);
	return 0;
}
