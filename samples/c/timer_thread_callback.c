/* SPDX-License-Identifier: MIT */
/* SHOWS timer_create with SIGEV_THREAD: libc's own thread runs the callback, which inverts main's order */
/* EXPECT lock-order-inversion confidence=potential stacks=on_timer,forwards threads=2 */
/* ALLOW leaked-thread level=note */
/* RUN */
#include "../sample.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static int step;

static void on_timer(union sigval value)
{
	(void)value;
	until(&step, 1);
	pthread_mutex_lock(&b);
	pthread_mutex_lock(&a);
	pthread_mutex_unlock(&a);
	pthread_mutex_unlock(&b);
	step_to(&step, 2);
}

static NOINLINE void forwards(void)
{
	pthread_mutex_lock(&a);
	pthread_mutex_lock(&b);
	pthread_mutex_unlock(&b);
	pthread_mutex_unlock(&a);
}

int main(void)
{
	struct sigevent event;
	struct itimerspec once = { { 0, 0 }, { 0, 1000000 } };
	timer_t timer;

	memset(&event, 0, sizeof(event));
	event.sigev_notify = SIGEV_THREAD;
	event.sigev_notify_function = on_timer;
	if (timer_create(CLOCK_MONOTONIC, &event, &timer) || timer_settime(timer, 0, &once, NULL))
		return 3;
	forwards();
	step_to(&step, 1);
	until(&step, 2);
	timer_delete(timer);
	return 0;
}
