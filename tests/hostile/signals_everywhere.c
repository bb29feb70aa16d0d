/* SPDX-License-Identifier: MIT */
/*
 * signals_everywhere.c - a timer signal posts a semaphore while main locks; handlers also longjmp
 * out of waits, and run on an alternate stack.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>

static sem_t s;
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static volatile int posts, armed, stop, spoilt;
static sigjmp_buf back;

static void post(int number)
{
	int saved = errno;

	(void)number;
	sem_post(&s);
	__atomic_fetch_add(&posts, 1, __ATOMIC_RELAXED); /* the timer may choose either thread */
	if (errno != saved) {
		spoilt++;
	}
}
static void jump(int number)
{
	(void)number;
	if (armed) {
		armed = 0;
		siglongjmp(back, 1);
	}
}
static void *work(void *p)
{
	while (!stop) {
		pthread_mutex_lock(&m);
		pthread_mutex_unlock(&m);
	}
	return p;
}

int main(void)
{
	struct sigaction on_alternate = { .sa_handler = post, .sa_flags = SA_ONSTACK | SA_RESTART };
	struct itimerval on = { { 0, 300 }, { 0, 300 } }, off = { { 0, 0 }, { 0, 0 } };
	stack_t alternate = { .ss_sp = malloc(65536), .ss_size = 65536 };
	pthread_t t;
	int value;

	sem_init(&s, 0, 0);
	sigaltstack(&alternate, NULL);
	sigaction(SIGALRM, &on_alternate, NULL);
	signal(SIGUSR1, jump);
	pthread_create(&t, NULL, work, NULL);
	setitimer(ITIMER_REAL, &on, NULL);
	for (int i = 0; i < 1000000; i++) {
		errno = 77;
		pthread_mutex_lock(&m);
		pthread_mutex_unlock(&m);
		if (errno != 77) {
			spoilt++;
		}
	}
	setitimer(ITIMER_REAL, &off, NULL);
	for (int i = 0; i < 500; i++) {
		if (!sigsetjmp(back, 1)) {
			armed = 1;
			raise(SIGUSR1);
		}
		pthread_mutex_lock(&m);
		pthread_mutex_unlock(&m);
	}
	stop = 1;
	pthread_join(t, NULL);
	sem_getvalue(&s, &value);
	printf("%d %d %d\n", value == posts, posts > 0, spoilt);
	return 0;
}
