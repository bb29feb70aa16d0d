/* SPDX-License-Identifier: MIT */
/* SHOWS recursive async merge sort, and a transform with a pool of threads: correct */
/* RUN clean */
#include "../sample.h"

#include <algorithm>
#include <future>
#include <numeric>
#include <thread>
#include <vector>

static void sort_range(std::vector<int>::iterator begin, std::vector<int>::iterator end, int depth)
{
	if (end - begin < 2)
		return;
	auto middle = begin + (end - begin) / 2;
	if (depth > 0) {
		auto left = std::async(std::launch::async, sort_range, begin, middle, depth - 1);
		sort_range(middle, end, depth - 1);
		left.get();
	} else {
		std::sort(begin, middle);
		std::sort(middle, end);
	}
	std::inplace_merge(begin, middle, end);
}

int main()
{
	std::vector<int> v(5000);
	unsigned seed = 1;

	for (auto &x : v)
		x = static_cast<int>((seed = seed * 1664525u + 1013904223u) >> 8);
	sort_range(v.begin(), v.end(), 3);
	return std::is_sorted(v.begin(), v.end()) ? 0 : 3;
}
