/* SPDX-License-Identifier: MIT */
/* SHOWS two threads copy to and from one block with memcpy, whose instructions are libc's: what is chosen is the call */
/* EXPECT data-race confidence=observed level=error threads=2 threadnames=worker,worker locks=block stacks=load,store occurs=1..1000000 says=made+in+parts */
/* RUN once full limit=120 options=--races=auto */
/* BUILD needs=watchpoints flags=-O2 */
#include "race.h"

static char block[512];
static volatile size_t bytes = sizeof(block); /* not known: no instructions in its place */

/* Behind a call: the caller stays on the stack meanwhile. */
static inline void stay(void)
{
	__asm__ volatile("" ::: "memory");
}

static NOINLINE void store(const char *from)
{
	memcpy(block, from, bytes);
	stay();
}

static NOINLINE void load(char *to)
{
	memcpy(to, block, bytes);
	stay();
}

static NOINLINE void use(long n)
{
	char own[sizeof(block)];

	if (race_is_first()) {
		load(own);
	} else {
		memset(own, (int)n, bytes);
		store(own);
	}
}

int main(void)
{
	race_run(use, 4000);
	return 0;
}
