/* SPDX-License-Identifier: MIT */
/* SHOWS a std::latch that is counted down once too seldom (a raw futex): the time-out says so, nothing false */
/* NEVER deadlock lock-order-inversion */
/* RUN timeout=1 clean */
#include "../sample.h"

#include <latch>
#include <thread>

int main()
{
	std::latch latch(3);
	std::thread a([&] { latch.count_down(); }), b([&] { latch.count_down(); });

	latch.wait();
	a.join();
	b.join();
	return 0;
}
