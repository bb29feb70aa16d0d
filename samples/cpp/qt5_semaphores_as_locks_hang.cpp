/* SPDX-License-Identifier: MIT */
/* SHOWS two QSemaphore of one unit that are used as locks, taken in both orders at the same time */
/* EXPECT deadlock confidence=observed level=error stacks=forth,back threads=2..3 locks=left,right */
/* RUN timeout=2 kill=1 */
/* BUILD runtime=libQt5Core.so.5 */
#include "../library_locks.h"
#include "../sample.h"

#include <thread>

static QSemaphore left(1), right(1);
static int gate;

static NOINLINE void forth()
{
	left.acquire();
	meet(&gate, 2);
	right.acquire();
	right.release();
	left.release();
}

static NOINLINE void back()
{
	right.acquire();
	meet(&gate, 2);
	left.acquire();
	left.release();
	right.release();
}

int main()
{
	std::thread a(forth), b(back);

	a.join();
	b.join();
	return 0;
}
