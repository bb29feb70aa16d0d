/* SPDX-License-Identifier: MIT */
/* SHOWS every timed and shared variant of the C++ mutexes, used correctly */
/* RUN clean */
#include "../sample.h"

#include <chrono>
#include <mutex>
#include <shared_mutex>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

static std::timed_mutex timed;
static std::recursive_timed_mutex recursive;
static std::shared_timed_mutex shared;
static long value;

static void worker()
{
	for (int i = 0; i < 50; i++) {
		if (timed.try_lock_for(10s)) {
			value++;
			timed.unlock();
		}
		if (timed.try_lock_until(std::chrono::system_clock::now() + 10s)) {
			value++;
			timed.unlock();
		}
		if (recursive.try_lock_for(10s)) {
			recursive.lock();
			recursive.unlock();
			recursive.unlock();
		}
		if (shared.try_lock_shared_for(10s))
			shared.unlock_shared();
		if (shared.try_lock_for(10s))
			shared.unlock();
		if (shared.try_lock_shared_until(std::chrono::steady_clock::now() + 10s))
			shared.unlock_shared();
		if (shared.try_lock())
			shared.unlock();
		if (shared.try_lock_shared())
			shared.unlock_shared();
		shared.lock_shared();
		shared.unlock_shared();
	}
}

int main()
{
	std::vector<std::thread> threads;

	for (int i = 0; i < 3; i++)
		threads.emplace_back(worker);
	for (auto &t : threads)
		t.join();
	printf("%ld\n", value);
	return 0;
}
