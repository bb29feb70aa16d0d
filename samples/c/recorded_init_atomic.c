/* SPDX-License-Identifier: MIT */
/* SHOWS double-checked initialisation as it should be: the pointer is stored with release, loaded with acquire */
/* NEVER data-race */
/* RUN options=--races=record full clean */
/* BUILD needs=tsan */
#include "../sample.h"

#include <stdatomic.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
struct thing {
	int value;
};
static _Atomic(struct thing *) thing;

static void *use(void *arg)
{
	struct thing *now = atomic_load_explicit(&thing, memory_order_acquire);

	if (!now) {
		pthread_mutex_lock(&lock);
		now = atomic_load_explicit(&thing, memory_order_relaxed);
		if (!now) {
			now = malloc(sizeof(*now));
			now->value = 7;
			atomic_store_explicit(&thing, now, memory_order_release);
		}
		pthread_mutex_unlock(&lock);
	}
	return now->value == 7 ? arg : NULL;
}

int main(void)
{
	run_two(use, use);
	return 0;
}
