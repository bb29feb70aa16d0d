/* SPDX-License-Identifier: MIT */
/* SHOWS future.get() of a std::async task with the lock held that the task needs */
/* EXPECT deadlock confidence=observed stacks=Report::build,Report::add threads=2 roles=holds,waits */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

#include <future>
#include <mutex>
#include <vector>

class Report
{
      public:
	NOINLINE void add(int line)
	{
		std::lock_guard<std::mutex> guard(lock_);
		lines_.push_back(line);
	}

	NOINLINE size_t build()
	{
		std::lock_guard<std::mutex> guard(lock_);
		auto part = std::async(std::launch::async, [this] { add(1); });

		part.get();
		return lines_.size();
	}

      private:
	std::mutex lock_;
	std::vector<int> lines_;
};

int main()
{
	Report report;

	return report.build() == 1 ? 0 : 3;
}
