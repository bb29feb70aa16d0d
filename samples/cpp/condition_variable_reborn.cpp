/* SPDX-License-Identifier: MIT */
/* SHOWS a condition variable that is born without a call and destroyed with one, again and again at one address */
/* RUN clean */
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <thread>

namespace
{
struct mailbox {
	std::mutex lock;
	std::condition_variable filled;
	int letter = 0;

	void put(int l)
	{
		std::lock_guard<std::mutex> hold(lock);
		letter = l;
		filled.notify_one();
	}
	int take()
	{
		std::unique_lock<std::mutex> hold(lock);
		filled.wait(hold, [this] { return letter != 0; });
		return letter;
	}
};

int one_exchange(int letter)
{
	mailbox box; /* at the same place each time */
	std::thread sender([&box, letter] { box.put(letter); });
	int got = box.take();

	sender.join();
	return got;
}
} // namespace

int main()
{
	int sum = 0;

	for (int i = 1; i <= 50; i++) {
		sum += one_exchange(i);
	}
	std::printf("%d\n", sum);
	return 0;
}
