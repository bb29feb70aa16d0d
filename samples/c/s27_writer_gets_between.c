/* SPDX-License-Identifier: MIT */
/* SCENARIO S27: the same, but the kind prefers writers and a third thread writes B */
/* EXPECT lock-order-inversion level=note stacks=reader,writer */
/* RUN clean */
#include "../sample.h"

static pthread_rwlock_t a = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
static pthread_rwlock_t b = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
static int step, alive;

static void *reader(void *arg)
{
	meet(&alive, 3);
	pthread_rwlock_rdlock(&a);
	pthread_rwlock_rdlock(&b);
	pthread_rwlock_unlock(&b);
	pthread_rwlock_unlock(&a);
	step_to(&step, 1);
	until(&step, 3);
	return arg;
}

static void *writer(void *arg)
{
	meet(&alive, 3);
	until(&step, 1);
	pthread_rwlock_rdlock(&b);
	pthread_rwlock_wrlock(&a);
	pthread_rwlock_unlock(&a);
	pthread_rwlock_unlock(&b);
	step_to(&step, 2);
	until(&step, 3);
	return arg;
}

static void *writer_of_b(void *arg)
{
	meet(&alive, 3);
	until(&step, 2);
	pthread_rwlock_wrlock(&b);
	pthread_rwlock_unlock(&b);
	step_to(&step, 3);
	return arg;
}

int main(void)
{
	pthread_t t[3] = { start(reader, NULL), start(writer, NULL), start(writer_of_b, NULL) };

	for (int i = 0; i < 3; i++)
		finish(t[i]);
	return 0;
}
