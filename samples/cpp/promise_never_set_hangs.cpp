/* SPDX-License-Identifier: MIT */
/* SHOWS a future whose promise nobody sets, a raw futex inside: nobody left to wake the thread that waits */
/* EXPECT stuck-wait confidence=observed level=error stacks=main threads=1..2 roles=waits */
/* NEVER deadlock lock-order-inversion */
/* RUN timeout=2 kill=1 */
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
