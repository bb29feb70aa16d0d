/* SPDX-License-Identifier: MIT */
/* SHOWS orders that a C++20 std::barrier keeps apart (raw futexes): not to be seen by a recorder of calls, so reported */
/* EXPECT lock-order-inversion confidence=potential threads=2 */
/* RUN */
#include "../sample.h"

#include <barrier>
#include <mutex>
#include <thread>

static std::mutex a, b;
static std::barrier phase(2);

int main()
{
	std::thread one([] {
		{
			std::lock_guard<std::mutex> outer(a);
			std::lock_guard<std::mutex> inner(b);
		}
		phase.arrive_and_wait();
	});
	std::thread two([] {
		phase.arrive_and_wait();
		std::lock_guard<std::mutex> outer(b);
		std::lock_guard<std::mutex> inner(a);
	});

	one.join();
	two.join();
	return 0;
}
