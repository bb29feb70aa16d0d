/* SPDX-License-Identifier: MIT */
/* SHOWS a correct read-mostly cache with std::shared_mutex, upgrade by dropping first, in six threads */
/* RUN clean */
#include "../sample.h"

#include <map>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <thread>
#include <vector>

class Cache
{
      public:
	std::optional<int> find(const std::string &key) const
	{
		std::shared_lock<std::shared_mutex> read(lock_);
		auto it = entries_.find(key);

		return it == entries_.end() ? std::nullopt : std::optional<int>(it->second);
	}

	int get(const std::string &key)
	{
		if (auto hit = find(key))
			return *hit;
		std::unique_lock<std::shared_mutex> write(lock_);
		auto [it, fresh] = entries_.try_emplace(key, 0);
		if (fresh) {
			it->second = compute(key);
			std::lock_guard<std::mutex> guard(statistics_lock_);
			misses_++;
		}
		return it->second;
	}

	size_t trim(size_t limit)
	{
		std::unique_lock<std::shared_mutex> write(lock_, std::try_to_lock);

		if (!write)
			return 0;
		size_t dropped = 0;
		while (entries_.size() > limit) {
			entries_.erase(entries_.begin());
			dropped++;
		}
		return dropped;
	}

	int misses()
	{
		std::lock_guard<std::mutex> guard(statistics_lock_);
		return misses_;
	}

      private:
	static int compute(const std::string &key)
	{
		int h = 0;

		for (char c : key)
			h = h * 31 + c;
		return h;
	}

	mutable std::shared_mutex lock_;
	std::mutex statistics_lock_;
	std::map<std::string, int> entries_;
	int misses_ = 0;
};

int main()
{
	Cache cache;
	std::vector<std::thread> threads;

	for (int t = 0; t < 5; t++)
		threads.emplace_back([&cache, t] {
			for (int i = 0; i < 300; i++)
				cache.get("key" + std::to_string((i * (t + 1)) % 40));
		});
	threads.emplace_back([&cache] {
		for (int i = 0; i < 50; i++)
			cache.trim(20);
	});
	for (auto &t : threads)
		t.join();
	return cache.misses() >= 40 ? 0 : 1;
}
