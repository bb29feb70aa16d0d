/* SPDX-License-Identifier: MIT */
/* SHOWS std::call_once, a throwing initialiser that is tried again, and function-local statics, from many threads */
/* RUN clean */
#include "../sample.h"

#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

static std::once_flag flag, flaky;
static int calls, tries;

static std::string &instance()
{
	static std::string s("only one");
	return s;
}

static int may_throw()
{
	static int attempts;
	static int value = ++attempts < 3 ? throw std::runtime_error("not yet") : attempts;
	return value;
}

static void worker()
{
	std::call_once(flag, [] { calls++; });
	for (bool done = false; !done;) {
		try {
			std::call_once(flaky, [] {
				if (++tries < 3)
					throw std::runtime_error("again");
			});
			done = true;
		} catch (const std::runtime_error &) {
		}
	}
	for (bool done = false; !done;) {
		try {
			may_throw();
			done = true;
		} catch (const std::runtime_error &) {
		}
	}
	instance();
}

int main()
{
	std::vector<std::thread> threads;

	for (int i = 0; i < 8; i++)
		threads.emplace_back(worker);
	for (auto &t : threads)
		t.join();
	printf("%d %d %s\n", calls, tries, instance().c_str());
	return 0;
}
