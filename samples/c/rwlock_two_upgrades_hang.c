/* SPDX-License-Identifier: MIT */
/* SHOWS two readers that both want to become the writer */
/* EXPECT deadlock confidence=observed stacks=upgrade threads=2 locks=table_lock roles=holds,waits */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

static pthread_rwlock_t table_lock = PTHREAD_RWLOCK_INITIALIZER;
static int reading;

static NOINLINE void upgrade(void)
{
	pthread_rwlock_wrlock(&table_lock);
	pthread_rwlock_unlock(&table_lock);
}

static void *reader(void *arg)
{
	pthread_rwlock_rdlock(&table_lock);
	meet(&reading, 2);
	upgrade();
	pthread_rwlock_unlock(&table_lock);
	return arg;
}

int main(void)
{
	run_two(reader, reader);
	return 0;
}
