/* SPDX-License-Identifier: MIT */
/* Another interposer for S69: counts pthread_mutex_lock of the host's counted_lock and forwards it. Nothing more. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

static int (*next_lock)(pthread_mutex_t *);
static long counted;

__attribute__((constructor)) static void find_next(void)
{
	next_lock = (int (*)(pthread_mutex_t *))dlsym(RTLD_NEXT, "pthread_mutex_lock");
}

int pthread_mutex_lock(pthread_mutex_t *mutex)
{
	static pthread_mutex_t *counted_lock;

	if (!next_lock)
		find_next();
	if (!counted_lock)
		counted_lock = (pthread_mutex_t *)dlsym(RTLD_DEFAULT, "counted_lock");
	if (mutex == counted_lock)
		__atomic_add_fetch(&counted, 1, __ATOMIC_RELAXED);
	return next_lock(mutex);
}

__attribute__((destructor)) static void say(void)
{
	if (counted)
		fprintf(stderr, "counted %ld\n", counted);
}
