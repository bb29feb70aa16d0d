/* SPDX-License-Identifier: MIT */
/* SCENARIO S53c: the handler reads, and all other code reads too: readers do not wait for each other. Silent */
/* NEVER signal-handler-lock self-deadlock lock-order-inversion */
/* RUN clean */
#include "../sample.h"

static pthread_rwlock_t config_lock = PTHREAD_RWLOCK_INITIALIZER;
static int config, sum;

static void on_signal(int number)
{
	(void)number;
	pthread_rwlock_rdlock(&config_lock);
	sum += config;
	pthread_rwlock_unlock(&config_lock);
}

static void *reader(void *arg)
{
	pthread_rwlock_rdlock(&config_lock);
	__atomic_add_fetch(&sum, config, __ATOMIC_SEQ_CST);
	pthread_rwlock_unlock(&config_lock);
	return arg;
}

int main(void)
{
	pthread_rwlock_wrlock(&config_lock);
	config = 1;
	pthread_rwlock_unlock(&config_lock);
	signal(SIGHUP, on_signal);
	run_two(reader, reader);
	raise(SIGHUP);
	return sum == 3 ? 0 : 1;
}
