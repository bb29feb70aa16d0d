/* SPDX-License-Identifier: MIT */
/* SHOWS threads that meet at one lock over and over: a note at most, and never a finding that gates */
/* NEVER deadlock lock-order-inversion stuck-wait */
/* RUN clean */
#include "../sample.h"

#include <mutex>
#include <thread>
#include <vector>

static std::mutex hot;
static long value;

int main()
{
	std::vector<std::thread> threads;

	for (int i = 0; i < 8; i++)
		threads.emplace_back([] {
			for (int k = 0; k < 3000; k++) {
				std::lock_guard<std::mutex> guard(hot);
				value += k % 7;
			}
		});
	for (auto &t : threads)
		t.join();
	printf("%ld\n", value);
	return 0;
}
