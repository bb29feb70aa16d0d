/* SPDX-License-Identifier: MIT */
/* SHOWS a reader count and an owner kept by the program itself around std::mutex: correct, and no double lock */
/* RUN clean */
#include "../sample.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

class ReentrantLock
{
      public:
	void lock()
	{
		if (owner_.load() == std::this_thread::get_id()) {
			depth_++;
			return;
		}
		inner_.lock();
		owner_ = std::this_thread::get_id();
		depth_ = 1;
	}

	void unlock()
	{
		if (--depth_ == 0) {
			owner_ = std::thread::id();
			inner_.unlock();
		}
	}

      private:
	std::mutex inner_;
	std::atomic<std::thread::id> owner_{};
	int depth_ = 0;
};

static ReentrantLock lock;
static int total;

static void nested(int depth)
{
	std::lock_guard<ReentrantLock> guard(lock);

	total++;
	if (depth)
		nested(depth - 1);
}

int main()
{
	std::vector<std::thread> threads;

	for (int i = 0; i < 4; i++)
		threads.emplace_back([] {
			for (int k = 0; k < 50; k++)
				nested(4);
		});
	for (auto &t : threads)
		t.join();
	printf("%d\n", total);
	return 0;
}
