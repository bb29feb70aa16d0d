/* SPDX-License-Identifier: MIT */
/* SCENARIO I3: C11 threads: mtx_lock in both orders */
/* EXPECT lock-order-inversion confidence=potential stacks=forwards,backwards threads=2 locks=a,b created=main */
/* RUN */
#include "../sample.h"

#include <threads.h>

static mtx_t a, b;
static int step, alive;

static int forwards(void *arg)
{
	(void)arg;
	meet(&alive, 2);
	mtx_lock(&a);
	mtx_lock(&b);
	mtx_unlock(&b);
	mtx_unlock(&a);
	step_to(&step, 1);
	until(&step, 2);
	return 0;
}

static int backwards(void *arg)
{
	(void)arg;
	meet(&alive, 2);
	until(&step, 1);
	mtx_lock(&b);
	mtx_lock(&a);
	mtx_unlock(&a);
	mtx_unlock(&b);
	step_to(&step, 2);
	return 0;
}

int main(void)
{
	thrd_t t[2];

	MUST(mtx_init(&a, mtx_plain));
	MUST(mtx_init(&b, mtx_plain));
	MUST(thrd_create(&t[0], forwards, NULL));
	MUST(thrd_create(&t[1], backwards, NULL));
	MUST(thrd_join(t[0], NULL));
	MUST(thrd_join(t[1], NULL));
	mtx_destroy(&a);
	mtx_destroy(&b);
	return 0;
}
