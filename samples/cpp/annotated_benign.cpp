/* SPDX-License-Identifier: MIT */
/* SHOWS two orders of named locks, one of them said to be benign by a scope of thrum.h: a note, which gates nothing */
/* EXPECT lock-order-inversion confidence=potential level=note stacks=forth,back locks=left,right */
/* RUN clean */
#include "../../include/thrum.h"
#include "../sample.h"

#include <mutex>
#include <thread>

static thrum::named<std::mutex> left("left", "side"), right("right", "side");

static NOINLINE void forth()
{
	std::lock_guard<std::mutex> a(left), b(right);
}

static NOINLINE void back()
{
	thrum::benign only_while_nobody_else_runs;
	std::lock_guard<std::mutex> a(right), b(left);
}

int main()
{
	int step = 0;
	std::thread a([&] {
		thrum::task work("forth", 1);
		forth();
		step_to(&step, 1);
	});
	std::thread b([&] {
		until(&step, 1);
		back();
	});
	a.join();
	b.join();
	return 0;
}
