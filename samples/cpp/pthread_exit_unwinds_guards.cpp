/* SPDX-License-Identifier: MIT */
/* SHOWS pthread_exit and cancellation unwinding through C++ guards */
/* NEVER lock-held-at-thread-exit unlock-not-owned */
/* RUN clean */
#include "../sample.h"

#include <mutex>

static std::mutex m, n;
static int ready;

static NOINLINE void leave()
{
	std::lock_guard<std::mutex> inner(n);

	pthread_exit(nullptr);
}

static void *exits(void *arg)
{
	std::lock_guard<std::mutex> outer(m);

	leave();
	return arg;
}

static void *is_cancelled(void *arg)
{
	std::lock_guard<std::mutex> outer(m);
	std::lock_guard<std::mutex> inner(n);

	step_to(&ready, 1);
	for (;;)
		pause();
	return arg;
}

int main()
{
	finish(start(exits, nullptr));
	pthread_t t = start(is_cancelled, nullptr);
	until(&ready, 1);
	MUST(pthread_cancel(t));
	finish(t);
	m.lock();
	m.unlock();
	return 0;
}
