/* SPDX-License-Identifier: MIT */
/* SHOWS a correct asynchronous logger: ring buffer, writer thread, flush that waits, stop that drains */
/* NEVER stuck-wait lock-order-inversion leaked-thread */
/* RUN clean */
#include "../sample.h"

#define LINES 32

struct logger {
	pthread_mutex_t lock;
	pthread_cond_t filled, drained;
	char line[LINES][64];
	unsigned long written, queued;
	int stopping, out;
	pthread_t thread;
};

static struct logger logger = { .lock = PTHREAD_MUTEX_INITIALIZER,
				.filled = PTHREAD_COND_INITIALIZER,
				.drained = PTHREAD_COND_INITIALIZER };

static void *logger_main(void *arg)
{
	struct logger *l = (struct logger *)arg;

	pthread_setname_np(pthread_self(), "logger");
	pthread_mutex_lock(&l->lock);
	while (!l->stopping || l->written < l->queued) {
		char line[64];

		if (l->written == l->queued) {
			pthread_cond_wait(&l->filled, &l->lock);
			continue;
		}
		memcpy(line, l->line[l->written % LINES], sizeof(line));
		pthread_mutex_unlock(&l->lock);
		if (write(l->out, line, strlen(line)) < 0)
			_exit(3);
		pthread_mutex_lock(&l->lock);
		l->written++;
		pthread_cond_broadcast(&l->drained);
	}
	pthread_mutex_unlock(&l->lock);
	return NULL;
}

static void logger_write(struct logger *l, const char *who, int n)
{
	pthread_mutex_lock(&l->lock);
	while (l->queued - l->written == LINES)
		pthread_cond_wait(&l->drained, &l->lock);
	snprintf(l->line[l->queued % LINES], 64, "%s %d\n", who, n);
	l->queued++;
	pthread_cond_signal(&l->filled);
	pthread_mutex_unlock(&l->lock);
}

static void logger_flush(struct logger *l)
{
	unsigned long target;

	pthread_mutex_lock(&l->lock);
	target = l->queued;
	while (l->written < target)
		pthread_cond_wait(&l->drained, &l->lock);
	pthread_mutex_unlock(&l->lock);
}

static void *service(void *arg)
{
	for (int i = 0; i < 100; i++)
		logger_write(&logger, (const char *)arg, i);
	logger_flush(&logger);
	return NULL;
}

int main(void)
{
	pthread_t a, b;

	logger.out = open("/dev/null", O_WRONLY | O_CLOEXEC);
	logger.thread = start(logger_main, &logger);
	a = start(service, (void *)"first");
	b = start(service, (void *)"second");
	finish(a);
	finish(b);
	pthread_mutex_lock(&logger.lock);
	logger.stopping = 1;
	pthread_cond_signal(&logger.filled);
	pthread_mutex_unlock(&logger.lock);
	finish(logger.thread);
	printf("%lu\n", logger.written);
	return 0;
}
