/* SPDX-License-Identifier: MIT */
/*
 * confined.c - seccomp filters that know nothing of a recorder's system calls, installed in three ways, and strict mode:
 * before, the program locks; after, it locks, makes threads, forks and starts a program, and lives.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

static int forbid_pwrite(unsigned action, int way)
{
	struct sock_filter steps[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pwrite64, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { sizeof(steps) / sizeof(steps[0]), steps };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (way == 0) {
		return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
	}
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			    way == 2 ? SECCOMP_FILTER_FLAG_TSYNC : 0, &filter);
}

static void *lock_often(void *p)
{
	for (int i = 0; i < 100000; i++) {
		pthread_mutex_lock(&m);
		pthread_mutex_unlock(&m);
	}
	return p;
}

static int ended(pid_t pid)
{
	int status = -1;

	waitpid(pid, &status, 0);
	return status;
}

static void filtered(unsigned action, int way)
{
	pthread_t t;
	pid_t pid;

	lock_often(NULL);
	if (forbid_pwrite(action, way)) {
		_exit(77);
	}
	lock_often(NULL);
	pthread_create(&t, NULL, lock_often, NULL);
	pthread_join(t, NULL);
	pid = fork();
	if (pid == 0) {
		lock_often(NULL);
		_exit(0);
	}
	if (ended(pid)) {
		_exit(8);
	}
	pid = fork();
	if (pid == 0) {
		execl("/bin/true", "true", (char *)NULL);
		_exit(9);
	}
	_exit(ended(pid) ? 7 : 5);
}

static void strict(void)
{
	lock_often(NULL);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT)) {
		syscall(SYS_exit, 77);
	}
	lock_often(NULL);
	syscall(SYS_exit, 5);
}

int main(void)
{
	static const unsigned actions[] = { SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_TRAP,
					    SECCOMP_RET_ERRNO | 1 };

	for (int i = 0; i < 10; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			if (i < 9) {
				filtered(actions[i % 3], i / 3);
			}
			strict();
		}
		printf("%d: %x\n", i, ended(pid));
		fflush(stdout);
	}
	return 0;
}
