/* SPDX-License-Identifier: MIT */
/* SHOWS a spin lock and a read-write lock of the program's own make, annotated and used right: nothing to say */
/* NEVER lock-order-inversion unlock-not-owned unlock-not-locked double-lock use-after-destroy */
/* RUN clean */
#include "../../include/thrum.h"
#include "../sample.h"

static int spin, table; /* table: readers, or -1 */
static int sum;

static void *worker(void *arg)
{
	for (int i = 0; i < 500; i++) {
		thrum_lock_acquiring(&spin, 0);
		while (__atomic_exchange_n(&spin, 1, __ATOMIC_ACQUIRE))
			sched_yield();
		thrum_lock_acquired(&spin, 0);
		sum++;
		thrum_lock_releasing(&spin);
		__atomic_store_n(&spin, 0, __ATOMIC_RELEASE);

		int mode = i % 10 ? THRUM_SHARED : 0, old;
		thrum_lock_acquiring(&table, mode);
		for (;;) {
			old = __atomic_load_n(&table, __ATOMIC_RELAXED);
			if ((mode ? old >= 0 : old == 0) &&
			    __atomic_compare_exchange_n(&table, &old, mode ? old + 1 : -1, 0,
							__ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
				break;
			sched_yield();
		}
		thrum_lock_acquired(&table, mode);
		thrum_lock_releasing(&table);
		if (mode)
			__atomic_sub_fetch(&table, 1, __ATOMIC_RELEASE);
		else
			__atomic_store_n(&table, 0, __ATOMIC_RELEASE);
	}
	return arg;
}

int main(void)
{
	pthread_t t[3];

	thrum_lock_init(&spin, 0);
	for (int i = 0; i < 3; i++)
		MUST(pthread_create(&t[i], NULL, worker, NULL));
	for (int i = 0; i < 3; i++)
		MUST(pthread_join(t[i], NULL));
	thrum_lock_destroy(&spin);
	printf("%d\n", sum);
	return 0;
}
