/* SPDX-License-Identifier: MIT */
/* SHOWS condition_variable_any with a shared_mutex and with a stop token, used correctly */
/* RUN clean */
#include "../sample.h"

#include <condition_variable>
#include <mutex>
#include <shared_mutex>
#include <stop_token>
#include <thread>

static std::shared_mutex lock;
static std::condition_variable_any changed;
static int version;

int main()
{
	int seen = 0;
	std::thread reader([&] {
		std::shared_lock<std::shared_mutex> read(lock);

		changed.wait(read, [] { return version >= 5; });
		seen = version;
	});
	std::jthread stoppable([](std::stop_token stop) {
		std::unique_lock<std::shared_mutex> write(lock);

		changed.wait(write, stop, [] { return false; });
	});

	for (int i = 0; i < 5; i++) {
		{
			std::unique_lock<std::shared_mutex> write(lock);
			version++;
		}
		changed.notify_all();
	}
	reader.join();
	stoppable.request_stop();
	stoppable.join();
	printf("%d\n", seen);
	return 0;
}
