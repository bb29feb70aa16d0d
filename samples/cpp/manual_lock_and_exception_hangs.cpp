/* SPDX-License-Identifier: MIT */
/* SHOWS lock() without a guard, an exception in between, and the same thread coming back */
/* EXPECT self-deadlock confidence=observed stacks=Inventory::remove threads=1 */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

#include <map>
#include <mutex>
#include <string>
#include <thread>

class Inventory
{
      public:
	NOINLINE void remove(const std::string &what)
	{
		lock_.lock();
		stock_.at(what)--; /* throws for what is not there */
		lock_.unlock();
	}

	void add(const std::string &what)
	{
		std::lock_guard<std::mutex> guard(lock_);
		stock_[what]++;
	}

      private:
	std::mutex lock_;
	std::map<std::string, int> stock_;
};

int main()
{
	Inventory inventory;

	inventory.add("nut");
	std::thread t([&] {
		for (const char *what : { "bolt", "nut" }) {
			try {
				inventory.remove(what);
			} catch (const std::out_of_range &) {
			}
		}
	});
	t.join();
	return 0;
}
