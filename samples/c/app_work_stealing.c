/* SPDX-License-Identifier: MIT */
/* SHOWS a correct work-stealing pool: each worker locks its own deque and tries the others' */
/* NEVER lock-order-inversion deadlock */
/* RUN clean */
#include "../sample.h"

#define WORKERS 4
#define TASKS 2000

struct deque {
	pthread_mutex_t lock;
	int task[TASKS], top, bottom;
};

static struct deque deques[WORKERS];
static int done, sum;

static int pop(struct deque *d)
{
	int task = -1;

	pthread_mutex_lock(&d->lock);
	if (d->top < d->bottom)
		task = d->task[--d->bottom];
	pthread_mutex_unlock(&d->lock);
	return task;
}

/* Moves half of the victim's tasks under both locks: the second only by trylock. */
static int steal(struct deque *mine, struct deque *victim)
{
	int task = -1;

	pthread_mutex_lock(&mine->lock);
	if (pthread_mutex_trylock(&victim->lock) == 0) {
		int take = (victim->bottom - victim->top + 1) / 2;

		while (take-- > 0 && mine->bottom < TASKS) {
			if (task < 0)
				task = victim->task[victim->top++];
			else
				mine->task[mine->bottom++] = victim->task[victim->top++];
		}
		pthread_mutex_unlock(&victim->lock);
	}
	pthread_mutex_unlock(&mine->lock);
	return task;
}

static void *worker(void *arg)
{
	intptr_t me = (intptr_t)arg;

	while (__atomic_load_n(&done, __ATOMIC_SEQ_CST) < TASKS) {
		int task = pop(&deques[me]);

		for (int i = 1; task < 0 && i < WORKERS; i++)
			task = steal(&deques[me], &deques[(me + i) % WORKERS]);
		if (task >= 0) {
			__atomic_add_fetch(&sum, task, __ATOMIC_SEQ_CST);
			__atomic_add_fetch(&done, 1, __ATOMIC_SEQ_CST);
		} else {
			sched_yield();
		}
	}
	return NULL;
}

int main(void)
{
	pthread_t t[WORKERS];

	for (int i = 0; i < WORKERS; i++)
		MUST(pthread_mutex_init(&deques[i].lock, NULL));
	for (int i = 0; i < TASKS; i++)
		deques[0].task[deques[0].bottom++] =
			i; /* all with one worker: the others must steal */
	for (intptr_t i = 0; i < WORKERS; i++)
		t[i] = start(worker, (void *)i);
	for (int i = 0; i < WORKERS; i++)
		finish(t[i]);
	printf("%d\n", sum);
	return 0;
}
