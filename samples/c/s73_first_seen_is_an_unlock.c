/* SPDX-License-Identifier: MIT */
/* SCENARIO S73: a lock was taken where no recorder could see it; the first event is its unlock */
/* NEVER unlock-not-locked unlock-not-owned */
/* RUN clean */
/* BUILD libs=dl */
#include "../sample.h"

#include <dlfcn.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

int main(void)
{
	void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
	int (*unseen_lock)(pthread_mutex_t *) =
		(int (*)(pthread_mutex_t *))dlsym(libc, "pthread_mutex_lock");

	MUST(unseen_lock(&m)); /* bypasses every preloaded wrapper, as a late start would */
	MUST(pthread_mutex_unlock(&m));
	for (int i = 0; i < 3; i++) {
		MUST(pthread_mutex_lock(&m));
		MUST(pthread_mutex_unlock(&m));
	}
	return 0;
}
