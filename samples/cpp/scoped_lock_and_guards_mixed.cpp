/* SPDX-License-Identifier: MIT */
/* SHOWS std::scoped_lock in one place and two nested guards in another: scoped_lock waits with nothing held, so no deadlock */
/* RUN clean */
#include "../sample.h"

#include <mutex>
#include <thread>

static std::mutex a, b;
static int step, alive;

int main()
{
	std::thread both([] {
		meet(&alive, 2);
		{
			std::scoped_lock all(a,
					     b); /* waits for a with nothing held, then tries b */
		}
		step_to(&step, 1);
		until(&step, 2);
	});
	std::thread nested([] {
		meet(&alive, 2);
		until(&step, 1);
		{
			std::lock_guard<std::mutex> outer(b);
			std::lock_guard<std::mutex> inner(a);
		}
		step_to(&step, 2);
	});

	both.join();
	nested.join();
	return 0;
}
