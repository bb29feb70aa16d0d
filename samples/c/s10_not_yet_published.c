/* SPDX-License-Identifier: MIT */
/* SCENARIO S10: the creator holds its new object and takes the list lock; others take list, then object */
/* EXPECT lock-order-inversion level=note */
/* RUN clean */
#include "../sample.h"

struct object {
	pthread_mutex_t lock;
	struct object *next;
	int value;
};

static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static struct object *head;
static int step, alive;

static NOINLINE void publish(int value)
{
	struct object *o = (struct object *)calloc(1, sizeof(*o));

	MUST(pthread_mutex_init(&o->lock, NULL));
	pthread_mutex_lock(&o->lock); /* nobody can know the object yet */
	pthread_mutex_lock(&list_lock);
	o->next = head;
	head = o;
	pthread_mutex_unlock(&list_lock);
	o->value = value;
	pthread_mutex_unlock(&o->lock);
}

static NOINLINE int sum(void)
{
	int total = 0;

	pthread_mutex_lock(&list_lock);
	for (struct object *o = head; o; o = o->next) {
		pthread_mutex_lock(&o->lock);
		total += o->value;
		pthread_mutex_unlock(&o->lock);
	}
	pthread_mutex_unlock(&list_lock);
	return total;
}

static void *creator(void *arg)
{
	meet(&alive, 2);
	publish(3);
	publish(4);
	step_to(&step, 1);
	until(&step, 2);
	return arg;
}

static void *reader(void *arg)
{
	meet(&alive, 2);
	until(&step, 1);
	printf("%d\n", sum());
	step_to(&step, 2);
	return arg;
}

int main(void)
{
	run_two(creator, reader);
	while (head) {
		struct object *o = head;

		head = o->next;
		MUST(pthread_mutex_destroy(&o->lock));
		free(o);
	}
	return 0;
}
