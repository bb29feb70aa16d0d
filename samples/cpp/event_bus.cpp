/* SPDX-License-Identifier: MIT */
/* SHOWS a correct event bus: the list is copied under the lock, callbacks run without it and may subscribe */
/* RUN clean */
#include "../sample.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

class Bus
{
      public:
	using Handler = std::function<void(int)>;

	void subscribe(Handler handler)
	{
		std::lock_guard<std::mutex> guard(lock_);
		handlers_.push_back(std::make_shared<Handler>(std::move(handler)));
	}

	void publish(int event)
	{
		std::vector<std::shared_ptr<Handler>> copy;

		{
			std::lock_guard<std::mutex> guard(lock_);
			copy = handlers_;
		}
		for (auto &h : copy)
			(*h)(event);
	}

      private:
	std::mutex lock_;
	std::vector<std::shared_ptr<Handler>> handlers_;
};

class Counter
{
      public:
	explicit Counter(Bus &bus) : bus_(bus)
	{
		bus_.subscribe([this](int event) { on_event(event); });
	}

	void start(int n)
	{
		std::unique_lock<std::mutex> guard(lock_);

		started_++;
		guard.unlock();
		bus_.publish(n);
	}

	int seen()
	{
		std::lock_guard<std::mutex> guard(lock_);
		return seen_;
	}

      private:
	void on_event(int event)
	{
		bool more;

		{
			std::lock_guard<std::mutex> guard(lock_);
			seen_++;
			more = event > 0 && started_ > 0;
		}
		if (more && event % 10 == 1)
			bus_.subscribe([](int) {});
	}

	Bus &bus_;
	std::mutex lock_;
	int seen_ = 0, started_ = 0;
};

int main()
{
	Bus bus;
	Counter one(bus), two(bus);
	std::thread a([&] {
		for (int i = 0; i < 30; i++)
			one.start(i);
	});
	std::thread b([&] {
		for (int i = 0; i < 30; i++)
			two.start(i);
	});

	a.join();
	b.join();
	printf("%d %d\n", one.seen(), two.seen());
	return 0;
}
