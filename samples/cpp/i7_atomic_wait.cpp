/* SPDX-License-Identifier: MIT */
/* SCENARIO I7: atomic::wait and binary_semaphore as signals between threads, with timeouts that pass: silence */
/* NEVER stuck-wait deadlock leaked-thread */
/* RUN clean */
#include "../sample.h"

#include <atomic>
#include <chrono>
#include <semaphore>
#include <thread>

static std::atomic<int> turn;
static std::binary_semaphore ready(0), never(0);

static void player(int mine)
{
	for (int i = 0; i < 100; i++) {
		int now;

		while ((now = turn.load()) % 2 != mine)
			turn.wait(now);
		turn.store(now + 1);
		turn.notify_all();
	}
}

int main()
{
	std::thread a(player, 0), b(player, 1), c([] { ready.acquire(); });

	a.join();
	b.join();
	if (never.try_acquire_for(std::chrono::milliseconds(20)))
		return 1;
	ready.release();
	c.join();
	printf("%d\n", turn.load());
	return 0;
}
