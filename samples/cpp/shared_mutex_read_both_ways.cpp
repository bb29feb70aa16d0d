/* SPDX-License-Identifier: MIT */
/* SHOWS two shared_mutexes taken in both orders, but the one that both sides share is only ever read: harmless */
/* NEVER lock-order-inversion */
/* RUN clean */
#include "../sample.h"

#include <map>
#include <mutex>
#include <shared_mutex>
#include <thread>

class Index
{
      public:
	NOINLINE void merge_into(Index &other)
	{
		std::shared_lock<std::shared_mutex> mine(lock_);
		std::unique_lock<std::shared_mutex> theirs(other.lock_);

		for (auto &e : entries_)
			other.entries_[e.first] += e.second;
	}

	NOINLINE void copy_from(const Index &other)
	{
		std::unique_lock<std::shared_mutex> mine(lock_);
		std::shared_lock<std::shared_mutex> theirs(other.lock_);

		entries_ = other.entries_;
	}

      private:
	mutable std::shared_mutex lock_;
	std::map<int, int> entries_;
};

static int step, alive;

int main()
{
	Index a, b;
	std::thread one([&] {
		meet(&alive, 2);
		a.merge_into(b);
		step_to(&step, 1);
		until(&step, 2);
	});
	std::thread two([&] {
		meet(&alive, 2);
		until(&step, 1);
		b.copy_from(a);
		step_to(&step, 2);
	});

	one.join();
	two.join();
	return 0;
}
