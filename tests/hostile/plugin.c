/* SPDX-License-Identifier: MIT */
/* plugin.c - the library of modules_come_and_go and others; tells a program that wants to know when it is loaded. */
#include <pthread.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static int runs;
int plugin_run(void);
__attribute__((weak)) void plugin_is_loading(void);
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
	if (plugin_is_loading) {
		plugin_is_loading();
	}
}
