/* SPDX-License-Identifier: MIT */
/* SHOWS one hand-over after the other, each by another means, and memory that is used again: nothing races */
/* NEVER data-race */
/* RUN options=--races=record full clean */
/* BUILD needs=tsan */
#include "../sample.h"

#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

static int data[12];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t change = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_barrier_t barrier;
static pthread_spinlock_t spin;
static sem_t full;
static bool is_full;
static atomic_int ready, is_taken, over;
static int channel[2];

static void initialise(void)
{
	data[0] = 1;
}

static void *give(void *arg)
{
	char byte = 1;

	pthread_once(&once, initialise);
	data[1] = data[0];
	sem_post(&full);
	data[2] = 1;
	pthread_barrier_wait(&barrier);
	data[3] = 1;
	pthread_mutex_lock(&lock);
	is_full = true;
	pthread_cond_signal(&change);
	pthread_mutex_unlock(&lock);
	data[4] = 1;
	atomic_store_explicit(&ready, 1, memory_order_release);
	data[5] = 1;
	if (write(channel[1], &byte, 1) != 1)
		abort();
	for (int i = 0; i < 200; i++) {
		pthread_rwlock_wrlock(&rwlock);
		data[6]++;
		pthread_rwlock_unlock(&rwlock);
		pthread_spin_lock(&spin);
		data[7]++;
		pthread_spin_unlock(&spin);
		while (atomic_exchange_explicit(&is_taken, 1, memory_order_acquire))
			sched_yield();
		data[8]++;
		atomic_store_explicit(&is_taken, 0, memory_order_release);
	}
	return arg;
}

static void *take(void *arg)
{
	int sum = 0;
	char byte;

	pthread_once(&once, initialise);
	sum += data[0];
	sem_wait(&full);
	sum += data[1];
	pthread_barrier_wait(&barrier);
	sum += data[2];
	pthread_mutex_lock(&lock);
	while (!is_full)
		pthread_cond_wait(&change, &lock);
	pthread_mutex_unlock(&lock);
	sum += data[3];
	while (!atomic_load_explicit(&ready, memory_order_acquire))
		sched_yield();
	sum += data[4];
	if (read(channel[0], &byte, 1) != 1)
		abort();
	sum += data[5];
	for (int i = 0; i < 200; i++) {
		pthread_rwlock_rdlock(&rwlock);
		sum += data[6];
		pthread_rwlock_unlock(&rwlock);
		pthread_spin_lock(&spin);
		data[7]++;
		pthread_spin_unlock(&spin);
		while (atomic_exchange_explicit(&is_taken, 1, memory_order_acquire))
			sched_yield();
		data[8]++;
		atomic_store_explicit(&is_taken, 0, memory_order_release);
	}
	return sum ? arg : NULL;
}

/* Nothing orders one of these threads with the next one that gets its stack, nor one block with the next at its place. */
static void *use_memory_again(void *arg)
{
	char stack[512], *heap;

	memset(stack, 1, sizeof(stack));
	for (int i = 0; i < 50; i++) {
		heap = malloc(48);
		memset(heap, i, 48);
		heap[i % 48] += stack[i];
		free(heap);
	}
	atomic_fetch_add_explicit(&over, 1, memory_order_relaxed);
	return arg;
}

int main(void)
{
	pthread_attr_t detached;
	pthread_t thread;

	pthread_barrier_init(&barrier, NULL, 2);
	pthread_spin_init(&spin, 0);
	sem_init(&full, 0, 0);
	if (pipe(channel))
		return 1;
	data[9] = 1;
	run_two(give, take);
	data[0] = data[7];
	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	for (int i = 0; i < 20; i++) {
		pthread_create(&thread, &detached, use_memory_again, NULL);
		while (atomic_load_explicit(&over, memory_order_relaxed) < i - 1)
			sched_yield();
	}
	while (atomic_load_explicit(&over, memory_order_relaxed) < 20)
		sched_yield();
	return 0;
}
