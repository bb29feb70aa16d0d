/* SPDX-License-Identifier: MIT */
/* SHOWS declared orders of locks and of classes that are kept; a try and a lock of another address do not break them */
/* NEVER lock-order-inversion */
/* RUN clean */
#include "../../include/thrum.h"
#include "../sample.h"

static pthread_mutex_t outer = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t inner = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t pool[2] = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER };

static void *worker(void *arg)
{
	pthread_mutex_lock(&outer);
	pthread_mutex_lock(&inner);
	pthread_mutex_lock(&pool[0]);
	pthread_mutex_unlock(&pool[0]);
	pthread_mutex_unlock(&inner);
	pthread_mutex_unlock(&outer);
	pthread_mutex_lock(&inner);
	if (pthread_mutex_trylock(&outer) == 0)
		pthread_mutex_unlock(&outer);
	pthread_mutex_unlock(&inner);
	return arg;
}

int main(void)
{
	pthread_mutex_t *gone = malloc(sizeof(*gone)), *next;
	pthread_t t;

	thrum_lock_order(&outer, &inner);
	thrum_lock_class(&inner, "inner");
	thrum_lock_class(&pool[0], "pool");
	thrum_lock_class(&pool[1], "pool");
	thrum_class_order("inner", "pool");
	/* An order with a lock that ends before it is ever used says nothing of the next one there. */
	pthread_mutex_init(gone, NULL);
	thrum_lock_order(gone, &pool[1]);
	pthread_mutex_destroy(gone);
	free(gone);
	next = malloc(sizeof(*next));
	pthread_mutex_init(next, NULL);
	pthread_mutex_lock(&pool[1]);
	pthread_mutex_lock(next);
	pthread_mutex_unlock(next);
	pthread_mutex_unlock(&pool[1]);
	pthread_mutex_destroy(next);
	free(next);
	MUST(pthread_create(&t, NULL, worker, NULL));
	MUST(pthread_join(t, NULL));
	return 0;
}
