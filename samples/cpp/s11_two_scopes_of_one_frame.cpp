/* SPDX-License-Identifier: MIT */
/* SCENARIO S11: both block-scope mutexes sit in one frame, one after the other at one address: out of reach without DWARF scopes, falsely reported */
/* EXPECT lock-order-inversion confidence=potential threads=2 */
/* RUN */
#include "../sample.h"

#include <mutex>
#include <new>
#include <thread>

static std::mutex global_lock;
static std::mutex *shared_lock;
static int step;

static void local_then_global()
{
	until(&step, 1);
	{
		std::lock_guard<std::mutex> outer(*shared_lock);
		std::lock_guard<std::mutex> inner(global_lock);
	}
	step_to(&step, 2);
	until(&step, 5);
}

static void global_then_local()
{
	until(&step, 3);
	{
		std::lock_guard<std::mutex> outer(global_lock);
		std::lock_guard<std::mutex> inner(*shared_lock);
	}
	step_to(&step, 4);
	until(&step, 5);
}

int main()
{
	std::thread a(local_then_global), b(global_then_local);
	alignas(std::mutex) char
		room[sizeof(std::mutex)]; /* as a compiler shares bytes between scopes */

	{
		std::mutex *local = new (room) std::mutex;

		shared_lock = local;
		step_to(&step, 1);
		until(&step, 2);
	}
	{
		std::mutex *local = new (room)
			std::mutex; /* nothing at run time tells that it is another one */

		shared_lock = local;
		step_to(&step, 3);
		until(&step, 4);
	}
	step_to(&step, 5);
	a.join();
	b.join();
	return 0;
}
