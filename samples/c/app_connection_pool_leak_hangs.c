/* SPDX-License-Identifier: MIT */
/* SHOWS a connection pool whose error path forgets to give its slot back: after three errors everybody waits */
/* EXPECT stuck-wait confidence=observed stacks=check_out,client threads=1..4 roles=waits locks=available */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

#define CONNECTIONS 3

static sem_t available;
static pthread_mutex_t statistics_lock = PTHREAD_MUTEX_INITIALIZER;
static int queries;

static NOINLINE void check_out(void)
{
	while (sem_wait(&available) < 0)
		;
}

static NOINLINE int query(int number)
{
	check_out();
	pthread_mutex_lock(&statistics_lock);
	queries++;
	pthread_mutex_unlock(&statistics_lock);
	if (number % 10 == 9)
		return -1; /* the slot stays taken */
	sem_post(&available);
	return 0;
}

static void *client(void *arg)
{
	for (int i = 0; i < 40; i++)
		query(i);
	return arg;
}

int main(void)
{
	pthread_t t[3];

	MUST(sem_init(&available, 0, CONNECTIONS));
	for (int i = 0; i < 3; i++)
		t[i] = start(client, NULL);
	for (int i = 0; i < 3; i++)
		finish(t[i]);
	return 0;
}
