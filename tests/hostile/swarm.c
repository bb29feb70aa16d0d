/* SPDX-License-Identifier: MIT */
/*
 * swarm.c - many short processes of many threads each, and each process in a trouble of its own: signals, cancels, libraries
 * that come and go, the smallest stacks, a table of 16 descriptors, every descriptor closed, forks of forks, a new image,
 * an end by SIGKILL. Prints one line a process, in the order of their numbers: the work they did, which no recorder may change.
 *
 * usage: swarm [PROCESSES [THREADS [PLUGIN]]]
 */
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 25, MOST_PROCESSES = 100000, MOST_THREADS = 256, ALIVE = 8 };

struct result {
	_Atomic int work; /* rounds done by the threads of this process */
	_Atomic int extra;
	int status;
};

static struct result *results; /* shared by all processes */
static int processes = 40, threads = 16;
static const char *plugin;
static char number_text[16];
static char **arguments;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t other = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;
static sem_t never, posted;
static volatile int count;
static struct result *mine;

/* The work of one thread: its sum is the same however the threads are scheduled. */
static void work(void)
{
	for (int i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&mutex);
		pthread_rwlock_rdlock(&table);
		count++;
		pthread_cond_signal(&changed);
		pthread_rwlock_unlock(&table);
		pthread_mutex_unlock(&mutex);
	}
	sem_post(&posted);
}

static void *worker(void *p)
{
	work();
	return p;
}

static void start_and_join(void *(*routine)(void *), size_t stack)
{
	pthread_t ids[MOST_THREADS];
	pthread_attr_t attr;
	int made = 0;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, stack);
	for (; made < threads; made++) {
		if (pthread_create(&ids[made], &attr, routine, NULL)) {
			break;
		}
	}
	for (int i = 0; i < made; i++) {
		pthread_join(ids[i], NULL);
	}
	mine->extra += made;
}

static void work_with_threads(void)
{
	start_and_join(worker, 65536);
}

/* ---- the troubles ---- */

static void on_signal(int signal)
{
	int saved = errno;

	(void)signal;
	sem_post(&posted);
	if (!pthread_mutex_trylock(&other)) {
		pthread_mutex_unlock(&other);
	}
	errno = saved;
}
static void under_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	struct itimerval often = { { 0, 500 }, { 0, 500 } }, off = { 0 };

	sigaction(SIGPROF, &action, NULL);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_PROF, &often, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	work_with_threads();
	setitimer(ITIMER_PROF, &off, NULL);
	setitimer(ITIMER_REAL, &off, NULL);
}

static void *waits_to_be_cancelled(void *p)
{
	work();
	sem_wait(&never);
	return p;
}
static void with_cancels(void)
{
	pthread_t ids[MOST_THREADS];
	int cancelled = 0;

	for (int i = 0; i < threads; i++) {
		pthread_create(&ids[i], NULL, waits_to_be_cancelled, NULL);
	}
	for (int i = 0; i < threads; i++) {
		while (sem_wait(&posted)) {
		}
	}
	for (int i = 0; i < threads; i++) {
		void *result = NULL;

		pthread_cancel(ids[i]);
		pthread_join(ids[i], &result);
		cancelled += result == PTHREAD_CANCELED;
	}
	mine->extra += cancelled;
}

static void *loads(void *p)
{
	void *library = plugin ? dlopen(plugin, RTLD_NOW) : NULL;
	int (*run)(void) = library ? (int (*)(void))(uintptr_t)dlsym(library, "plugin_run") : NULL;

	if (run) {
		run();
	}
	work();
	if (library) {
		dlclose(library);
	}
	return p;
}
static void with_libraries(void)
{
	start_and_join(loads, 65536);
}

static void *exits(void *p)
{
	work();
	pthread_exit(p);
}
static void on_small_stacks(void)
{
	start_and_join(exits, (size_t)sysconf(_SC_THREAD_STACK_MIN));
}

