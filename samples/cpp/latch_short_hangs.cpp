/* SPDX-License-Identifier: MIT */
/* SCENARIO I7: a std::latch, a raw futex inside, that is counted down once too seldom: nobody left to wake main */
/* EXPECT stuck-wait confidence=observed level=error stacks=main threads=1 roles=waits */
/* NEVER deadlock lock-order-inversion */
/* RUN timeout=1 kill=1 */
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
