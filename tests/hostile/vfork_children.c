/* SPDX-License-Identifier: MIT */
/*
 * vfork_children.c - four threads make vfork children at once: they lock and free, vfork again, exec, fail to exec, end;
 * a fifth thread locks meanwhile. Prints the failures: 0.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static int bad, stop;

static void check(pid_t pid, int expected)
{
	int status = -1;

	if (waitpid(pid, &status, 0) != pid || status != expected) {
		__atomic_add_fetch(&bad, 1, __ATOMIC_SEQ_CST);
	}
}

static __attribute__((noinline)) int deep(int n)
{
	volatile char room[512] = { (char)n };

	return n ? deep(n - 1) + room[0] : (int)getppid() > 0;
}

static void *children(void *p)
{
	char *const words[] = { (char *)"true", NULL }, *const nothing[] = { NULL };
	pthread_mutex_t own = PTHREAD_MUTEX_INITIALIZER;

	for (int i = 0; i < 25; i++) {
		pid_t pid;

		pthread_mutex_lock(&own);
		pid = vfork();
		if (pid == 0) {
			pthread_mutex_unlock(&own);
			pthread_mutex_lock(&own);
			free(malloc(100));
			_exit(deep(20) ? 5 : 1);
		}
		pthread_mutex_unlock(&own);
		check(pid, 5 << 8);
		pid = vfork();
		if (pid == 0) {
			pid_t inner = vfork();

			if (inner == 0) {
				execve("/bin/true", words, nothing);
				_exit(9);
			}
			_exit(waitpid(inner, NULL, 0) == inner ? 6 : 1);
		}
		check(pid, 6 << 8);
		pid = vfork();
		if (pid == 0) {
			execve("/nowhere", words, nothing);
			_exit(7);
		}
		check(pid, 7 << 8);
	}
	return p;
}

static void *lock(void *p)
{
	while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
		pthread_mutex_lock(&m);
		pthread_mutex_unlock(&m);
	}
	return p;
}

int main(void)
{
	pthread_t t[4], busy;

	pthread_create(&busy, NULL, lock, NULL);
	for (int i = 0; i < 4; i++) {
		pthread_create(&t[i], NULL, children, NULL);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], NULL);
	}
	__atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
	pthread_join(busy, NULL);
	printf("%d\n", bad);
	return bad != 0;
}
