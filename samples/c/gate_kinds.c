/* SPDX-License-Identifier: MIT */
/* SHOWS S05 with a recursive mutex, a write-locked rwlock, a spinlock and a timed mutex as the gate */
/* NEVER lock-order-inversion */
/* RUN clean */
#include "../sample.h"

static pthread_mutex_t recursive = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static pthread_mutex_t timed = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t spin;
static pthread_mutex_t pair[4][2];
static int alive;

static void enter(int gate)
{
	struct timespec later = in_ms(CLOCK_REALTIME, 600000);

	switch (gate) {
	case 0:
		pthread_mutex_lock(&recursive);
		pthread_mutex_lock(&recursive);
		pthread_mutex_unlock(&recursive); /* still held */
		break;
	case 1:
		pthread_rwlock_wrlock(&rw);
		break;
	case 2:
		pthread_spin_lock(&spin);
		break;
	default:
		MUST(pthread_mutex_timedlock(&timed, &later));
	}
}

static void leave(int gate)
{
	switch (gate) {
	case 0:
		pthread_mutex_unlock(&recursive);
		break;
	case 1:
		pthread_rwlock_unlock(&rw);
		break;
	case 2:
		pthread_spin_unlock(&spin);
		break;
	default:
		pthread_mutex_unlock(&timed);
	}
}

static void *worker(void *arg)
{
	int me = arg ? 1 : 0;

	meet(&alive, 2);
	for (int gate = 0; gate < 4; gate++) {
		enter(gate);
		pthread_mutex_lock(&pair[gate][me]);
		pthread_mutex_lock(&pair[gate][!me]);
		pthread_mutex_unlock(&pair[gate][!me]);
		pthread_mutex_unlock(&pair[gate][me]);
		leave(gate);
	}
	meet(&alive, 4);
	return NULL;
}

int main(void)
{
	pthread_t one, two;

	MUST(pthread_spin_init(&spin, 0));
	for (int i = 0; i < 4; i++) {
		MUST(pthread_mutex_init(&pair[i][0], NULL));
		MUST(pthread_mutex_init(&pair[i][1], NULL));
	}
	one = start(worker, NULL);
	two = start(worker, &one);
	finish(one);
	finish(two);
	return 0;
}
