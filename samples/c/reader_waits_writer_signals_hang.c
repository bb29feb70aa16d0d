/* SPDX-License-Identifier: MIT */
/* SHOWS a reader of an rwlock that waits on a condvar; the one who signals needs the rwlock for writing first */
/* EXPECT deadlock confidence=observed stacks=watch,change threads=2 locks=table_lock roles=holds,waits */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

static pthread_rwlock_t table_lock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int version, tid;

static void *watch(void *arg)
{
	pthread_rwlock_rdlock(&table_lock);
	pthread_mutex_lock(&m);
	publish_tid(&tid);
	while (version == 0)
		pthread_cond_wait(&changed, &m);
	pthread_mutex_unlock(&m);
	pthread_rwlock_unlock(&table_lock);
	return arg;
}

static void *change(void *arg)
{
	until_asleep(&tid);
	pthread_rwlock_wrlock(&table_lock);
	pthread_mutex_lock(&m);
	version++;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&m);
	pthread_rwlock_unlock(&table_lock);
	return arg;
}

int main(void)
{
	run_two(watch, change);
	return 0;
}
