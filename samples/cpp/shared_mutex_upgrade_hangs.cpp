/* SPDX-License-Identifier: MIT */
/* SHOWS a reader of std::shared_mutex that calls a method which takes it for writing */
/* EXPECT self-deadlock confidence=observed stacks=insert,get threads=1 roles=holds,waits */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

#include <map>
#include <mutex>
#include <shared_mutex>
#include <thread>

class Cache
{
      public:
	NOINLINE int get(int key)
	{
		std::shared_lock<std::shared_mutex> read(lock_);

		if (!entries_.count(key))
			insert(key);
		return entries_[key];
	}

      private:
	NOINLINE void insert(int key)
	{
		std::unique_lock<std::shared_mutex> write(lock_);

		entries_[key] = key * 2;
	}

	std::shared_mutex lock_;
	std::map<int, int> entries_;
};

int main()
{
	Cache cache;
	std::thread t([&] { cache.get(3); });

	t.join();
	return 0;
}
