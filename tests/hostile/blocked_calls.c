/* SPDX-License-Identifier: MIT */
/*
 * blocked_calls.c - blocking calls, file locks and descriptors in bad company: signals that interrupt, longjmp out,
 * fork, cancel; children of vfork that move descriptors; errno and results of calls that fail.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int ends[2], handled;
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static sigjmp_buf back;
static pid_t forked;

static void alarm_in_ms(long ms, bool again)
{
	struct itimerval t = { { 0, again ? ms * 1000 : 0 }, { 0, ms * 1000 } };

	setitimer(ITIMER_REAL, &t, NULL);
}

static void handle(void (*handler)(int), int flags)
{
	struct sigaction a = { .sa_handler = handler, .sa_flags = flags };

	sigaction(SIGALRM, &a, NULL);
}

/* ---- results and errno ---- */

static void show(const char *what, long rc)
{
	printf("%s: %ld %s\n", what, rc, rc < 0 ? strerrorname_np(errno) : "");
}

static void failures(void)
{
	struct flock l = { .l_type = 77 };
	struct sembuf op = { 0, -1, 0 };
	char c;

	errno = 0;
	show("read", read(-1, &c, 1));
	show("write", write(12345, &c, 1));
	show("recv", recv(ends[0], &c, 1, 0));
	show("close", close(-1));
	show("close", close(70000));
	show("dup2", dup2(-1, 60));
	show("dup3", dup3(1, 1, 0));
	show("flock", flock(ends[0] + 500, LOCK_EX));
	show("flock", flock(1, 99));
	show("fcntl", fcntl(-1, F_SETLKW, &l));
	show("fcntl", fcntl(1, F_SETLK, &l));
	show("fcntl", fcntl(1, F_SETLK, (void *)8));
	show("lockf", lockf(-1, F_LOCK, 1));
	show("semop", semop(-1, &op, 1));
	show("semop", semop(-1, NULL, 0));
	show("poll", poll(NULL, 0, 0));
	show("pclose", pclose(popen("exit 7", "r")));
	show("system", system("exit 9"));
	show("sleep", (long)sleep(0));
	errno = 77;
	close(dup(1));
	usleep(1);
	printf("errno %d\n", errno);
}

/* ---- interrupted ---- */

static void note(int n)
{
	(void)n;
	handled++;
}

static void interrupted(void)
{
	struct timespec hour = { 3600, 0 };
	struct timeval long_time = { 3600, 0 };
	char c;

	handle(note, 0); /* no SA_RESTART */
	alarm_in_ms(20, true);
	show("read", read(ends[0], &c, 1));
	show("poll", poll(NULL, 0, -1));
	show("select", select(0, NULL, NULL, NULL, &long_time));
	show("nanosleep", nanosleep(&hour, NULL));
	show("clock_nanosleep", clock_nanosleep(CLOCK_MONOTONIC, 0, &hour, NULL));
	show("sleep", sleep(3600) > 3590);
	show("pause", pause());
	alarm_in_ms(0, false);
}

/* ---- left by longjmp, again and again; each time locks are used afterwards ---- */

static void jump(int n)
{
	(void)n;
	siglongjmp(back, 1);
}

static void jumped_out_of(void)
{
	static int rounds;
	char c;

	rounds = 0;
	if (sigsetjmp(back, 1))
		rounds++;
	pthread_mutex_lock(&m);
	pthread_mutex_unlock(&m);
	if (rounds < 10) {
		handle(jump, 0);
		alarm_in_ms(5, false);
		if (read(ends[0], &c, 1) != 1)
			abort();
	}
	printf("jumped out %d times\n", rounds);
}

/* ---- fork in the handler: both go on from the interrupted call ---- */

static void fork_once(int n)
{
	(void)n;
	if (!handled++)
		forked = fork();
}

static void forks_in(const char *what, int (*wait)(void))
{
	int status;

	handled = 0;
	handle(fork_once, 0);
	alarm_in_ms(20, false);
	show(what, wait());
	for (int i = 0; i < 3; i++) {
		pthread_mutex_lock(&m);
		usleep(1);
		pthread_mutex_unlock(&m);
	}
	if (forked == 0)
		_exit(5);
	waitpid(forked, &status, 0);
	printf("child: %d\n", WEXITSTATUS(status));
}

