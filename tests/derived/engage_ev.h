/* SPDX-License-Identifier: MIT */
/*
 * engage_ev.h - exercises of libev's rows, on one loop that each of them leaves empty. Absent: nothing is expected.
 */
#ifndef THRUM_TESTS_ENGAGE_EV_H
#define THRUM_TESTS_ENGAGE_EV_H

static const char *const ev[] = { "libev.so.4", NULL };

enum { EV_NOWAIT = 1 };

/* A watcher of any type, as ev_init and the macros around it leave it. */
struct ev_any {
	int active, pending, priority;
	void *data;
	void (*cb)(void *, struct ev_any *, int);
	union {
		struct {
			void *next;
			int fd, events;
		} io;
		struct {
			double at, repeat;
		} timer;
		struct {
			double at, offset, interval;
			void *again;
		} periodic;
		struct {
			void *next;
			int number;
		} signal;
		struct {
			void *next;
			int flags, pid;
		} child;
		struct {
			double timer[10];
			double interval;
			const char *path;
		} stat;
		struct {
			void *other;
		} embed;
		char room[768];
	};
};

static void ev_called(void *l, struct ev_any *w, int events)
{
	(void)l;
	(void)w;
	(void)events;
}
static struct ev_any *ev_fresh(void)
{
	struct ev_any *w = uv_memory();

	w->cb = ev_called;
	return w;
}

#define EV(ret, name, params) ((ret(*) params)library_function(ev, #name))

/* NULL: there is no libev. The default one: signals and children need it. */
static void *ev_the_loop(void)
{
	static void *loop;

	if (!loop && library_function(ev, "ev_default_loop")) {
		loop = EV(void *, ev_default_loop, (unsigned))(0);
	}
	return loop;
}
static int ev_go(void *l)
{
	return EV(int, ev_run, (void *, int))(l, EV_NOWAIT);
}

/* Made, armed, over. */
#define EV_ROWS(type, ...)                                                    \
	static int ev_##type(void)                                            \
	{                                                                     \
		void *l = ev_the_loop();                                      \
		struct ev_any *w = ev_fresh();                                \
                                                                              \
		if (!l) {                                                     \
			return 0;                                             \
		}                                                             \
		__VA_ARGS__;                                                  \
		EV(void, ev_##type##_start, (void *, struct ev_any *))(l, w); \
		if (!w->active) {                                             \
			return 1000;                                          \
		}                                                             \
		EV(void, ev_##type##_stop, (void *, struct ev_any *))(l, w);  \
		return w->active ? 1000 : 3;                                  \
	}                                                                     \
	static int exercise_ev_##type##_start(void)                           \
	{                                                                     \
		return ev_##type();                                           \
	}                                                                     \
	static int exercise_ev_##type##_stop(void)                            \
	{                                                                     \
		return ev_##type();                                           \
	}
EV_ROWS(io, w->io.fd = uv_readable(); w->io.events = 1)
EV_ROWS(timer, w->timer.at = 3600)
EV_ROWS(periodic, w->periodic.interval = 3600)
EV_ROWS(signal, w->signal.number = SIGURG)
EV_ROWS(child, w->child.pid = 1)
EV_ROWS(stat, w->stat.path = "/"; w->stat.interval = 3600)
EV_ROWS(idle, (void)0)
EV_ROWS(prepare, (void)0)
EV_ROWS(check, (void)0)
EV_ROWS(embed, w->embed.other = EV(void *, ev_loop_new, (unsigned))(0))
EV_ROWS(fork, (void)0)
EV_ROWS(cleanup, (void)0)
EV_ROWS(async, (void)0)

/* Started, started anew, stopped: once in the middle by libev itself, before its callback. */
static int exercise_ev_timer_again(void)
{
	struct ev_any *w = ev_fresh();
	void *l = ev_the_loop();

	if (!l) {
		return 0;
	}
	w->timer.repeat = 3600;
	EV(void, ev_timer_again, (void *, struct ev_any *))(l, w);
	EV(void, ev_timer_again, (void *, struct ev_any *))(l, w);
	w->timer.repeat = 0;
	EV(void, ev_timer_again, (void *, struct ev_any *))(l, w);
	return w->active ? 1000 : 4;
}
static int exercise_ev_periodic_again(void)
{
	struct ev_any *w = ev_fresh();
	void *l = ev_the_loop();

	if (!l) {
		return 0;
	}
	w->periodic.interval = 3600;
	EV(void, ev_periodic_start, (void *, struct ev_any *))(l, w);
	EV(void, ev_periodic_again, (void *, struct ev_any *))(l, w);
	EV(void, ev_periodic_stop, (void *, struct ev_any *))(l, w);
	return w->active ? 1000 : 4;
}
static int exercise_ev_async_send(void)
{
	struct ev_any *w = ev_fresh();
	void *l = ev_the_loop();

	if (!l) {
		return 0;
	}
	EV(void, ev_async_start, (void *, struct ev_any *))(l, w);
	EV(void, ev_async_send, (void *, struct ev_any *))(l, w);
	ev_go(l);
	EV(void, ev_async_stop, (void *, struct ev_any *))(l, w);
	return 8; /* made, armed, sent, RUN, called, returned, LEFT, over */
}

/* ---- loops ---- */

static unsigned ev_left;
static void ev_counted(void *l, struct ev_any *w, int events)
{
	(void)w;
	(void)events;
	ev_left = ev_left * 10 + EV(unsigned, ev_pending_count, (void *))(l);
}
/* Three timers are due: the last to be called finds that nothing is left, as it would without us. */
static int ev_three(void)
{
	void *l = ev_the_loop();

	if (!l) {
		return 0;
	}
	ev_left = 0;
	for (int i = 0; i < 3; i++) {
		struct ev_any *w = ev_fresh();

		w->cb = ev_counted;
		w->priority = i - 1;
		EV(void, ev_timer_start, (void *, struct ev_any *))(l, w);
	}
	ev_go(l);
	return ev_left == 210 ? 17 : 1000;
}
static int exercise_ev_run(void)
{
	return ev_three();
}
static int exercise_ev_invoke_pending(void)
{
	return ev_three();
}
static int exercise_ev_pending_count(void)
{
	return ev_three();
}
static int exercise_ev_break(void)
{
	void *l = ev_the_loop();

	if (!l) {
		return 0;
	}
	EV(void, ev_break, (void *, int))(l, 1);
	ev_go(l);
	return 3;
}
static int exercise_ev_loop_destroy(void)
{
	struct ev_any *w = ev_fresh();
	void *l;

	if (!ev_the_loop()) {
		return 0;
	}
	l = EV(void *, ev_loop_new, (unsigned))(0);
	EV(void, ev_idle_start, (void *, struct ev_any *))(l, w);
	EV(void, ev_loop_destroy, (void *))(l);
	return 4; /* made, armed, over, CLOSE */
}
static void ev_once_called(int events, void *p)
{
	(void)events;
	*(int *)p = 1;
}
static int exercise_ev_once(void)
{
	void *l = ev_the_loop();
	int called = 0;

	if (!l) {
		return 0;
	}
	EV(void, ev_once, (void *, int, int, double, void *, void *))
	(l, -1, 0, 0., ev_once_called, &called);
	ev_go(l);
	return called ? 6 : 1000; /* made, RUN, called, returned, over, LEFT */
}

#endif
