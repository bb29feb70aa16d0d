/* SPDX-License-Identifier: MIT */
/* SCENARIO S53b: a spin lock, a write lock and a semaphore that is used as a lock, each taken by a handler too */
/* EXPECT signal-handler-lock confidence=potential count=3 roles=acquires,holds */
/* RUN clean */
#include "../sample.h"

static pthread_spinlock_t spin;
static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static sem_t sem;

static NOINLINE void with_spin(void)
{
	pthread_spin_lock(&spin);
	pthread_spin_unlock(&spin);
}

static NOINLINE void with_rwlock(void)
{
	pthread_rwlock_wrlock(&rw);
	pthread_rwlock_unlock(&rw);
}

static NOINLINE void with_semaphore(void)
{
	while (sem_wait(&sem) < 0)
		;
	sem_post(&sem);
}

static void on_usr1(int number)
{
	(void)number;
	with_spin();
	__asm__ volatile("" ::: "memory");
}

static void on_usr2(int number)
{
	(void)number;
	with_rwlock();
	__asm__ volatile("" ::: "memory");
}

static void on_winch(int number)
{
	(void)number;
	with_semaphore();
	__asm__ volatile("" ::: "memory");
}

static void *work(void *arg)
{
	for (int i = 0; i < 3; i++) {
		with_spin();
		with_rwlock();
		with_semaphore();
	}
	return arg;
}

int main(void)
{
	MUST(pthread_spin_init(&spin, 0));
	MUST(sem_init(&sem, 0, 1));
	signal(SIGUSR1, on_usr1);
	signal(SIGUSR2, on_usr2);
	signal(SIGWINCH, on_winch);
	run_two(work, work);
	raise(SIGUSR1);
	raise(SIGUSR2);
	raise(SIGWINCH);
	return 0;
}
