/* SPDX-License-Identifier: MIT */
/* SHOWS two QMutex taken in both orders, by QtCore's exported functions (Qt 5) */
/* EXPECT lock-order-inversion confidence=potential level=error stacks=forth,back threads=2 locks=left,right */
/* RUN */
/* BUILD runtime=libQt5Core.so.5 */
#include "../library_locks.h"
#include "../sample.h"

#include <thread>

static QMutex left, right;

static NOINLINE void forth()
{
	left.lock();
	right.lock();
	right.unlock();
	left.unlock();
}

static NOINLINE void back()
{
	right.lock();
	left.lock();
	left.unlock();
	right.unlock();
}

int main()
{
	std::thread(forth).join();
	/* Not ordered by the join: another thread that lived meanwhile. */
	int step = 0;
	std::thread a([&] {
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
