/* SPDX-License-Identifier: MIT */
/* A library for s40: its constructor waits for a thread that needs the loader. */
#include "../../sample.h"

#include <dlfcn.h>

static void *helper(void *arg)
{
	void *handle = dlopen("libm.so.6", RTLD_NOW);

	if (handle)
		dlclose(handle);
	return arg;
}

static NOINLINE void start_helper(void)
{
	pthread_t t = start(helper, NULL);

	pthread_join(t, NULL);
}

__attribute__((constructor)) static void on_load(void)
{
	start_helper();
}
