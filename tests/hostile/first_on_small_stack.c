/* SPDX-License-Identifier: MIT */
/* first_on_small_stack.c - the first pthread_exit, cancel, dlopen, lock or post of a process, each on the smallest stack that
 * works without a recorder: what a recorder does once in a process must not need more room than that. */
#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

enum { FIBER_STACK = 8192, HANDLER_STACK = 8192 }; /* the second is the SIGSTKSZ of old headers */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static sem_t sem;
static const char *plugin;

static void take(void)
{
	pthread_mutex_lock(&mutex);
	pthread_mutex_unlock(&mutex);
}

static void *exits(void *p)
{
	pthread_exit(p);
}
static void *exits_after_lock(void *p)
{
	take();
	pthread_exit(p);
}
static void *waits(void *p)
{
	sem_wait(&sem);
	return p;
}
static void *loads(void *p)
{
	void *library = dlopen(plugin, RTLD_NOW);

	take();
	if (library) {
		dlclose(library);
	}
	take();
	return library ? p : NULL;
}

/* 0 = the thread came back as it should. */
static int run_small(void *(*routine)(void *), int cancel)
{
	pthread_attr_t attr;
	pthread_t thread;
	void *result = NULL;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, (size_t)sysconf(_SC_THREAD_STACK_MIN));
	if (pthread_create(&thread, &attr, routine, &mutex)) {
		return 2;
	}
	if (cancel) {
		pthread_cancel(thread);
	}
	if (pthread_join(thread, &result)) {
		return 3;
	}
	return result == (cancel ? PTHREAD_CANCELED : (void *)&mutex) ? 0 : 4;
}

/* Memory with a page above and below that must not be touched. */
static char *guarded(size_t bytes)
{
	char *p = mmap(NULL, bytes + 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || mprotect(p + 4096, bytes, PROT_READ | PROT_WRITE)) {
		_exit(9);
	}
	return p + 4096;
}

static ucontext_t back, fiber;
static void fiber_main(void)
{
	take();
}
static int on_fiber(void)
{
	getcontext(&fiber);
	fiber.uc_stack.ss_sp = guarded(FIBER_STACK);
	fiber.uc_stack.ss_size = FIBER_STACK;
	fiber.uc_link = &back;
	makecontext(&fiber, fiber_main, 0);
	return swapcontext(&back, &fiber) ? 5 : 0;
}

static void post(int signal)
{
	(void)signal;
	sem_post(&sem);
}
static int in_handler(void)
{
	stack_t stack = { .ss_sp = guarded(HANDLER_STACK), .ss_size = HANDLER_STACK };
	struct sigaction action = { .sa_handler = post, .sa_flags = SA_ONSTACK };
	int value = 0;

	sigaltstack(&stack, NULL);
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	sem_getvalue(&sem, &value);
	return value == 1 ? 0 : 6;
}

static int exit_first(void)
{
	return run_small(exits, 0);
}
static int lock_and_exit(void)
{
	return run_small(exits_after_lock, 0);
}
static int cancelled(void)
{
	return run_small(waits, 1);
}
static int load(void)
{
	return run_small(loads, 0);
}

static const struct scene {
	const char *name;
	int (*run)(void);
} scenes[] = {
	{ "pthread_exit", exit_first },	 { "lock, pthread_exit", lock_and_exit },
	{ "cancelled", cancelled },	 { "dlopen, dlclose", load },
	{ "lock on a fiber", on_fiber }, { "post in a handler", in_handler },
};

/* Each scene in a process of its own, that has done nothing else: with and without a new image. */
int main(int argc, char **argv)
{
	int failed = 0;

	plugin = argc > 1 ? argv[1] : "";
	sem_init(&sem, 0, 0);
	if (argc > 2) {
		return scenes[atoi(argv[2])].run();
	}
	for (unsigned i = 0; i < 2 * sizeof(scenes) / sizeof(scenes[0]); i++) {
		char number[12];
		int status = 0;
		pid_t child;

		snprintf(number, sizeof(number), "%u", i / 2);
		child = fork();
		if (!child && i % 2) {
			execl("/proc/self/exe", argv[0], plugin, number, (char *)NULL);
			_exit(8);
		}
		if (!child) {
			_exit(scenes[i / 2].run());
		}
		waitpid(child, &status, 0);
		printf("%s%s: %s %d\n", scenes[i / 2].name, i % 2 ? ", new image" : "",
		       WIFSIGNALED(status) ? "killed by" : "status",
		       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
		failed |= status != 0;
	}
	return failed;
}
