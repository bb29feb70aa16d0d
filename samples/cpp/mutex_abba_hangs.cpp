/* SPDX-License-Identifier: MIT */
/* SHOWS two std::mutex, both std::threads hang; jthread stop tokens do not help */
/* EXPECT deadlock confidence=observed stacks=Left,Right threads=2 roles=holds,waits */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

#include <mutex>
#include <thread>

static std::mutex left_lock, right_lock;
static int holding;

struct Left {
	NOINLINE void operator()() const
	{
		std::unique_lock<std::mutex> mine(left_lock);
		meet(&holding, 2);
		std::unique_lock<std::mutex> other(right_lock);
	}
};

struct Right {
	NOINLINE void operator()() const
	{
		std::unique_lock<std::mutex> mine(right_lock);
		meet(&holding, 2);
		std::unique_lock<std::mutex> other(left_lock);
	}
};

int main()
{
	std::jthread a{ Left{} }, b{ Right{} };
	return 0;
}
