/* SPDX-License-Identifier: MIT */
/* SCENARIO S10: who makes an object holds it and takes the list; others take the list, then what they read in it, in a recorded build */
/* EXPECT lock-order-inversion level=note confidence=hint */
/* NEVER data-race */
/* RUN options=--races=record full clean */
/* BUILD needs=tsan */
#include "../proven.h"

struct object {
	pthread_mutex_t lock;
	long value;
};

static pthread_mutex_t list = PTHREAD_MUTEX_INITIALIZER;
static struct object *head;

static NOINLINE struct object *make_object(void)
{
	struct object *o = (struct object *)calloc(1, sizeof(*o));

	MUST(pthread_mutex_init(&o->lock, NULL));
	return o;
}

static NOINLINE void publish(struct object *o)
{
	take(&list);
	head = o;
	give(&list);
}

static void *first(void *arg)
{
	struct object *o = make_object();

	take(&o->lock); /* nobody can know it yet */
	publish(o);
	o->value = 7;
	give(&o->lock);
	unseen_step_to(&step, 1);
	return arg;
}

static void *second(void *arg)
{
	unseen_until(&step, 1);
	take(&list);
	take(&head->lock);
	sum += head->value;
	give(&head->lock);
	give(&list);
	return arg;
}

int main(void)
{
	run_two(first, second);
	return 0;
}
