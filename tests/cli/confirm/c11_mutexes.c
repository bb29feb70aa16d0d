/* SPDX-License-Identifier: MIT */
/* FEASIBLE C11's mutexes */
#include "confirm.h"

static mtx_t a, b;

BOTH(forth, C11_MUTEX, C11_MUTEX)
BOTH(back, C11_MUTEX, C11_MUTEX)

static void part(long number)
{
	if (number)
		back(&b, &a);
	else
		forth(&a, &b);
}

int main(void)
{
	MUST(mtx_init(&a, mtx_plain));
	MUST(mtx_init(&b, mtx_plain));
	return run_apart(part, 2);
}
