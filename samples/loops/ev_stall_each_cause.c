/* SPDX-License-Identifier: MIT */
/* SHOWS libev: six callbacks hold up their loop for 300 ms, each of another kind of watcher and in another way; all are due at once */
/* BUILD needs=ev */
/* EXPECT loop-stall confidence=observed tasks=on_compute taskkinds=timer+watcher says=on+the+processor stacks=main */
/* EXPECT loop-stall confidence=observed tasks=on_sleep taskkinds=timer+watcher says=in+sleep stacks=on_sleep */
/* EXPECT loop-stall confidence=observed tasks=on_lock taskkinds=watcher says=held+by+thread locks=table threadnames=holder stacks=on_lock */
/* EXPECT loop-stall confidence=observed tasks=on_input taskkinds=io+watcher says=in+read stacks=on_input */
/* EXPECT loop-stall confidence=observed tasks=on_join taskkinds=one-shot says=in+pthread_join stacks=on_join */
/* EXPECT loop-stall confidence=observed tasks=on_wake taskkinds=async+watcher says=in+waitpid stacks=on_wake */
/* EXPECT blocking-call-in-loop confidence=observed count=5 */
/* RUN clean */
#include "loop_work.h"

#include <ev.h>
#include <sys/wait.h>

static pthread_mutex_t table = PTHREAD_MUTEX_INITIALIZER;
static int held, stop, data[2], fifo[2];

static void on_compute(struct ev_loop *loop, ev_timer *w, int events)
{
	(void)loop, (void)w, (void)events;
	compute_ms(300);
}

static void on_sleep(struct ev_loop *loop, ev_timer *w, int events)
{
	(void)events;
	sleep_ms(300);
	ev_timer_stop(loop, w);
}

static void *holder(void *arg)
{
	pthread_setname_np(pthread_self(), "holder");
	MUST(pthread_mutex_lock(&table));
	step_to(&held, 1);
	until(&stop, 1);
	compute_ms(300);
	MUST(pthread_mutex_unlock(&table));
	return arg;
}

static void on_lock(struct ev_loop *loop, ev_check *w, int events)
{
	(void)events;
	ev_check_stop(loop, w);
	until(&held, 1);
	step_to(&stop, 1);
	MUST(pthread_mutex_lock(&table));
	MUST(pthread_mutex_unlock(&table));
}

static void *writer(void *arg)
{
	sleep_ms(300);
	GIVES(1, (int)write(fifo[1], "x", 1));
	return arg;
}

/* Data came; and then it reads something else, which did not. */
static void on_input(struct ev_loop *loop, ev_io *w, int events)
{
	pthread_t t;
	char byte;

	(void)events;
	ev_io_stop(loop, w);
	MUST(pthread_create(&t, NULL, writer, NULL));
	GIVES(1, (int)read(fifo[0], &byte, 1));
	MUST(pthread_join(t, NULL));
}

static void *slow(void *arg)
{
	compute_ms(300);
	return arg;
}

static void on_join(int events, void *arg)
{
	pthread_t t;

	(void)events, (void)arg;
	MUST(pthread_create(&t, NULL, slow, NULL));
	MUST(pthread_join(t, NULL));
}

static void on_wake(struct ev_loop *loop, ev_async *w, int events)
{
	int status;
	pid_t child = fork();

	(void)events;
	if (child == 0) {
		sleep_ms(300);
		_exit(0);
	}
	GIVES(child, waitpid(child, &status, 0));
	ev_async_stop(loop, w);
}

int main(void)
{
	struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);
	ev_timer compute, sleeper;
	ev_check lock;
	ev_async wake;
	ev_io input;
	pthread_t t;

	MUST(pipe(data));
	MUST(pipe(fifo));
	GIVES(1, (int)write(data[1], "x", 1));
	ev_timer_init(&compute, on_compute, 0.001, 0.);
	ev_timer_start(loop, &compute);
	ev_timer_init(&sleeper, on_sleep, 0.001, 10.);
	ev_set_priority(&sleeper, EV_MAXPRI);
	ev_timer_start(loop, &sleeper);
	ev_check_init(&lock, on_lock);
	ev_check_start(loop, &lock);
	ev_io_init(&input, on_input, data[0], EV_READ);
	ev_io_start(loop, &input);
	ev_once(loop, -1, 0, 0., on_join, NULL);
	ev_async_init(&wake, on_wake);
	ev_async_start(loop, &wake);
	ev_async_send(loop, &wake);
	MUST(pthread_create(&t, NULL, holder, NULL));
	sleep_ms(5); /* the timers are due as well */
	GIVES(0, ev_run(loop, 0));
	ev_loop_destroy(loop);
	MUST(pthread_join(t, NULL));
	puts("done");
	return 0;
}
