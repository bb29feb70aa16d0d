/* SPDX-License-Identifier: MIT */
/* SCENARIO S64d: SIGKILL while threads run, wait and are finished: their states, no leaks */
/* NEVER leaked-thread deadlock stuck-wait */
/* ALLOW lock-held-at-exit level=note */
/* RUN clean exit=137 */
#include "s64d_ends.h"

int main(void)
{
	make_threads();
	kill(getpid(), SIGKILL);
	return 3;
}
