/* SPDX-License-Identifier: MIT */
/* SHOWS a function-local static whose constructor takes L while another thread holds L and enters the function */
/* EXPECT deadlock confidence=observed stacks=Registry,lookup threads=2 roles=holds,waits */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

#include <mutex>
#include <thread>

static std::mutex config_lock;
static int inside;

struct Registry {
	int size;
	NOINLINE Registry()
	{
		meet(&inside, 2);
		std::lock_guard<std::mutex> lock(config_lock);
		size = 1;
	}
};

static NOINLINE Registry &registry()
{
	static Registry r;
	return r;
}

static NOINLINE void lookup()
{
	std::lock_guard<std::mutex> lock(config_lock);

	meet(&inside, 2);
	registry().size++;
}

int main()
{
	std::thread a([] { registry(); }), b(lookup);

	a.join();
	b.join();
	return 0;
}
