/* SPDX-License-Identifier: MIT */
/* SHOWS two locks on the heap, named by annotations before and after their first use, in the finding by these names */
/* EXPECT lock-order-inversion confidence=potential level=error stacks=forth,back threads=2 locks=accounts,journal */
/* RUN */
#include "../../include/thrum.h"
#include "../sample.h"

static pthread_mutex_t *first, *second;
static int step;

static NOINLINE void forth(void)
{
	pthread_mutex_lock(first);
	pthread_mutex_lock(second);
	pthread_mutex_unlock(second);
	pthread_mutex_unlock(first);
}

static NOINLINE void back(void)
{
	pthread_mutex_lock(second);
	pthread_mutex_lock(first);
	pthread_mutex_unlock(first);
	pthread_mutex_unlock(second);
}

static void *sender(void *arg)
{
	forth();
	thrum_lock_name(second, "journal");
	step_to(&step, 1);
	return arg;
}

static void *receiver(void *arg)
{
	until(&step, 1);
	back();
	return arg;
}

int main(void)
{
	pthread_t a, b;

	first = malloc(sizeof(*first));
	second = malloc(sizeof(*second));
	*first = *second = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
	thrum_lock_name(first, "accounts");
	thrum_lock_class(first, "table");
	MUST(pthread_create(&a, NULL, sender, NULL));
	MUST(pthread_create(&b, NULL, receiver, NULL));
	MUST(pthread_join(a, NULL));
	MUST(pthread_join(b, NULL));
	free(first);
	free(second);
	return 0;
}
