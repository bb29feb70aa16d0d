/* SPDX-License-Identifier: MIT */
/* SHOWS a monitor that only looks at its descriptors, and rests by sleeping: that holds up nobody */
/* NEVER loop-stall */
/* NEVER blocking-call-in-loop */
/* RUN clean */
#include "own_loop.h"

int main(void)
{
	int p[2];

	MUST(pipe(p));
	for (int i = 0; i < 40; i++) {
		struct pollfd look = { p[0], POLLIN, 0 };

		MUST(poll(&look, 1, 0));
		sleep_ms(i < 36 ? 2 : 150);
	}
	return 0;
}
