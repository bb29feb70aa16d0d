/* SPDX-License-Identifier: MIT */
/* A library for s58: one static mutex, used together with a lock of the host. */
#include <pthread.h>

#ifndef PLUGIN_NAME
#define PLUGIN_NAME "left"
#endif

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void plugin_then_other(pthread_mutex_t *other);
void other_then_plugin(pthread_mutex_t *other);
void *plugin_lock(void);
const char *plugin_name(void);

void plugin_then_other(pthread_mutex_t *other)
{
	pthread_mutex_lock(&lock);
	pthread_mutex_lock(other);
	pthread_mutex_unlock(other);
	pthread_mutex_unlock(&lock);
}

void other_then_plugin(pthread_mutex_t *other)
{
	pthread_mutex_lock(other);
	pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
	pthread_mutex_unlock(other);
}

void *plugin_lock(void)
{
	return &lock;
}

const char *plugin_name(void)
{
	return PLUGIN_NAME;
}
