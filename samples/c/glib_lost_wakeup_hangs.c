/* SPDX-License-Identifier: MIT */
/* SHOWS a GCond that is signalled before anybody waits, without a predicate: stuck for ever */
/* EXPECT stuck-wait confidence=observed level=error stacks=wait_done threads=1..3 locks=done_cond roles=waits */
/* RUN timeout=2 kill=1 */
/* BUILD runtime=libglib-2.0.so.0 */
#include "../library_locks.h"
#include "../sample.h"

static GMutex m;
static GCond done_cond;
static int step;

static NOINLINE void wait_done(void)
{
	g_mutex_lock(&m);
	g_cond_wait(&done_cond, &m);
	g_mutex_unlock(&m);
}

static void *waiter(void *arg)
{
	until(&step, 1);
	wait_done();
	return arg;
}

static void *announcer(void *arg)
{
	g_mutex_lock(&m);
	g_cond_signal(&done_cond);
	g_mutex_unlock(&m);
	step_to(&step, 1);
	return arg;
}

int main(void)
{
	void *a = g_thread_new("waiter", waiter, NULL),
	     *b = g_thread_new("announcer", announcer, NULL);

	g_thread_join(b);
	g_thread_join(a);
	return 0;
}
