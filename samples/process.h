/* SPDX-License-Identifier: MIT */
/*
 * process.h - what samples of several processes share: memory, steps in it, and children that are waited for.
 *
 * The steps of sample.h work in shared memory as they are.
 */
#ifndef THRUM_SAMPLES_PROCESS_H
#define THRUM_SAMPLES_PROCESS_H

#include "sample.h"

#include <sys/mman.h>
#include <sys/wait.h>

/* Zeroed memory that children share. */
static inline void *share(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		perror("mmap");
		_exit(3);
	}
	return p;
}

/* A nameless file of `bytes` zeros, to be mapped where one likes. */
static inline int shared_file(size_t bytes)
{
	char path[] = "/tmp/sample-XXXXXX";
	int fd = mkstemp(path);

	if (fd < 0 || unlink(path) || ftruncate(fd, (off_t)bytes)) {
		perror("mkstemp");
		_exit(3);
	}
	return fd;
}

/* Runs `body` in a child, which ends with its result. */
static inline pid_t start_child(int (*body)(void))
{
	pid_t pid = fork();

	if (pid < 0) {
		perror("fork");
		_exit(3);
	}
	if (pid == 0)
		_exit(body());
	return pid;
}

/* The child must end with status 0. */
static inline void finish_child(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || status != 0) {
		fprintf(stderr, "child: status %#x\n", (unsigned)status);
		_exit(3);
	}
}

static inline void shared_mutex(pthread_mutex_t *m)
{
	pthread_mutexattr_t attr;

	MUST(pthread_mutexattr_init(&attr));
	MUST(pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED));
	MUST(pthread_mutex_init(m, &attr));
}

#endif
