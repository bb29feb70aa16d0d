/* SPDX-License-Identifier: MIT */
/* lambdas.cc - an inversion through a template's members, each called by a lambda. One thread after the other, both alive. */
#include <atomic>
#include <mutex>
#include <thread>

namespace bank
{
template <class T> struct Ledger {
	std::mutex entries, totals;
	T value{};

	void add()
	{
		std::lock_guard<std::mutex> first(entries);
		std::lock_guard<std::mutex> second(totals);
		value++;
	}

	void sum()
	{
		std::lock_guard<std::mutex> first(totals);
		std::lock_guard<std::mutex> second(entries);
		value++;
	}
};
} // namespace bank

static bank::Ledger<long> ledger;
static std::atomic<int> turn;

int main()
{
#ifdef UNRELATED
	auto next = [](int number) { return number + 1; };
	turn = next(-1);
#endif
	std::thread one([] {
		ledger.add();
		turn++;
		while (turn < 2)
			std::this_thread::yield();
	});
	std::thread two([] {
		while (turn < 1)
			std::this_thread::yield();
		ledger.sum();
		turn++;
	});

	one.join();
	two.join();
}
