/* SPDX-License-Identifier: MIT */
/* SHOWS std::mutex and std::thread members of static objects in several orders of destruction, all correct */
/* NEVER use-after-destroy leaked-thread lock-held-at-exit */
/* RUN clean */
#include "../sample.h"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

class Service
{
      public:
	void start()
	{
		for (int i = 0; i < 3; i++)
			threads_.emplace_back([this] { run(); });
	}

	~Service()
	{
		{
			std::lock_guard<std::mutex> guard(lock_);
			stopping_ = true;
		}
		changed_.notify_all();
		for (auto &t : threads_)
			t.join();
	}

      private:
	void run()
	{
		std::unique_lock<std::mutex> guard(lock_);

		while (!stopping_)
			changed_.wait(guard);
	}

	std::mutex lock_;
	std::condition_variable changed_;
	std::vector<std::thread> threads_;
	bool stopping_ = false;
};

static std::unique_ptr<Service> pointer;
static Service direct;

int main()
{
	static Service local;

	pointer = std::make_unique<Service>();
	pointer->start();
	direct.start();
	local.start();
	return 0;
}
