/* SPDX-License-Identifier: MIT */
/* SHOWS detach of std::thread, move of threads, and yield: no leak */
/* RUN clean */
#include "../sample.h"

#include <thread>
#include <vector>

int main()
{
	std::vector<std::thread> threads;

	for (int i = 0; i < 10; i++)
		threads.push_back(std::thread([] { std::this_thread::yield(); }));
	std::thread taken = std::move(threads[3]);
	taken.join();
	threads.erase(threads.begin() + 3);
	for (size_t i = 0; i < threads.size(); i++) {
		if (i % 2)
			threads[i].detach();
		else
			threads[i].join();
	}
	until_alone();
	return 0;
}
