/* SPDX-License-Identifier: MIT */
/* SHOWS a reload that stops the logger thread under the lock that the logger thread needs for its last line */
/* EXPECT deadlock confidence=observed stacks=reload,write_line threads=2 threadnames=logger locks=config_lock roles=holds,waits */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

static pthread_mutex_t config_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t queue_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t queue_filled = PTHREAD_COND_INITIALIZER;
static int queued, stopping, verbose = 1;
static pthread_t logger_thread;

static NOINLINE void write_line(void)
{
	pthread_mutex_lock(&config_lock); /* reads the level */
	if (verbose < 0)
		printf("line\n");
	pthread_mutex_unlock(&config_lock);
}

static void *logger(void *arg)
{
	pthread_setname_np(pthread_self(), "logger");
	for (;;) {
		pthread_mutex_lock(&queue_lock);
		while (!queued && !stopping)
			pthread_cond_wait(&queue_filled, &queue_lock);
		if (!queued) {
			pthread_mutex_unlock(&queue_lock);
			write_line(); /* "logger ends" */
			return arg;
		}
		queued--;
		pthread_mutex_unlock(&queue_lock);
		write_line();
	}
}

static NOINLINE void reload(void)
{
	pthread_mutex_lock(&config_lock);
	pthread_mutex_lock(&queue_lock);
	stopping = 1;
	pthread_cond_signal(&queue_filled);
	pthread_mutex_unlock(&queue_lock);
	pthread_join(logger_thread, NULL); /* it wants config_lock */
	verbose = 2;
	pthread_mutex_unlock(&config_lock);
}

int main(void)
{
	logger_thread = start(logger, NULL);
	pthread_mutex_lock(&queue_lock);
	queued = 3;
	pthread_cond_signal(&queue_filled);
	pthread_mutex_unlock(&queue_lock);
	reload();
	return 0;
}
