/* SPDX-License-Identifier: MIT */
/* SCENARIO S50: exceptions unwind through lock guards, and out of a thread's work */
/* NEVER lock-held-at-thread-exit unlock-not-owned */
/* RUN clean */
#include "../sample.h"

#include <mutex>
#include <shared_mutex>
#include <stdexcept>
#include <thread>

static std::mutex m;
static std::recursive_mutex r;
static std::shared_mutex s;

static NOINLINE void fails(int depth)
{
	std::lock_guard<std::recursive_mutex> again(r);

	if (depth == 0)
		throw std::runtime_error("deep");
	fails(depth - 1);
}

static void worker()
{
	for (int i = 0; i < 20; i++) {
		try {
			std::lock_guard<std::mutex> lm(m);
			std::shared_lock<std::shared_mutex> ls(s);
			fails(5);
		} catch (const std::runtime_error &) {
		}
	}
}

int main()
{
	std::thread a(worker), b(worker);

	a.join();
	b.join();
	return 0;
}
