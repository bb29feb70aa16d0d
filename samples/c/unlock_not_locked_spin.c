/* SPDX-License-Identifier: MIT */
/* SHOWS a spinlock unlocked twice */
/* EXPECT unlock-not-locked confidence=observed stacks=main */
/* RUN */
#include "../sample.h"

int main(void)
{
	pthread_spinlock_t spin;

	pthread_spin_init(&spin, 0);
	pthread_spin_lock(&spin);
	pthread_spin_unlock(&spin);
	pthread_spin_unlock(&spin);
	pthread_spin_destroy(&spin);
	return 0;
}
