/* SPDX-License-Identifier: MIT */
/* SCENARIO S56,I12: destructors of thread_local objects lock while the thread ends */
/* EXPECT lock-order-inversion confidence=potential stacks=Session,close_all threads=2 */
/* NEVER lock-held-at-thread-exit leaked-thread */
/* RUN */
#include "../sample.h"

#include <mutex>
#include <thread>

static std::mutex registry, statistics;
static int step, alive;

struct Session {
	bool used = false;
	NOINLINE ~Session()
	{
		std::lock_guard<std::mutex> outer(registry);
		std::lock_guard<std::mutex> inner(statistics);
	}
};

static thread_local Session session;

static NOINLINE void close_all()
{
	std::lock_guard<std::mutex> outer(statistics);
	std::lock_guard<std::mutex> inner(registry);
}

int main()
{
	std::thread worker([] {
		meet(&alive, 2);
		session.used = true;
	});
	std::thread closer([] {
		meet(&alive, 2);
		until(&step, 1);
		close_all();
	});

	worker.join();
	step_to(&step, 1);
	closer.join();
	return 0;
}
