/* SPDX-License-Identifier: MIT */
/* SCENARIO S11: the owner of the stack locks both locals itself, in turn, through two different functions */
/* NEVER lock-order-inversion */
/* RUN clean */
#include "../sample.h"

#include <mutex>
#include <thread>

static std::mutex global_lock;
static std::mutex *shared_lock;
static int step;

static NOINLINE void first_frame()
{
	std::mutex local;
	char pad[64];

	memset(pad, 1, sizeof(pad));
	__asm__ volatile("" : : "r"(pad) : "memory");
	local.lock();
	global_lock.lock();
	global_lock.unlock();
	local.unlock();
}

static NOINLINE void second_frame()
{
	std::mutex local;
	char pad[64];

	memset(pad, 1, sizeof(pad));
	__asm__ volatile("" : : "r"(pad) : "memory");
	local.lock();
	local.unlock();
	shared_lock = &local;
	step_to(&step, 1);
	until(&step, 2);
}

static void global_then_local()
{
	until(&step, 1);
	{
		std::lock_guard<std::mutex> outer(global_lock);
		std::lock_guard<std::mutex> inner(*shared_lock);
	}
	step_to(&step, 2);
}

int main()
{
	std::thread b(global_then_local);

	first_frame();
	second_frame();
	b.join();
	return 0;
}
