/* SPDX-License-Identifier: MIT */
/* SHOWS notify_all_at_thread_exit: the lock is released by the run time after the thread's function returned */
/* NEVER lock-held-at-thread-exit unlock-not-owned stuck-wait */
/* RUN clean */
#include "../sample.h"

#include <condition_variable>
#include <mutex>
#include <thread>

static std::mutex m;
static std::condition_variable cv;
static bool ready;

int main()
{
	std::thread t([] {
		std::unique_lock<std::mutex> lock(m);

		ready = true;
		std::notify_all_at_thread_exit(cv, std::move(lock));
	});

	{
		std::unique_lock<std::mutex> lock(m);
		cv.wait(lock, [] { return ready; });
	}
	t.join();
	return 0;
}
