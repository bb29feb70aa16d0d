/* SPDX-License-Identifier: MIT */
/* SHOWS unlocks of locks that nobody ever took: a normal and a recursive mutex */
/* EXPECT unlock-not-locked confidence=observed count=2 stacks=main */
/* RUN */
#include "../sample.h"

static pthread_mutex_t normal;
static pthread_mutex_t recursive;

int main(void)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&recursive, &attr);
	pthread_mutexattr_destroy(&attr);
	pthread_mutex_init(&normal, NULL);
	pthread_mutex_unlock(&normal);
	GIVES(EPERM, pthread_mutex_unlock(&recursive));
	return 0;
}
