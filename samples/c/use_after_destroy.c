/* SPDX-License-Identifier: MIT */
/* SHOWS a mutex locked after its destroy */
/* EXPECT use-after-destroy confidence=observed level=error stacks=late_user,tear_down locks=m */
/* ALLOW lock-held-at-exit */
/* RUN */
#include "../sample.h"

static pthread_mutex_t m;

static NOINLINE void tear_down(void)
{
	pthread_mutex_destroy(&m);
}

static NOINLINE void late_user(void)
{
	pthread_mutex_lock(&m);
}

int main(void)
{
	pthread_mutex_init(&m, NULL);
	pthread_mutex_lock(&m);
	pthread_mutex_unlock(&m);
	tear_down();
	late_user();
	return 0;
}
