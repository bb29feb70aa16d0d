/* SPDX-License-Identifier: MIT */
/* SHOWS a configuration replaced as a whole behind shared_ptr and a mutex, with readers and a reloading thread */
/* RUN clean */
#include "../sample.h"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

using Config = std::map<std::string, int>;

class Holder
{
      public:
	std::shared_ptr<const Config> get()
	{
		std::lock_guard<std::mutex> guard(lock_);
		return config_;
	}

	void replace(std::shared_ptr<const Config> fresh)
	{
		std::shared_ptr<const Config> old;
		std::lock_guard<std::mutex> guard(lock_);

		old = std::move(config_);
		config_ = std::move(fresh);
	}

      private:
	std::mutex lock_;
	std::shared_ptr<const Config> config_ = std::make_shared<const Config>();
};

int main()
{
	Holder holder;
	std::vector<std::thread> threads;
	std::atomic<int> sum{ 0 };

	threads.emplace_back([&] {
		for (int i = 1; i <= 100; i++)
			holder.replace(std::make_shared<const Config>(Config{ { "version", i } }));
	});
	for (int r = 0; r < 3; r++)
		threads.emplace_back([&] {
			for (int i = 0; i < 100; i++) {
				auto config = holder.get();
				auto it = config->find("version");
				if (it != config->end())
					sum += it->second > 0;
			}
		});
	for (auto &t : threads)
		t.join();
	printf("%d\n", holder.get()->at("version"));
	return 0;
}