static void with_16_descriptors(void)
{
	struct rlimit limit = { 16, 16 };
	int taken[64], n = 0;

	setrlimit(RLIMIT_NOFILE, &limit);
	while (n < 64 && (taken[n] = dup(0)) >= 0) {
		n++;
	}
	work_with_threads();
	while (n > 0) {
		close(taken[--n]);
	}
}

static void without_descriptors(void)
{
	for (int i = 0; i < 1024; i++) {
		close(i);
	}
	work_with_threads();
}

static void with_children(void)
{
	work_with_threads();
	for (int i = 0; i < 3; i++) {
		pid_t child = fork();

		if (!child) {
			work();
			child = fork();
			if (!child) {
				work();
				_exit(0);
			}
			waitpid(child, NULL, 0);
			_exit(0);
		}
		waitpid(child, NULL, 0);
	}
}

static void in_a_new_image(void)
{
	work();
	arguments[1] = number_text;
	execv("/proc/self/exe", arguments);
}

static void killed(void)
{
	work_with_threads();
	mine->work = count;
	raise(SIGKILL);
}

static const struct trouble {
	const char *name;
	void (*run)(void);
} troubles[] = {
	{ "none", work_with_threads },
	{ "signals", under_signals },
	{ "cancels", with_cancels },
	{ "libraries", with_libraries },
	{ "small stacks", on_small_stacks },
	{ "16 descriptors", with_16_descriptors },
	{ "no descriptors", without_descriptors },
	{ "children", with_children },
	{ "new image", in_a_new_image },
	{ "killed", killed },
};
enum { TROUBLES = sizeof(troubles) / sizeof(troubles[0]) };

/* ---- the swarm ---- */

static void be(int number)
{
	mine = &results[number];
	snprintf(number_text, sizeof(number_text), "=%d", number);
	troubles[number % TROUBLES].run();
	mine->work = count;
	_exit(number % 7);
}

static void reap(pid_t *pids)
{
	int status;
	pid_t pid = wait(&status);

	for (int i = 0; i < processes; i++) {
		if (pids[i] == pid) {
			results[i].status = status;
			pids[i] = 0;
		}
	}
}

/* Descriptor 3 holds the results, also after exec. */
static bool map_results(bool create)
{
	int fd = create ? memfd_create("results", 0) : 3;

	if (create && (dup2(fd, 3) != 3 || ftruncate(3, MOST_PROCESSES * sizeof(*results)))) {
		return false;
	}
	results = mmap(NULL, MOST_PROCESSES * sizeof(*results), PROT_READ | PROT_WRITE, MAP_SHARED,
		       3, 0);
	return results != MAP_FAILED;
}

int main(int argc, char **argv)
{
	static pid_t pids[MOST_PROCESSES];
	int alive = 0;
	bool again = argc > 1 && argv[1][0] == '=';

	arguments = argv;
	sem_init(&never, 0, 0);
	sem_init(&posted, 0, 0);
	threads = argc > 2 ? atoi(argv[2]) : threads;
	plugin = argc > 3 ? argv[3] : NULL;
	if (threads > MOST_THREADS || !map_results(!again)) {
		return 2;
	}
	if (again) {
		mine = &results[atoi(argv[1] + 1)];
		work_with_threads();
		mine->work = count;
		_exit(0);
	}
	processes = argc > 1 ? atoi(argv[1]) : processes;
	if (processes > MOST_PROCESSES) {
		return 2;
	}
	for (int i = 0; i < processes; i++) {
		for (; alive >= ALIVE; alive--) {
			reap(pids);
		}
		pids[i] = fork();
		if (!pids[i]) {
			be(i);
		}
		alive += pids[i] > 0;
	}
	for (; alive > 0; alive--) {
		reap(pids);
	}
	for (int i = 0; i < processes; i++) {
		printf("%d %s: %d rounds, %d threads, status %d\n", i, troubles[i % TROUBLES].name,
		       results[i].work, results[i].extra, results[i].status);
	}
	return 0;
}
