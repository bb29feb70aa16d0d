/* SPDX-License-Identifier: MIT */
/* SHOWS lock order inversion of two std::mutex members reached through lock_guard */
/* EXPECT lock-order-inversion confidence=potential stacks=Cache::evict,Store::flush threads=2 */
/* RUN */
#include "../sample.h"

#include <map>
#include <mutex>
#include <string>
#include <thread>

class Store;

class Cache
{
      public:
	std::mutex lock;
	std::map<std::string, int> entries;
	void evict(Store &store);
};

class Store
{
      public:
	std::mutex lock;
	std::map<std::string, int> rows;
	void flush(Cache &cache);
};

NOINLINE void Cache::evict(Store &store)
{
	std::lock_guard<std::mutex> mine(lock);
	std::lock_guard<std::mutex> theirs(store.lock);

	for (const auto &e : entries)
		store.rows[e.first] = e.second;
	entries.clear();
}

NOINLINE void Store::flush(Cache &cache)
{
	std::lock_guard<std::mutex> mine(lock);
	std::lock_guard<std::mutex> theirs(cache.lock);

	for (const auto &r : rows)
		cache.entries.erase(r.first);
}

static int step, alive;

int main()
{
	Cache cache;
	Store store;

	cache.entries["a"] = 1;
	std::thread evictor([&] {
		meet(&alive, 2);
		cache.evict(store);
		step_to(&step, 1);
		until(&step, 2);
	});
	std::thread flusher([&] {
		meet(&alive, 2);
		until(&step, 1);
		store.flush(cache);
		step_to(&step, 2);
	});
	evictor.join();
	flusher.join();
	printf("%zu %zu\n", cache.entries.size(), store.rows.size());
	return 0;
}
