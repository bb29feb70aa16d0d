/* SPDX-License-Identifier: MIT */
/* SHOWS a correct bounded queue with two condition variables, three producers and two consumers */
/* RUN clean */
#include "../sample.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

template <typename T> class Queue
{
      public:
	explicit Queue(size_t limit) : limit_(limit)
	{
	}

	void push(T item)
	{
		std::unique_lock<std::mutex> lock(lock_);

		not_full_.wait(lock, [this] { return items_.size() < limit_; });
		items_.push_back(std::move(item));
		not_empty_.notify_one();
	}

	std::optional<T> pop()
	{
		std::unique_lock<std::mutex> lock(lock_);

		not_empty_.wait(lock, [this] { return !items_.empty() || closed_; });
		if (items_.empty())
			return std::nullopt;
		T item = std::move(items_.front());
		items_.pop_front();
		lock.unlock();
		not_full_.notify_one();
		return item;
	}

	void close()
	{
		{
			std::lock_guard<std::mutex> lock(lock_);
			closed_ = true;
		}
		not_empty_.notify_all();
	}

      private:
	size_t limit_;
	std::mutex lock_;
	std::condition_variable not_full_, not_empty_;
	std::deque<T> items_;
	bool closed_ = false;
};

int main()
{
	Queue<int> queue(4);
	std::vector<std::thread> producers, consumers;
	long sums[2] = { 0, 0 };

	for (int c = 0; c < 2; c++)
		consumers.emplace_back([&, c] {
			while (auto item = queue.pop())
				sums[c] += *item;
		});
	for (int p = 0; p < 3; p++)
		producers.emplace_back([&] {
			for (int i = 1; i <= 200; i++)
				queue.push(i);
		});
	for (auto &p : producers)
		p.join();
	queue.close();
	for (auto &c : consumers)
		c.join();
	printf("%ld\n", sums[0] + sums[1]);
	return 0;
}
