/* SPDX-License-Identifier: MIT */
/* SHOWS promise, future, shared_future, packaged_task and async, with an exception, used correctly */
/* RUN clean */
#include "../sample.h"

#include <future>
#include <stdexcept>
#include <thread>
#include <vector>

static int square(int x)
{
	return x * x;
}

int main()
{
	std::promise<int> promise;
	std::shared_future<int> shared = promise.get_future().share();
	std::vector<std::thread> readers;
	std::atomic<int> sum{ 0 };

	for (int i = 0; i < 4; i++)
		readers.emplace_back([shared, &sum] { sum += shared.get(); });
	promise.set_value(5);
	for (auto &r : readers)
		r.join();

	std::vector<std::future<int>> jobs;
	for (int i = 0; i < 8; i++)
		jobs.push_back(std::async(std::launch::async, square, i));
	int total = 0;
	for (auto &j : jobs)
		total += j.get();

	std::packaged_task<int(int)> task(square);
	auto result = task.get_future();
	std::thread runner(std::move(task), 9);
	total += result.get();
	runner.join();

	auto failing =
		std::async(std::launch::async, []() -> int { throw std::logic_error("no"); });
	try {
		failing.get();
	} catch (const std::logic_error &) {
		total++;
	}
	auto lazy = std::async(std::launch::deferred, square, 3);
	total += lazy.get();
	printf("%d %d\n", sum.load(), total);
	return 0;
}
