/* SPDX-License-Identifier: MIT */
/* SHOWS unique_lock::release(), which forgets the mutex without unlocking it: the thread ends with it */
/* EXPECT lock-held-at-thread-exit confidence=observed stacks=hand_over threads=1 */
/* RUN */
#include "../sample.h"

#include <mutex>
#include <thread>

static std::mutex m;

static NOINLINE std::mutex *hand_over()
{
	std::unique_lock<std::mutex> lock(m);

	return lock.release();
}

int main()
{
	std::thread t([] { hand_over(); });

	t.join();
	return 0;
}
