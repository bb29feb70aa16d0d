/* SPDX-License-Identifier: MIT */
/* SCENARIO S11: two std::mutex in two frames at the same stack address, opposite order with a third; the frame was popped in between */
/* NEVER lock-order-inversion */
/* RUN clean */
#include "../sample.h"

#include <mutex>
#include <thread>

static std::mutex global_lock;
static std::mutex tick;
static std::mutex *shared_lock;
static void *first_address;
static int step;

static NOINLINE void first_frame()
{
	std::mutex local; /* trivial destructor: no call tells that it ends */

	first_address = &local;
	shared_lock = &local;
	step_to(&step, 1);
	until(&step, 2);
}

static NOINLINE void second_frame()
{
	std::mutex local;

	if (&local != first_address)
		fprintf(stderr, "other address\n");
	shared_lock = &local;
	step_to(&step, 3);
	until(&step, 4);
}

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

	first_frame();
	tick.lock(); /* the owner of the stack is seen above the popped frame */
	tick.unlock();
	second_frame();
	step_to(&step, 5);
	a.join();
	b.join();
	return 0;
}
