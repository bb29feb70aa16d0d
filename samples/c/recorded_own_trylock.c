/* SPDX-License-Identifier: MIT */
/* SHOWS a lock of the program's own, known by its annotations: who failed to get it goes on without it */
/* EXPECT data-race confidence=observed threads=2 stacks=keep,intrude locks=shared says=both+write */
/* RUN options=--races=record full */
/* BUILD needs=tsan */
#include "../sample.h"

#include <sanitizer/tsan_interface.h>
#include <semaphore.h>

static char lock;
long shared;
static sem_t taken;

static void *keep(void *arg)
{
	__tsan_mutex_pre_lock(&lock, 0);
	__tsan_mutex_post_lock(&lock, 0, 0);
	__tsan_mutex_pre_unlock(&lock, 0);
	__tsan_mutex_post_unlock(&lock, 0);
	__tsan_mutex_pre_lock(&lock, 0);
	__tsan_mutex_post_lock(&lock, 0, 0);
	MUST(sem_post(&taken));
	shared = 1;
	__tsan_mutex_pre_unlock(&lock, 0);
	__tsan_mutex_post_unlock(&lock, 0);
	return arg;
}

static void *intrude(void *arg)
{
	MUST(sem_wait(&taken));
	__tsan_mutex_pre_lock(&lock, __tsan_mutex_try_lock);
	__tsan_mutex_post_lock(&lock, __tsan_mutex_try_lock | __tsan_mutex_try_lock_failed, 0);
	shared = 2;
	return arg;
}

int main(void)
{
	MUST(sem_init(&taken, 0, 0));
	run_two(keep, intrude);
	return 0;
}
