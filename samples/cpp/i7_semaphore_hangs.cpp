/* SPDX-License-Identifier: MIT */
/* SCENARIO I7: a thread holds a mutex and waits at a counting_semaphore, whose releaser waits for the mutex */
/* EXPECT stuck-wait|deadlock confidence=observed level=error stacks=take,give threads=2..3 roles=waits */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

#include <mutex>
#include <semaphore>
#include <thread>

static std::mutex m;
static std::counting_semaphore<8> items(0);
static int step;

static NOINLINE void take()
{
	std::lock_guard<std::mutex> lock(m);

	step_to(&step, 1);
	items.acquire();
}

static NOINLINE void give()
{
	until(&step, 1);
	std::lock_guard<std::mutex> lock(m);

	items.release();
}

int main()
{
	std::thread a(take), b(give);

	a.join();
	b.join();
	return 0;
}
