/* SPDX-License-Identifier: MIT */
/* SHOWS a queue whose close() forgets to notify: the consumer waits for ever, main joins it */
/* EXPECT stuck-wait confidence=observed stacks=Queue::pop threads=1..2 roles=waits */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

class Queue
{
      public:
	NOINLINE void push(int item)
	{
		std::lock_guard<std::mutex> lock(lock_);

		items_.push_back(item);
		not_empty_.notify_one();
	}

	NOINLINE bool pop(int *ret_item)
	{
		std::unique_lock<std::mutex> lock(lock_);

		while (items_.empty() && !closed_)
			not_empty_.wait(lock);
		if (items_.empty())
			return false;
		*ret_item = items_.front();
		items_.pop_front();
		return true;
	}

	NOINLINE void close()
	{
		std::lock_guard<std::mutex> lock(lock_);

		closed_ = true; /* and nobody is told */
	}

      private:
	std::mutex lock_;
	std::condition_variable not_empty_;
	std::deque<int> items_;
	bool closed_ = false;
};

static int tid;

int main()
{
	Queue queue;
	std::thread consumer([&] {
		int item;

		publish_tid(&tid);
		while (queue.pop(&item))
			;
	});

	for (int i = 0; i < 3; i++)
		queue.push(i);
	until_asleep(&tid);
	queue.close();
	consumer.join();
	return 0;
}
