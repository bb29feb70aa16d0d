/* SPDX-License-Identifier: MIT */
/* SCENARIO S17: std::lock(A,B) in one thread, std::lock(B,A) and std::scoped_lock in others */
/* NEVER lock-order-inversion deadlock */
/* RUN clean */
#include "../sample.h"

#include <mutex>
#include <thread>
#include <vector>

static std::mutex a, b, c;
static long total;

int main()
{
	std::vector<std::thread> threads;

	threads.emplace_back([] {
		for (int i = 0; i < 500; i++) {
			std::lock(a, b);
			std::lock_guard<std::mutex> la(a, std::adopt_lock), lb(b, std::adopt_lock);
			total++;
		}
	});
	threads.emplace_back([] {
		for (int i = 0; i < 500; i++) {
			std::unique_lock<std::mutex> lb(b, std::defer_lock), la(a, std::defer_lock);
			std::lock(lb, la);
			total++;
		}
	});
	threads.emplace_back([] {
		for (int i = 0; i < 500; i++) {
			std::scoped_lock all(c, b, a);
			total++;
		}
	});
	for (auto &t : threads)
		t.join();
	printf("%ld\n", total);
	return 0;
}
