/* SPDX-License-Identifier: MIT */
/* odd_stacks.c - the smallest thread stacks, deep recursion, contexts of their own stacks that are freed and made again, a
 * realigned frame, and a vfork and posix_spawn child. */
#include <alloca.h>
#include <limits.h>
#include <pthread.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

extern char **environ;
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static int total;

static __attribute__((noinline)) void take(void)
{
	pthread_mutex_lock(&m);
	total++;
	pthread_mutex_unlock(&m);
}
static __attribute__((noinline)) int deep(int n)
{
	volatile char *room = alloca(16 + n % 7 * 8);

	room[0] = 1;
	take();
	return n ? deep(n - 1) + room[0] : 0;
}
static __attribute__((noinline)) void aligned(int n)
{
	volatile char big[64] __attribute__((aligned(64)));
	volatile char *more = alloca(32 + n);

	more[0] = (char)n;
	big[0] = more[0];
	total += big[0] != more[0];
	take();
}
static void *small(void *p)
{
	take();
	return p;
}
static ucontext_t main_context, other;
static void fiber(void)
{
	for (int i = 0; i < 10; i++) {
		take();
		swapcontext(&other, &main_context);
	}
}
static void fibers(void)
{
	for (volatile int round = 0; round < 50; round++) {
		size_t bytes = 16384 << round % 3;
		void *stack = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				   -1, 0);

		getcontext(&other);
		other.uc_stack.ss_sp = stack;
		other.uc_stack.ss_size = bytes;
		other.uc_link = &main_context;
		makecontext(&other, fiber, 0);
		for (int i = 0; i < 10; i++) {
			swapcontext(&main_context, &other);
		}
		munmap(stack, bytes);
	}
}
static int children(void)
{
	char *const argv[] = { "true", NULL };
	volatile int good = 0;
	int status;
	pid_t pid;

	for (int i = 0; i < 10; i++) {
		pid = vfork();
		if (pid == 0) {
			execvp("true", argv);
			_exit(1);
		}
		good += waitpid(pid, &status, 0) == pid && status == 0;
		good += posix_spawnp(&pid, "true", NULL, NULL, argv, environ) == 0 &&
			waitpid(pid, &status, 0) == pid && status == 0;
	}
	return good;
}

int main(void)
{
	pthread_attr_t a;
	pthread_t t;
	int depth;

	pthread_attr_init(&a);
	pthread_attr_setstacksize(&a, PTHREAD_STACK_MIN + 4096);
	for (int i = 0; i < 100; i++) {
		if (pthread_create(&t, &a, small, NULL) || pthread_join(t, NULL)) {
			return 1;
		}
	}
	depth = deep(3000);
	for (int i = 0; i < 100; i++) {
		aligned(i);
	}
	fibers();
	printf("%d %d %d\n", total, depth, children());
	return 0;
}
