/* SPDX-License-Identifier: MIT */
/* FEASIBLE std::mutex and std::lock_guard */
#include "confirm.h"

#include <mutex>

static std::mutex mutex[2];

static NOINLINE void both(std::mutex &first, std::mutex &second)
{
	std::lock_guard<std::mutex> outer(first);
	std::lock_guard<std::mutex> inner(second);
}

static void part(long number)
{
	both(mutex[number], mutex[!number]);
}

int main()
{
	return run_apart(part, 2);
}
