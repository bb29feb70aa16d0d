/* SPDX-License-Identifier: MIT */
/* SHOWS a correct timer thread: cond_timedwait until the next deadline, woken early for a nearer one, stopped and joined */
/* NEVER stuck-wait leaked-thread cond-wait-unlocked */
/* RUN clean */
#include "../sample.h"

#define TIMERS 8

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct timespec deadline[TIMERS];
static int armed[TIMERS], fired, stopping;

static int earlier(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

static void *timer_main(void *arg)
{
	pthread_mutex_lock(&lock);
	while (!stopping) {
		int next = -1;

		for (int i = 0; i < TIMERS; i++)
			if (armed[i] && (next < 0 || earlier(&deadline[i], &deadline[next])))
				next = i;
		if (next < 0) {
			pthread_cond_wait(&changed, &lock);
		} else if (pthread_cond_timedwait(&changed, &lock, &deadline[next]) == ETIMEDOUT &&
			   armed[next]) {
			armed[next] = 0;
			fired++;
			pthread_cond_broadcast(&changed);
		}
	}
	pthread_mutex_unlock(&lock);
	return arg;
}

static void arm(int timer, long ms)
{
	pthread_mutex_lock(&lock);
	deadline[timer] = in_ms(CLOCK_REALTIME, ms);
	armed[timer] = 1;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

int main(void)
{
	pthread_t t = start(timer_main, NULL);

	for (int i = 0; i < TIMERS; i++)
		arm(i, (TIMERS - i) * 2);
	pthread_mutex_lock(&lock);
	while (fired < TIMERS)
		pthread_cond_wait(&changed, &lock);
	stopping = 1;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	finish(t);
	printf("%d\n", fired);
	return 0;
}
