/* SPDX-License-Identifier: MIT */
/* SHOWS wait_for and wait_until that run out, and that are notified */
/* RUN clean */
#include "../sample.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

using namespace std::chrono_literals;

static std::mutex m;
static std::condition_variable cv;
static bool ready;

int main()
{
	{
		std::unique_lock<std::mutex> lock(m);

		if (cv.wait_for(lock, 1ms, [] { return ready; }))
			return 1;
		if (cv.wait_until(lock, std::chrono::system_clock::now() + 1ms) ==
			    std::cv_status::no_timeout &&
		    ready)
			return 1;
		if (cv.wait_until(lock, std::chrono::steady_clock::now() + 1ms) ==
			    std::cv_status::no_timeout &&
		    ready)
			return 1;
	}
	std::thread t([] {
		std::lock_guard<std::mutex> lock(m);
		ready = true;
		cv.notify_one();
	});
	{
		std::unique_lock<std::mutex> lock(m);
		if (!cv.wait_for(lock, 60s, [] { return ready; }))
			return 1;
	}
	t.join();
	return 0;
}
