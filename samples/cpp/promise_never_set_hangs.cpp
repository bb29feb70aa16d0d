/* SPDX-License-Identifier: MIT */
/* SHOWS a future whose promise nobody sets (futex-based wait): at the time-out it is said that nothing explains it, or what is stuck */
/* ALLOW stuck-wait level=note..error */
/* NEVER deadlock lock-order-inversion */
/* RUN timeout=2 status=any */
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
