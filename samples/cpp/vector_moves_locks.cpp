/* SPDX-License-Identifier: MIT */
/* SHOWS S79: a deque and a map of objects with mutexes that grow, shrink and are used in both orders after moves */
/* NEVER lock-order-inversion use-after-destroy */
/* RUN clean */
#include "../sample.h"

#include <memory>
#include <mutex>
#include <thread>
#include <vector>

struct Slot {
	std::unique_ptr<std::mutex> lock = std::make_unique<std::mutex>();
	int value = 0;
};

static std::mutex directory;
static int step, alive;

int main()
{
	std::vector<Slot> slots(2);
	std::thread first([&] {
		meet(&alive, 2);
		{
			std::lock_guard<std::mutex> outer(*slots[0].lock);
			std::lock_guard<std::mutex> inner(directory);
		}
		slots.clear(); /* frees the mutexes: std::mutex has no destroy call */
		slots.resize(64);
		step_to(&step, 1);
		until(&step, 2);
	});
	std::thread second([&] {
		meet(&alive, 2);
		until(&step, 1);
		for (auto &s : slots) {
			std::lock_guard<std::mutex> outer(directory);
			std::lock_guard<std::mutex> inner(*s.lock);
		}
		step_to(&step, 2);
	});

	first.join();
	second.join();
	return 0;
}
