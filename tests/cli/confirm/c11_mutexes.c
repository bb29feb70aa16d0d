/* SPDX-License-Identifier: MIT */
/* FEASIBLE C11 threads and mutexes */
#include "confirm.h"

static mtx_t a, b;

static NOINLINE int forth(void *arg)
{
	(void)arg;
	mtx_lock(&a);
	mtx_lock(&b);
	mtx_unlock(&b);
	mtx_unlock(&a);
	return 0;
}

static NOINLINE int back(void *arg)
{
	(void)arg;
	mtx_lock(&b);
	mtx_lock(&a);
	mtx_unlock(&a);
	mtx_unlock(&b);
	return 0;
}

int main(void)
{
	thrd_t one, two;

	mtx_init(&a, mtx_plain);
	mtx_init(&b, mtx_plain);
	thrd_create(&one, forth, NULL);
	pause_ms(120);
	thrd_create(&two, back, NULL);
	thrd_join(one, NULL);
	thrd_join(two, NULL);
	puts("over");
	return 0;
}
