/* SPDX-License-Identifier: MIT */
/* SHOWS a correct thread pool with a stop token, a queue and futures */
/* RUN clean */
#include "../sample.h"

#include <condition_variable>
#include <functional>
#include <future>
#include <mutex>
#include <queue>
#include <thread>
#include <vector>

class Pool
{
      public:
	explicit Pool(int workers)
	{
		for (int i = 0; i < workers; i++)
			threads_.emplace_back([this](std::stop_token stop) { run(stop); });
	}

	~Pool()
	{
		for (auto &t : threads_)
			t.request_stop();
		/* jthread joins; each waits with its stop token */
	}

	template <typename F> auto submit(F f)
	{
		auto task = std::make_shared<std::packaged_task<decltype(f())()>>(std::move(f));
		auto result = task->get_future();

		{
			std::lock_guard<std::mutex> lock(lock_);
			jobs_.push([task] { (*task)(); });
		}
		ready_.notify_one();
		return result;
	}

      private:
	void run(std::stop_token stop)
	{
		for (;;) {
			std::function<void()> job;

			{
				std::unique_lock<std::mutex> lock(lock_);
				if (!ready_.wait(lock, stop, [this] { return !jobs_.empty(); }))
					return;
				job = std::move(jobs_.front());
				jobs_.pop();
			}
			job();
		}
	}

	std::mutex lock_;
	std::condition_variable_any ready_;
	std::queue<std::function<void()>> jobs_;
	std::vector<std::jthread> threads_;
};

int main()
{
	Pool pool(4);
	std::vector<std::future<long>> results;
	long total = 0;

	for (long i = 0; i < 100; i++)
		results.push_back(pool.submit([i] { return i * i; }));
	for (auto &r : results)
		total += r.get();
	printf("%ld\n", total);
	return 0;
}
