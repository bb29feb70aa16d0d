/* SPDX-License-Identifier: MIT */
/* SHOWS a producer that ends by an exception it catches too early: the consumer waits for items that never come */
/* EXPECT stuck-wait confidence=observed stacks=consume threads=1..3 roles=waits */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

#include <condition_variable>
#include <mutex>
#include <queue>
#include <stdexcept>
#include <thread>

static std::mutex m;
static std::condition_variable arrived;
static std::queue<int> items;

static NOINLINE void produce()
{
	for (int i = 0; i < 10; i++) {
		std::lock_guard<std::mutex> guard(m);

		if (i == 3)
			throw std::runtime_error("disk full");
		items.push(i);
		arrived.notify_one();
	}
}

static NOINLINE void consume()
{
	for (int i = 0; i < 10; i++) {
		std::unique_lock<std::mutex> guard(m);

		arrived.wait(guard, [] { return !items.empty(); });
		items.pop();
	}
}

int main()
{
	std::thread producer([] {
		try {
			produce();
		} catch (const std::exception &) {
		}
	});
	std::thread consumer(consume);

	producer.join();
	consumer.join();
	return 0;
}
