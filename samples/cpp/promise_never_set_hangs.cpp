/* SPDX-License-Identifier: MIT */
/* SHOWS a future whose promise nobody sets, a raw futex wait: the time-out is reported and nothing false is said */
/* NEVER deadlock lock-order-inversion */
/* RUN timeout=2 clean */
#include "../sample.h"

#include <future>
#include <thread>

static std::promise<int> promise;

int main()
{
	std::future<int> future = promise.get_future();
	std::thread reader([&] { future.get(); });

	reader.join();
	return 0;
}
