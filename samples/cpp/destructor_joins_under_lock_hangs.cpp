/* SPDX-License-Identifier: MIT */
/* SHOWS a registry that destroys a worker object under its lock; the destructor joins a thread that wants the registry */
/* EXPECT deadlock confidence=observed stacks=Registry::remove_all,Registry::report threads=2 roles=holds,waits */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

#include <map>
#include <memory>
#include <mutex>
#include <thread>

class Registry;

class Worker
{
      public:
	explicit Worker(Registry &registry);
	~Worker()
	{
		thread_.join();
	}

      private:
	std::thread thread_;
};

class Registry
{
      public:
	NOINLINE void add(int id)
	{
		std::lock_guard<std::mutex> guard(lock_);
		workers_[id] = std::make_unique<Worker>(*this);
	}

	NOINLINE void report()
	{
		std::lock_guard<std::mutex> guard(lock_);
		reports_++;
	}

	NOINLINE void remove_all()
	{
		std::lock_guard<std::mutex> guard(lock_);

		step_to(&step, 1);
		workers_.clear();
	}

	int step = 0;

      private:
	std::mutex lock_;
	std::map<int, std::unique_ptr<Worker>> workers_;
	int reports_ = 0;
};

Worker::Worker(Registry &registry)
{
	thread_ = std::thread([&registry] {
		until(&registry.step, 1);
		registry.report();
	});
}

int main()
{
	Registry registry;

	registry.add(1);
	registry.remove_all();
	return 0;
}