static int in_read(void)
{
	char c;

	return (int)read(ends[0], &c, 1);
}
static int in_read_with_lock(void)
{
	int rc;

	pthread_mutex_lock(&m);
	rc = in_read();
	pthread_mutex_unlock(&m);
	return rc;
}
static int in_pause(void)
{
	return pause();
}
static int in_flock(void)
{
	char path[] = "/tmp/hostile-XXXXXX";
	int fd = mkstemp(path), other = open(path, O_RDWR), rc;

	unlink(path);
	flock(other, LOCK_EX);
	rc = flock(fd, LOCK_EX);
	close(fd);
	close(other);
	return rc;
}
static int in_semop(void)
{
	int set = semget(IPC_PRIVATE, 1, 0600), rc;
	struct sembuf op = { 0, -1, 0 };

	rc = semop(set, &op, 1);
	if (forked) {
		semctl(set, 0, IPC_RMID);
	}
	return rc;
}

/* ---- cancelled ---- */

static void take_lock(void *p)
{
	char c;

	(void)p;
	pthread_mutex_lock(&m);
	if (read(open("/dev/zero", O_RDONLY), &c, 1) != 1)
		abort();
	pthread_mutex_unlock(&m);
}

static void give_lock(void *p)
{
	pthread_mutex_unlock(p);
}

static void *cancelled(void *p)
{
	char c;

	pthread_cleanup_push(take_lock, NULL);
	if (*(int *)p)
		pthread_mutex_lock(&m);
	if (*(int *)p) {
		pthread_cleanup_push(give_lock, &m);
		while (read(ends[0], &c, 1) >= 0) {
		}
		pthread_cleanup_pop(1);
	} else {
		poll(NULL, 0, -1);
	}
	pthread_cleanup_pop(1);
	return NULL;
}

static void cancels(void)
{
	int with_lock;
	pthread_t t;
	void *r;

	for (int i = 0; i < 20; i++) {
		with_lock = i % 2;
		pthread_create(&t, NULL, cancelled, &with_lock);
		if (i % 3)
			usleep(2000);
		pthread_cancel(t);
		pthread_join(t, &r);
		if (r != PTHREAD_CANCELED)
			abort();
	}
	printf("cancelled\n");
}

/* ---- children of vfork have descriptors of their own ---- */

static void vforks(void)
{
	int f[2], status;
	char c = 'x';
	pid_t pid;

	if (pipe(f) || write(f[1], &c, 1) != 1)
		abort();
	pid = vfork();
	if (pid == 0) {
		dup2(f[1], 1);
		close(f[0]);
		close(f[1]);
		if (write(1, "y", 1) != 1)
			_exit(1);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	if (read(f[0], &c, 1) != 1 || read(f[0], &c, 1) != 1)
		abort();
	close(f[1]);
	printf("from the child: %c, then %ld\n", c, (long)read(f[0], &c, 1));
	close(f[0]);
}

/* ---- everything closed, as daemons do; then work goes on ---- */

static void closes_all(void)
{
	int out = dup(1), f[2], status;
	pid_t pid = fork();

	if (pid == 0) {
		for (int fd = 3; fd < 4096; fd++)
			if (fd != out)
				close(fd);
		if (pipe(f) || write(f[1], "z", 1) != 1 || f[0] != 3 + (out == 3))
			_exit(1);
		pthread_mutex_lock(&m);
		pthread_mutex_unlock(&m);
		dprintf(out, "after closing all\n");
		_exit(0);
	}
	waitpid(pid, &status, 0);
	printf("%#x\n", (unsigned)status);
	close(out);
}

/* ---- many at once, on tiny stacks ---- */

static void *opens_and_closes(void *p)
{
	char path[] = "/tmp/hostile-XXXXXX";
	int file = mkstemp(path), f[2];
	char c = 0;

	unlink(path);
	for (int i = 0; i < 300; i++) {
		int other;

		if (pipe(f) || write(f[1], &c, 1) != 1 || read(f[0], &c, 1) != 1)
			abort();
		other = dup(f[0]);
		close(f[0]);
		flock(file, i % 2 ? LOCK_EX : LOCK_SH);
		lockf(file, F_LOCK, i % 7);
		close(f[1]);
		if (read(other, &c, 1) != 0)
			abort();
		close(other);
	}
	close(file);
	return p;
}

static void many(void)
{
	pthread_attr_t attr;
	pthread_t t[8];

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, (size_t)sysconf(_SC_THREAD_STACK_MIN));
	for (int i = 0; i < 8; i++)
		pthread_create(&t[i], &attr, opens_and_closes, NULL);
	for (int i = 0; i < 8; i++)
		pthread_join(t[i], NULL);
	printf("many\n");
}

int main(void)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	if (pipe(ends))
		return 3;
	failures();
	interrupted();
	jumped_out_of();
	forks_in("read", in_read);
	forks_in("read with a lock", in_read_with_lock);
	forks_in("pause", in_pause);
	forks_in("flock", in_flock);
	forks_in("semop", in_semop);
	cancels();
	vforks();
	closes_all();
	many();
	return 0;
}
