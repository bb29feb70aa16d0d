/* SPDX-License-Identifier: MIT */
/* SCENARIO I7: C++20 latch, barrier, counting_semaphore and atomic::wait, raw futexes inside, used right: silence */
/* RUN clean */
#include "../sample.h"

#include <atomic>
#include <barrier>
#include <latch>
#include <mutex>
#include <semaphore>
#include <thread>
#include <vector>

static std::latch ready(3);
static std::barrier phase(3);
static std::counting_semaphore<8> slots(2);
static std::binary_semaphore door(0);
static std::atomic<int> flag{ 0 };
static std::mutex m;
static long value;

static void worker()
{
	ready.arrive_and_wait();
	for (int i = 0; i < 20; i++) {
		slots.acquire();
		{
			std::lock_guard<std::mutex> lock(m);
			value++;
		}
		slots.release();
		phase.arrive_and_wait();
	}
	flag.wait(0);
}

int main()
{
	std::vector<std::jthread> threads;

	for (int i = 0; i < 3; i++)
		threads.emplace_back(worker);
	std::thread opener([] { door.release(); });
	door.acquire();
	opener.join();
	flag = 1;
	flag.notify_all();
	threads.clear();
	printf("%ld\n", value);
	return 0;
}
