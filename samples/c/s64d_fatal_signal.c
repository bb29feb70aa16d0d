/* SPDX-License-Identifier: MIT */
/* SCENARIO S64d: a fatal signal while threads run, wait and are finished: their states, no leaks */
/* NEVER leaked-thread deadlock stuck-wait */
/* ALLOW lock-held-at-exit level=note */
/* RUN clean exit=134 */
#include "s64d_ends.h"

#include <sys/resource.h>

int main(void)
{
	struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	make_threads();
	abort();
}
