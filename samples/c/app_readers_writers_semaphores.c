/* SPDX-License-Identifier: MIT */
/* SHOWS readers and writers built from semaphores: the first reader in takes the room, the last one out gives it back */
/* NEVER lock-order-inversion deadlock unlock-not-owned */
/* RUN clean */
#include "../sample.h"

static sem_t readers_mutex, room, turnstile;
static int readers, value, reads;

static void read_once(void)
{
	sem_wait(&turnstile);
	sem_post(&turnstile);
	sem_wait(&readers_mutex);
	if (++readers == 1)
		sem_wait(&room);
	sem_post(&readers_mutex);

	__atomic_add_fetch(&reads, value >= 0, __ATOMIC_SEQ_CST);

	sem_wait(&readers_mutex);
	if (--readers == 0)
		sem_post(&room); /* often not the one who took it */
	sem_post(&readers_mutex);
}

static void write_once(void)
{
	sem_wait(&turnstile);
	sem_wait(&room);
	value++;
	sem_post(&room);
	sem_post(&turnstile);
}

static void *reader(void *arg)
{
	for (int i = 0; i < 200; i++)
		read_once();
	return arg;
}

static void *writer(void *arg)
{
	for (int i = 0; i < 100; i++)
		write_once();
	return arg;
}

/* Two readers overlap for certain: the first one in is not the last one out. */
static int step;

static void enter(void)
{
	sem_wait(&readers_mutex);
	if (++readers == 1)
		sem_wait(&room);
	sem_post(&readers_mutex);
}

static void leave(void)
{
	sem_wait(&readers_mutex);
	if (--readers == 0)
		sem_post(&room);
	sem_post(&readers_mutex);
}

static void *first_in(void *arg)
{
	enter();
	step_to(&step, 1);
	until(&step, 2);
	leave();
	step_to(&step, 3);
	return arg;
}

static void *last_out(void *arg)
{
	until(&step, 1);
	enter();
	step_to(&step, 2);
	until(&step, 3);
	leave();
	return arg;
}

int main(void)
{
	pthread_t t[5];

	MUST(sem_init(&readers_mutex, 0, 1));
	MUST(sem_init(&room, 0, 1));
	MUST(sem_init(&turnstile, 0, 1));
	run_two(first_in, last_out);
	for (int i = 0; i < 5; i++)
		t[i] = start(i < 3 ? reader : writer, NULL);
	for (int i = 0; i < 5; i++)
		finish(t[i]);
	printf("%d %d\n", value, reads);
	return 0;
}
