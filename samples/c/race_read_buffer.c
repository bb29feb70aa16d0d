/* SPDX-License-Identifier: MIT */
/* SHOWS the kernel fills a buffer for one thread, in read(), while another one parses it: no instruction of the program writes there */
/* EXPECT data-race confidence=observed level=error threads=2 threadnames=worker,worker locks=message stacks=parse,fill occurs=1..1000000 says=made+in+parts */
/* RUN once full limit=120 options=--races=auto */
/* BUILD needs=watchpoints flags=-O2 */
#include "race.h"

#ifndef READ
#define READ read
#endif

static unsigned char message[256];
static int source;

static NOINLINE void fill(void)
{
	if (READ(source, message, sizeof(message)) != sizeof(message))
		abort();
}

static NOINLINE void parse(void)
{
	for (size_t i = 0; i < sizeof(message); i++)
		if (message[i])
			abort();
}

static NOINLINE void use(long n)
{
	(void)n;
	if (race_is_first())
		parse();
	else
		fill();
}

int main(void)
{
	source = open("/dev/zero", O_RDONLY);
	race_run(use, 4000);
	return 0;
}
