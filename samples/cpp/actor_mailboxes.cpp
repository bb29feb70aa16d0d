/* SPDX-License-Identifier: MIT */
/* SHOWS actors with mailboxes that send to each other in all directions: correct, never two locks at once */
/* RUN clean */
#include "../sample.h"

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

class Actor
{
      public:
	void send(int message)
	{
		{
			std::lock_guard<std::mutex> guard(lock_);
			box_.push_back(message);
		}
		arrived_.notify_one();
	}

	void run(const std::vector<std::unique_ptr<Actor>> &all, size_t me)
	{
		for (;;) {
			int message;

			{
				std::unique_lock<std::mutex> guard(lock_);
				arrived_.wait(guard, [this] { return !box_.empty(); });
				message = box_.front();
				box_.pop_front();
			}
			if (message < 0)
				return;
			handled_++;
			if (message > 0)
				all[(me + static_cast<size_t>(message)) % all.size()]->send(
					message - 1);
			else
				all.back()->finished();
		}
	}

	void finished()
	{
		std::lock_guard<std::mutex> guard(lock_);
		ended_++;
		all_ended_.notify_all();
	}

	void wait_ended(int n)
	{
		std::unique_lock<std::mutex> guard(lock_);
		all_ended_.wait(guard, [&] { return ended_ >= n; });
	}

	int handled() const
	{
		return handled_;
	}

      private:
	std::mutex lock_;
	std::condition_variable arrived_, all_ended_;
	std::deque<int> box_;
	int handled_ = 0, ended_ = 0;
};

int main()
{
	std::vector<std::unique_ptr<Actor>> actors;
	std::vector<std::thread> threads;
	int total = 0;

	for (int i = 0; i < 5; i++)
		actors.push_back(std::make_unique<Actor>());
	for (size_t i = 0; i < 4; i++)
		threads.emplace_back([&, i] { actors[i]->run(actors, i); });
	threads.emplace_back([&] { actors[4]->run(actors, 4); });
	for (size_t i = 0; i < 4; i++)
		actors[i]->send(20);
	actors[4]->wait_ended(4);
	for (auto &a : actors)
		a->send(-1);
	for (auto &t : threads)
		t.join();
	for (auto &a : actors)
		total += a->handled();
	printf("%d\n", total);
	return 0;
}
