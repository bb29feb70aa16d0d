/* SPDX-License-Identifier: MIT */
/*
 * starts_programs.c - every way to start a program, from main and from a thread with a small stack, with the
 * environment as it is, changed, and empty: what the program sees, and what comes back, is the same as natively.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* The program that is started: its words and its environment, without what a recorder needs. */
static int show(int argc, char **argv)
{
	printf("  words");
	for (int i = 0; i < argc; i++) {
		printf(" <%s>", argv[i]);
	}
	printf("; environment");
	for (char **e = environ; *e; e++) {
		if (strncmp(*e, "LD_PRELOAD=", 11) != 0 && strncmp(*e, "THRUM_OPTIONS=", 14) != 0) {
			printf(" <%.20s>", *e);
		}
	}
	printf("\n");
	return 7;
}

static char path[PATH_MAX];
static char *words[] = { (char *)"program", (char *)"show", (char *)"x y", NULL };
static char *one[] = { (char *)"ONE=1", NULL };
static char *nothing[] = { NULL };

enum { WAYS = 16 };
static void start(int way)
{
	switch (way) {
	case 0:
		execv(path, words);
		break;
	case 1:
		execve(path, words, environ);
		break;
	case 2:
		execve(path, words, one);
		break;
	case 3:
		execve(path, words, nothing);
		break;
	case 4:
		execvp(path, words);
		break;
	case 5:
		execvpe(path, words, one);
		break;
	case 6:
		execl(path, "program", "show", "a", "b", "c", "d", "e", "f", (char *)NULL);
		break;
	case 7:
		execlp(path, "program", "show", (char *)NULL);
		break;
	case 8:
		execle(path, "program", "show", "a", "b", "c", "d", "e", (char *)NULL, one);
		break;
	case 9:
		fexecve(open(path, O_RDONLY), words, one);
		break;
	case 10:
		environ = nothing;
		execv(path, words);
		break;
	case 11:
		environ = NULL;
		execl(path, "program", "show", (char *)NULL);
		break;
	case 12:
		clearenv();
		setenv("TWO", "2", 1);
		execvp(path, words);
		break;
	case 13:
		execve("/nowhere", words, nothing);
		break;
	case 14:
		execvp("no-such-program-anywhere", words);
		break;
	case 15:
		execve((const char *)(uintptr_t)strtoul("8", NULL, 10), words, environ);
		break;
	}
	_exit(100 + errno % 100);
}

static void report(const char *how, int way, pid_t pid)
{
	int status = -1;

	waitpid(pid, &status, 0);
	printf("%s %d: %x\n", how, way, status);
	fflush(stdout);
}

static void *all(void *p)
{
	for (int way = 0; way < WAYS; way++) {
		pid_t pid = fork();

		if (pid == 0) {
			start(way);
		}
		report("fork", way, pid);
	}
	for (int way = 0; way < 10; way++) { /* the others change what is the parent's */
		pid_t pid = vfork();

		if (pid == 0) {
			start(way);
		}
		report("vfork", way, pid);
	}
	for (int way = 0; way < 4; way++) {
		char **e = way == 0 ? environ : way == 1 ? one : nothing;
		pid_t pid = -1;
		int rc = posix_spawn(&pid, way == 3 ? "/nowhere" : path, NULL, NULL, words, e);

		printf("spawn %d\n", rc);
		if (rc == 0) {
			report("spawn", way, pid);
		}
	}
	return p;
}

int main(int argc, char **argv)
{
	pthread_attr_t small;
	pthread_t t;

	if (argc > 1) {
		return show(argc, argv);
	}
	clearenv();
	setenv("ZERO", "0", 1);
	if (readlink("/proc/self/exe", path, sizeof(path) - 1) < 0) {
		return 1;
	}
	all(NULL);
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, PTHREAD_STACK_MIN + 16384);
	pthread_create(&t, &small, all, NULL);
	pthread_join(t, NULL);
	return 0;
}
