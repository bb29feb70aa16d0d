/* SPDX-License-Identifier: MIT */
/* SHOWS a lock held while a callback runs that takes the same lock, three frames deeper */
/* EXPECT self-deadlock confidence=observed stacks=for_each,count_one threads=1 locks=table_lock roles=holds,waits */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static int table[4] = { 1, 2, 3, 4 }, seen;

static NOINLINE void count_one(int value)
{
	pthread_mutex_lock(&table_lock);
	seen += value;
	pthread_mutex_unlock(&table_lock);
}

static NOINLINE void for_each(void (*visit)(int))
{
	pthread_mutex_lock(&table_lock);
	for (int i = 0; i < 4; i++)
		visit(table[i]);
	pthread_mutex_unlock(&table_lock);
}

int main(void)
{
	for_each(count_one);
	return 0;
}
