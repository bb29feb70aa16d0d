/* SPDX-License-Identifier: MIT */
/* FEASIBLE std::mutex and std::lock_guard */
#include <chrono>
#include <cstdio>
#include <mutex>
#include <thread>

static std::mutex a, b;

__attribute__((noinline)) static void both(std::mutex &first, std::mutex &second)
{
	std::lock_guard<std::mutex> outer(first);
	std::lock_guard<std::mutex> inner(second);
}

int main()
{
	std::thread one([] { both(a, b); });
	std::this_thread::sleep_for(std::chrono::milliseconds(120));
	std::thread two([] { both(b, a); });

	one.join();
	two.join();
	std::puts("over");
}
