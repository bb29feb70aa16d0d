/* SPDX-License-Identifier: MIT */
/* SHOWS threads started by static constructors and joined by static destructors: around main */
/* RUN clean */
#include "../sample.h"

#include <condition_variable>
#include <mutex>
#include <thread>

class Background
{
      public:
	Background() : thread_([this] { run(); })
	{
	}

	~Background()
	{
		{
			std::lock_guard<std::mutex> guard(lock_);
			stopping_ = true;
		}
		changed_.notify_all();
		thread_.join();
	}

	void poke()
	{
		std::lock_guard<std::mutex> guard(lock_);
		pokes_++;
		changed_.notify_all();
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
	bool stopping_ = false;
	int pokes_ = 0;
	std::thread thread_;
};

static Background background;

int main()
{
	for (int i = 0; i < 10; i++)
		background.poke();
	return 0;
}
