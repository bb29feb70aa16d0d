/* SPDX-License-Identifier: MIT */
/* SHOWS a once initialiser that enters its own once */
/* EXPECT self-deadlock confidence=observed stacks=initialise,get_table threads=1 */
/* RUN timeout=2 kill=1 */
#include "../sample.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void initialise(void);

static NOINLINE void get_table(void)
{
	pthread_once(&once, initialise);
	__asm__ volatile("");
}

static NOINLINE void initialise(void)
{
	get_table();
	__asm__ volatile("");
}

int main(void)
{
	get_table();
	return 0;
}
