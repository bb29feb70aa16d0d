/* SPDX-License-Identifier: MIT */
/* SCENARIO S08: as before, but two threads run T1's code: one can hold A, the other B, and the third C */
/* EXPECT lock-order-inversion confidence=potential stacks=climb,close_ring threads=3 edges=3 */
/* RUN */
#include "../sample.h"

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t c = PTHREAD_MUTEX_INITIALIZER;
static int step, alive;

static NOINLINE void climb(void)
{
	pthread_mutex_lock(&a);
	pthread_mutex_lock(&b);
	pthread_mutex_unlock(&a);
	pthread_mutex_lock(&c);
	pthread_mutex_unlock(&c);
	pthread_mutex_unlock(&b);
}

static NOINLINE void close_ring(void)
{
	pthread_mutex_lock(&c);
	pthread_mutex_lock(&a);
	pthread_mutex_unlock(&a);
	pthread_mutex_unlock(&c);
}

static void *climber(void *arg)
{
	int turn = (int)(intptr_t)arg;

	meet(&alive, 3);
	until(&step, turn);
	climb();
	step_to(&step, turn + 1);
	until(&step, 3);
	return NULL;
}

static void *closer(void *arg)
{
	meet(&alive, 3);
	until(&step, 2);
	close_ring();
	step_to(&step, 3);
	return arg;
}

int main(void)
{
	pthread_t t[3] = { start(climber, (void *)0), start(climber, (void *)1),
			   start(closer, NULL) };

	for (int i = 0; i < 3; i++)
		finish(t[i]);
	return 0;
}
