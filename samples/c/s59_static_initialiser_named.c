/* SPDX-License-Identifier: MIT */
/* SCENARIO S59: locks that no call initialised are named by symbol and member or offset */
/* EXPECT lock-order-inversion confidence=potential stacks=forwards,backwards locks=server,file_scope_lock threads=2 */
/* RUN */
#include "../sample.h"

struct server {
	long id;
	pthread_mutex_t lock;
};

static struct server server = { 1, PTHREAD_MUTEX_INITIALIZER };
static pthread_mutex_t file_scope_lock = PTHREAD_MUTEX_INITIALIZER;
static int step, alive;

static void *forwards(void *arg)
{
	meet(&alive, 2);
	pthread_mutex_lock(&server.lock);
	pthread_mutex_lock(&file_scope_lock);
	pthread_mutex_unlock(&file_scope_lock);
	pthread_mutex_unlock(&server.lock);
	step_to(&step, 1);
	until(&step, 2);
	return arg;
}

static void *backwards(void *arg)
{
	meet(&alive, 2);
	until(&step, 1);
	pthread_mutex_lock(&file_scope_lock);
	pthread_mutex_lock(&server.lock);
	pthread_mutex_unlock(&server.lock);
	pthread_mutex_unlock(&file_scope_lock);
	step_to(&step, 2);
	return arg;
}

int main(void)
{
	run_two(forwards, backwards);
	return 0;
}
