/* SPDX-License-Identifier: MIT */
/*
 * static_sleeper - says its number and sleeps. Linked statically: no recorder can be in it.
 */
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	printf("%d\n", (int)getpid());
	fflush(stdout);
	sleep(1000);
	return 0;
}
