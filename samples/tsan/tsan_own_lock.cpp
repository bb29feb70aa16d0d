/* SPDX-License-Identifier: MIT */
/* SHOWS a lock of the program's own that only ThreadSanitizer knows, by its annotations: two of them are taken in both orders, which its report says */
/* EXPECT lock-order-inversion confidence=potential count=1 says=ThreadSanitizer */
/* NEVER data-race */
#include "../sample.h"

#include <atomic>
#include <thread>

extern "C" {
void __tsan_mutex_create(void *, unsigned);
void __tsan_mutex_pre_lock(void *, unsigned);
void __tsan_mutex_post_lock(void *, unsigned, int);
int __tsan_mutex_pre_unlock(void *, unsigned);
void __tsan_mutex_post_unlock(void *, unsigned);
}

struct own_lock {
	std::atomic<int> word{ 0 };

	own_lock()
	{
		__tsan_mutex_create(this, 0);
	}
	void lock()
	{
		__tsan_mutex_pre_lock(this, 0);
		while (word.exchange(1))
			sched_yield();
		__tsan_mutex_post_lock(this, 0, 0);
	}
	void unlock()
	{
		__tsan_mutex_pre_unlock(this, 0);
		word = 0;
		__tsan_mutex_post_unlock(this, 0);
	}
};

static own_lock left, right;
static long guarded;

static NOINLINE void both(own_lock &first, own_lock &second)
{
	first.lock();
	second.lock();
	guarded++;
	second.unlock();
	first.unlock();
}

int main()
{
	std::thread(both, std::ref(left), std::ref(right)).join();
	std::thread(both, std::ref(right), std::ref(left)).join();
	return guarded == 2 ? 0 : 3;
}
