/* SPDX-License-Identifier: MIT */
/* SHOWS as race_kept_apart, with traps in the text: handlers, forks and threads that come and go change nothing */
/* NEVER data-race */
/* ALLOW lock-contention|hold-time */
/* RUN once full limit=120 options=--races=deep clean */
/* BUILD needs=watchpoints flags=-O2 */
#define main race_kept_apart_main
#include "race_kept_apart.c"
#undef main

#include <sys/wait.h>

int main(void)
{
	pid_t pid;
	int status;

	race_kept_apart_main();
	pid = fork();
	if (!pid)
		return race_kept_apart_main();
	MUST(waitpid(pid, &status, 0) != pid);
	return status != 0 || race_kept_apart_main();
}
