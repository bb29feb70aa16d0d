/* SPDX-License-Identifier: MIT */
/* SHOWS operator= that locks both objects: a = b in one thread and b = a in another */
/* EXPECT lock-order-inversion confidence=potential stacks=Account::operator= threads=2 */
/* RUN */
#include "../sample.h"

#include <mutex>
#include <thread>

class Account
{
      public:
	explicit Account(int money) : money_(money)
	{
	}
	Account(const Account &) = delete;

	NOINLINE Account &operator=(const Account &other)
	{
		if (this != &other) {
			std::lock_guard<std::mutex> mine(lock_);
			std::lock_guard<std::mutex> theirs(other.lock_);

			money_ = other.money_;
		}
		return *this;
	}

      private:
	mutable std::mutex lock_;
	int money_;
};

static int step, alive;

int main()
{
	auto *a = new Account(1), *b = new Account(2);
	std::thread one([&] {
		meet(&alive, 2);
		*a = *b;
		step_to(&step, 1);
		until(&step, 2);
	});
	std::thread two([&] {
		meet(&alive, 2);
		until(&step, 1);
		*b = *a;
		step_to(&step, 2);
	});

	one.join();
	two.join();
	delete a;
	delete b;
	return 0;
}
