/* SPDX-License-Identifier: MIT */
/* SCENARIO S10: the object was in the list before its maker holds it and takes the list again */
/* EXPECT lock-order-inversion confidence=proven level=error threads=2 stacks=first,second locks=list says=ends+in+it */
/* NEVER data-race */
/* NEVER deadlock */
/* RUN options=--races=record full */
/* BUILD needs=tsan */
#include "../proven.h"

struct object {
	pthread_mutex_t lock;
	long value;
};

static pthread_mutex_t list = PTHREAD_MUTEX_INITIALIZER;
static struct object *head;
static long changes;

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

	publish(o);
	take(&o->lock);
	o->value = 7;
	take(&list);
	changes++;
	give(&list);
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
