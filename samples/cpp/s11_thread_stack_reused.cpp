/* SPDX-License-Identifier: MIT */
/* SCENARIO S11: the stack of a finished thread is given to the next one: a local mutex there is a new lock */
/* NEVER lock-order-inversion */
/* RUN clean */
#include "../sample.h"

#include <mutex>
#include <thread>

static std::mutex global_lock;
static std::mutex *shared_lock;
static void *first_address;
static int step;

static void owner(int round)
{
	std::mutex local;

	if (!round)
		first_address = &local;
	else if (first_address != &local)
		fprintf(stderr, "other address\n");
	shared_lock = &local;
	step_to(&step, 2 * round + 1);
	until(&step, 2 * round + 2);
}

static void local_then_global()
{
	until(&step, 1);
	{
		std::lock_guard<std::mutex> outer(*shared_lock);
		std::lock_guard<std::mutex> inner(global_lock);
	}
	step_to(&step, 2);
	until(&step, 4);
}

static void global_then_local()
{
	until(&step, 3);
	{
		std::lock_guard<std::mutex> outer(global_lock);
		std::lock_guard<std::mutex> inner(*shared_lock);
	}
	step_to(&step, 4);
}

int main()
{
	std::thread a(local_then_global), b(global_then_local);

	for (int round = 0; round < 2; round++)
		std::thread(owner, round).join();
	a.join();
	b.join();
	return 0;
}
