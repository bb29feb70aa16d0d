/* SPDX-License-Identifier: MIT */
/* SCENARIO S29: a thread that holds A for reading asks for A for writing */
/* EXPECT self-deadlock confidence=observed stacks=upgrade threads=1 locks=table_lock roles=holds,waits */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

static pthread_rwlock_t table_lock = PTHREAD_RWLOCK_INITIALIZER;

static NOINLINE void upgrade(void)
{
	pthread_rwlock_wrlock(&table_lock);
	pthread_rwlock_unlock(&table_lock);
}

static void *lookup_or_insert(void *arg)
{
	pthread_rwlock_rdlock(&table_lock);
	upgrade();
	pthread_rwlock_unlock(&table_lock);
	return arg;
}

int main(void)
{
	finish(start(lookup_or_insert, NULL));
	return 0;
}
