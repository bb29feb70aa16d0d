/* SPDX-License-Identifier: MIT */
/* SHOWS an observer list under a recursive mutex whose callbacks add and remove observers */
/* RUN clean */
#include "../sample.h"

#include <functional>
#include <list>
#include <mutex>
#include <thread>

class Subject
{
      public:
	int add(std::function<void(int)> f)
	{
		std::lock_guard<std::recursive_mutex> lock(lock_);

		observers_.emplace_back(++last_, std::move(f));
		return last_;
	}

	void remove(int id)
	{
		std::lock_guard<std::recursive_mutex> lock(lock_);

		observers_.remove_if([id](const auto &o) { return o.first == id; });
	}

	void fire(int value)
	{
		std::lock_guard<std::recursive_mutex> lock(lock_);
		auto copy = observers_;

		for (auto &o : copy)
			o.second(value);
	}

      private:
	std::recursive_mutex lock_;
	std::list<std::pair<int, std::function<void(int)>>> observers_;
	int last_ = 0;
};

int main()
{
	Subject subject;
	int once = 0, calls = 0;

	once = subject.add([&](int) { subject.remove(once); });
	subject.add([&](int v) {
		calls++;
		if (v > 0)
			subject.fire(v - 1);
	});
	std::thread a([&] {
		for (int i = 0; i < 20; i++)
			subject.fire(3);
	});
	std::thread b([&] {
		for (int i = 0; i < 20; i++)
			subject.fire(2);
	});
	a.join();
	b.join();
	printf("%d\n", calls);
	return 0;
}
