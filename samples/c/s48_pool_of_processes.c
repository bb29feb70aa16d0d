/* SPDX-License-Identifier: MIT */
/* SCENARIO S48: a pool of processes as Python's multiprocessing makes it: shared semaphores around pipes, feeder threads, all joined */
/* NEVER deadlock stuck-wait leaked-thread fork-with-lock-held lock-order-inversion */
/* RUN clean */
#include "../sample.h"

#include <sys/mman.h>
#include <sys/wait.h>

enum { WORKERS = 3, TASKS = 60 };

struct queue {
	sem_t reader, writer; /* used as locks, shared between processes */
	int ends[2];
};

static struct queue *tasks, *results;

static struct queue *queue_new(void)
{
	struct queue *q = (struct queue *)mmap(NULL, sizeof(*q), PROT_READ | PROT_WRITE,
					       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	MUST(sem_init(&q->reader, 1, 1));
	MUST(sem_init(&q->writer, 1, 1));
	MUST(pipe(q->ends));
	return q;
}

static void put(struct queue *q, int value)
{
	sem_wait(&q->writer);
	if (write(q->ends[1], &value, sizeof(value)) != (ssize_t)sizeof(value))
		_exit(3);
	sem_post(&q->writer);
}

static int get(struct queue *q)
{
	int value = -1;

	sem_wait(&q->reader);
	if (read(q->ends[0], &value, sizeof(value)) != (ssize_t)sizeof(value))
		_exit(3);
	sem_post(&q->reader);
	return value;
}

static void work(void)
{
	for (int task = get(tasks); task > 0; task = get(tasks))
		put(results, task * 2);
	_exit(0);
}

static void *feed(void *arg)
{
	for (int i = 1; i <= TASKS; i++)
		put(tasks, i);
	for (int i = 0; i < WORKERS; i++)
		put(tasks, 0);
	return arg;
}

int main(void)
{
	pid_t workers[WORKERS];
	long sum = 0;
	pthread_t feeder;

	tasks = queue_new();
	results = queue_new();
	for (int i = 0; i < WORKERS; i++) {
		workers[i] = fork();
		if (!workers[i])
			work();
	}
	feeder = start(feed, NULL);
	for (int i = 0; i < TASKS; i++)
		sum += get(results);
	finish(feeder);
	for (int i = 0; i < WORKERS; i++)
		waitpid(workers[i], NULL, 0);
	printf("%ld\n", sum);
	return sum != (long)TASKS * (TASKS + 1);
}
