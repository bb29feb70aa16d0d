/* SPDX-License-Identifier: MIT */
/* SHOWS a lock hierarchy enforced by a wrapper class: high levels before low ones, in four threads */
/* RUN clean */
#include "../sample.h"

#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

class HierarchicalMutex
{
      public:
	explicit HierarchicalMutex(unsigned level) : level_(level)
	{
	}

	void lock()
	{
		if (current_ <= level_)
			throw std::logic_error("hierarchy violated");
		inner_.lock();
		previous_ = current_;
		current_ = level_;
	}

	void unlock()
	{
		current_ = previous_;
		inner_.unlock();
	}

	bool try_lock()
	{
		if (!inner_.try_lock())
			return false;
		previous_ = current_;
		current_ = level_;
		return true;
	}

      private:
	std::mutex inner_;
	unsigned level_, previous_ = 0;
	static thread_local unsigned current_;
};

thread_local unsigned HierarchicalMutex::current_ = ~0u;

static HierarchicalMutex high(3000), middle(2000), low(1000);
static long value;

static void work(int kind)
{
	for (int i = 0; i < 200; i++) {
		std::unique_lock<HierarchicalMutex> h(high, std::defer_lock);
		std::unique_lock<HierarchicalMutex> m(middle, std::defer_lock);
		std::unique_lock<HierarchicalMutex> l(low, std::defer_lock);

		if (kind & 1)
			h.lock();
		if (kind & 2)
			m.lock();
		l.lock();
		value++;
	}
}

int main()
{
	std::vector<std::thread> threads;

	for (int kind = 0; kind < 4; kind++)
		threads.emplace_back(work, kind);
	for (auto &t : threads)
		t.join();
	printf("%ld\n", value);
	return 0;
}
