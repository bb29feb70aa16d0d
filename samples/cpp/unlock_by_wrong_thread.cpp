/* SPDX-License-Identifier: MIT */
/* SHOWS a std::mutex locked in one thread and unlocked in its callback by another */
/* EXPECT unlock-not-owned confidence=observed stacks=Request::done threads=2 */
/* RUN */
#include "../sample.h"

#include <mutex>
#include <thread>

struct Request {
	std::mutex busy;

	NOINLINE void begin()
	{
		busy.lock();
	}
	NOINLINE void done()
	{
		busy.unlock();
		__asm__ volatile("");
	}
};

static int step;

int main()
{
	Request request;
	std::thread starter([&] {
		request.begin();
		step_to(&step, 1);
		until(&step, 2);
	});
	std::thread completer([&] {
		until(&step, 1);
		request.done();
		step_to(&step, 2);
	});

	starter.join();
	completer.join();
	return 0;
}
