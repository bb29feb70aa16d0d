/* SPDX-License-Identifier: MIT */
/* SHOWS the textbook bounded buffer: empty, full and a binary semaphore as mutex */
/* NEVER lock-order-inversion stuck-wait */
/* RUN clean */
#include "../sample.h"

#define ROOM 5
#define ITEMS 300

static sem_t empty, full, mutex;
static int buffer[ROOM], in, out;
static long sum;

static void *producer(void *arg)
{
	for (int i = 1; i <= ITEMS; i++) {
		sem_wait(&empty);
		sem_wait(&mutex);
		buffer[in] = i;
		in = (in + 1) % ROOM;
		sem_post(&mutex);
		sem_post(&full);
	}
	return arg;
}

static void *consumer(void *arg)
{
	for (int i = 1; i <= ITEMS; i++) {
		sem_wait(&full);
		sem_wait(&mutex);
		sum += buffer[out];
		out = (out + 1) % ROOM;
		sem_post(&mutex);
		sem_post(&empty);
	}
	return arg;
}

int main(void)
{
	pthread_t t[4];

	MUST(sem_init(&empty, 0, ROOM));
	MUST(sem_init(&full, 0, 0));
	MUST(sem_init(&mutex, 0, 1));
	for (int i = 0; i < 4; i++)
		t[i] = start(i % 2 ? producer : consumer, NULL);
	for (int i = 0; i < 4; i++)
		finish(t[i]);
	printf("%ld\n", sum);
	return 0;
}
