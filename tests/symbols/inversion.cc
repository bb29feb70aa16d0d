// SPDX-License-Identifier: MIT
//
// inversion.cc - the same in C++: members in namespaces, lambdas, templates, a static in a function.
#include <array>
#include <mutex>
#include <semaphore.h>
#include <thread>

static volatile int calls;

namespace bank
{

class Account
{
    public:
	template <typename Amount> __attribute__((noinline)) void transfer(std::mutex &to, Amount amount)
	{
		auto pay = [&]() __attribute__((always_inline)) {
			std::lock_guard<std::mutex> second(to); // LINE pay
			calls = calls + static_cast<int>(amount);
		};
		std::lock_guard<std::mutex> first(lock_);

		pay(); // LINE transfer
		calls = calls + 1;
	}

	std::mutex &lock() { return lock_; }

    private:
	int id_ = 0;
	std::mutex lock_;
};

namespace
{
std::array<Account, 4> accounts;
}

static Account &shared_account()
{
	static Account account;

	return account;
}

}

int main()
{
	sem_t first_is_done;

	sem_init(&first_is_done, 0, 0);
	std::thread forwards([&] {
		bank::accounts[2].transfer(bank::shared_account().lock(), 1L);
		sem_post(&first_is_done);
	});
	std::thread backwards([&] {
		while (sem_wait(&first_is_done))
			;
		bank::shared_account().transfer(bank::accounts[2].lock(), 2L);
	});
	forwards.join();
	backwards.join();
}
