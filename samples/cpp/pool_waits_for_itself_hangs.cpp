/* SPDX-License-Identifier: MIT */
/* SHOWS a pool of two workers whose jobs wait for jobs of the same pool: all workers wait, nobody can run them */
/* EXPECT stuck-wait confidence=observed stacks=outer_job threads=2..3 */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

#include <condition_variable>
#include <functional>
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
			threads_.emplace_back([this] { run(); });
	}

	void submit(std::function<void()> job)
	{
		std::lock_guard<std::mutex> lock(lock_);

		jobs_.push(std::move(job));
		ready_.notify_one();
	}

	void join()
	{
		for (auto &t : threads_)
			t.join();
	}

      private:
	void run()
	{
		for (;;) {
			std::unique_lock<std::mutex> lock(lock_);

			ready_.wait(lock, [this] { return !jobs_.empty(); });
			auto job = std::move(jobs_.front());
			jobs_.pop();
			lock.unlock();
			job();
		}
	}

	std::mutex lock_;
	std::condition_variable ready_;
	std::queue<std::function<void()>> jobs_;
	std::vector<std::thread> threads_;
};

struct Event {
	std::mutex m;
	std::condition_variable cv;
	bool set = false;

	void fire()
	{
		std::lock_guard<std::mutex> lock(m);
		set = true;
		cv.notify_all();
	}
	void wait()
	{
		std::unique_lock<std::mutex> lock(m);
		while (!set)
			cv.wait(lock);
	}
};

static Pool *pool;
static int both;

static NOINLINE void outer_job()
{
	Event done;

	meet(&both, 2);
	pool->submit([&] { done.fire(); });
	done.wait();
}

int main()
{
	pool = new Pool(2);
	pool->submit(outer_job);
	pool->submit(outer_job);
	pool->join();
	return 0;
}
