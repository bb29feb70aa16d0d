/* SPDX-License-Identifier: MIT */
/* SHOWS correct double-checked initialisation with an atomic and a mutex */
/* RUN clean */
#include "../sample.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

struct Config {
	int value = 42;
};

static std::atomic<Config *> instance{ nullptr };
static std::mutex init_lock;
static std::unique_ptr<Config> owner;

static Config &config()
{
	Config *c = instance.load(std::memory_order_acquire);

	if (!c) {
		std::lock_guard<std::mutex> lock(init_lock);
		c = instance.load(std::memory_order_relaxed);
		if (!c) {
			owner = std::make_unique<Config>();
			c = owner.get();
			instance.store(c, std::memory_order_release);
		}
	}
	return *c;
}

int main()
{
	std::vector<std::thread> threads;
	std::atomic<int> sum{ 0 };

	for (int i = 0; i < 8; i++)
		threads.emplace_back([&] { sum += config().value; });
	for (auto &t : threads)
		t.join();
	printf("%d\n", sum.load());
	return 0;
}
