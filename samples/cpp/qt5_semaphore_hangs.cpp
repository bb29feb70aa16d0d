/* SPDX-License-Identifier: MIT */
/* SHOWS QSemaphore::acquire(3) where only two units are ever there: taken all at once or not at all, so stuck for ever */
/* EXPECT stuck-wait confidence=observed level=error stacks=take_three threads=1..3 locks=units roles=waits */
/* RUN timeout=2 kill=1 */
/* BUILD runtime=libQt5Core.so.5 */
#include "../library_locks.h"
#include "../sample.h"

#include <thread>

static QSemaphore units(1);

static NOINLINE void take_three()
{
	units.acquire(3);
	__asm__ volatile("" ::: "memory");
}

int main()
{
	std::thread giver([] { units.release(); });

	giver.join();
	std::thread(take_three).join();
	return 0;
}
