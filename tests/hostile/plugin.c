/* SPDX-License-Identifier: MIT */
/* plugin.c - the library of modules_come_and_go. */
#include <pthread.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static int runs;
int plugin_run(void);
int plugin_run(void)
{
	int n;

	pthread_mutex_lock(&m);
	n = ++runs;
	pthread_mutex_unlock(&m);
	return n;
}
__attribute__((constructor)) static void on_load(void)
{
	plugin_run();
}
