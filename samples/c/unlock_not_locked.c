/* SPDX-License-Identifier: MIT */
/* SHOWS a NORMAL mutex unlocked once too often on the error path */
/* EXPECT unlock-not-locked confidence=observed level=error stacks=handle threads=1 locks=m */
/* RUN */
#include "../sample.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

static NOINLINE int handle(int fail)
{
	int rc = 0;

	pthread_mutex_lock(&m);
	if (fail) {
		pthread_mutex_unlock(&m);
		rc = -1;
		goto out;
	}
out:
	pthread_mutex_unlock(&m);
	return rc;
}

int main(void)
{
	handle(0);
	handle(1);
	return 0;
}
