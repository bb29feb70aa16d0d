/* SPDX-License-Identifier: MIT */
/* leaves_child - ends at once; its child says "child PID" and lives until standard input ends, then says "child done". */
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	char byte;

	if (fork())
		return 0;
	printf("child %d\n", getpid());
	fflush(stdout);
	while (read(0, &byte, 1) > 0)
		;
	puts("child done");
	return 0;
}
