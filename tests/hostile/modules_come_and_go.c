/* SPDX-License-Identifier: MIT */
/*
 * modules_come_and_go.c - loads and unloads a library with a static mutex and a constructor that
 * locks, from two threads.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

static const char *path;
static void *work(void *p)
{
	long good = 0;

	for (int i = 0; i < 30; i++) {
		void *h = dlopen(path, RTLD_NOW);
		int (*f)(void) = h ? (int (*)(void))dlsym(h, "plugin_run") : NULL;

		good += f && f() > 0;
		if (h) {
			dlclose(h);
		}
	}
	*(long *)p = good;
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t t;
	long a = 0, b = 0;

	path = argc > 1 ? argv[1] : "./libplugin.so";
	pthread_create(&t, NULL, work, &a);
	work(&b);
	pthread_join(t, NULL);
	printf("%ld %ld\n", a, b);
	return 0;
}
