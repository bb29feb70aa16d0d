/* SPDX-License-Identifier: MIT */
/* SCENARIO S12: a heap struct with a statically initialised mutex is freed; another type gets the address */
/* NEVER lock-order-inversion */
/* RUN clean */
#include "../sample.h"

struct session {
	pthread_mutex_t lock;
	int id;
};

struct job {
	pthread_mutex_t lock;
	long cost;
};

static pthread_mutex_t registry = PTHREAD_MUTEX_INITIALIZER;
static int step, alive;
static void *first_address;

static NOINLINE void use_session(void)
{
	struct session *s = (struct session *)malloc(sizeof(*s));

	*s = (struct session){ PTHREAD_MUTEX_INITIALIZER, 7 };
	first_address = s;
	pthread_mutex_lock(&s->lock);
	pthread_mutex_lock(&registry);
	pthread_mutex_unlock(&registry);
	pthread_mutex_unlock(&s->lock);
	free(s); /* no destroy: legal for glibc, common in real code */
}

static struct job *queued;

static NOINLINE void queue_job(void)
{
	struct job *j = (struct job *)malloc(sizeof(*j));

	*j = (struct job){ PTHREAD_MUTEX_INITIALIZER, 1 };
	queued = j;
	if ((void *)j != first_address)
		fprintf(stderr, "the allocator gave another address\n");
}

static NOINLINE void run_job(void)
{
	pthread_mutex_lock(&registry);
	pthread_mutex_lock(&queued->lock);
	pthread_mutex_unlock(&queued->lock);
	pthread_mutex_unlock(&registry);
}

static void *owner(void *arg)
{
	meet(&alive, 2);
	use_session();
	queue_job();
	step_to(&step, 1);
	until(&step, 2);
	free(queued);
	return arg;
}

static void *runner(void *arg)
{
	meet(&alive, 2);
	until(&step, 1);
	run_job();
	step_to(&step, 2);
	return arg;
}

int main(void)
{
	run_two(owner, runner);
	return 0;
}
