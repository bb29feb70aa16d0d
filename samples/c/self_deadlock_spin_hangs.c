/* SPDX-License-Identifier: MIT */
/* SHOWS a spinlock taken twice by one thread: it spins for ever */
/* EXPECT self-deadlock confidence=observed stacks=again threads=1 */
/* RUN timeout=2 */
#include "../sample.h"

static pthread_spinlock_t spin;

static NOINLINE void again(void)
{
	pthread_spin_lock(&spin);
}

int main(void)
{
	pthread_spin_init(&spin, 0);
	pthread_spin_lock(&spin);
	again();
	pthread_spin_unlock(&spin);
	return 0;
}
