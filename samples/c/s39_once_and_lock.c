/* SPDX-License-Identifier: MIT */
/* SCENARIO S39: the once initialiser takes L while another thread holds L and enters the same once: both hang */
/* EXPECT deadlock confidence=observed stacks=initialise,lookup threads=2 locks=table_once,table_lock roles=holds,waits */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

static pthread_once_t table_once = PTHREAD_ONCE_INIT;
static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static int inside;

static void initialise(void)
{
	meet(&inside, 2);
	pthread_mutex_lock(&table_lock);
	pthread_mutex_unlock(&table_lock);
}

static NOINLINE void lookup(void)
{
	pthread_mutex_lock(&table_lock);
	meet(&inside, 2);
	pthread_once(&table_once, initialise);
	pthread_mutex_unlock(&table_lock);
}

static void *first_user(void *arg)
{
	pthread_once(&table_once, initialise);
	return arg;
}

static void *second_user(void *arg)
{
	lookup();
	return arg;
}

int main(void)
{
	run_two(first_user, second_user);
	return 0;
}
