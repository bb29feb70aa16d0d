/* SPDX-License-Identifier: MIT */
/*
 * bells_come_and_go.c - threads make, write to, read, duplicate, close, register and wait for each other's eventfds, timers, pipes
 * and pairs in any order, a signal handler writes to them, more of them live than the recorder follows, and children go on.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 4, ROUNDS = 20000, SLOTS = 48, QUEUES = 4, CROWD = 700, CHILDREN = 3 };

static int slot[SLOTS], queue[QUEUES];
static volatile sig_atomic_t handled;

static unsigned roll(unsigned *seed, unsigned n)
{
	*seed = *seed * 1103515245u + 12345u;
	return (*seed >> 16) % n;
}

/* Numbers race on purpose: another thread may have closed it, and made something else of it. */
static void replace(unsigned at, int fd)
{
	int old = __atomic_exchange_n(&slot[at], fd, __ATOMIC_RELAXED);

	if (old >= 0) {
		close(old);
	}
}

static void make(unsigned *seed)
{
	unsigned at = roll(seed, SLOTS), next = roll(seed, SLOTS);
	int f[2] = { -1, -1 };
	sigset_t none;

	sigemptyset(&none);
	switch (roll(seed, 5)) {
	case 0:
		replace(at, eventfd(0, EFD_NONBLOCK | (roll(seed, 2) ? EFD_SEMAPHORE : 0)));
		return;
	case 1:
		replace(at, timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
		return;
	case 2:
		replace(at, signalfd(-1, &none, SFD_NONBLOCK));
		return;
	case 3:
		(void)!pipe2(f, O_NONBLOCK);
		break;
	default:
		(void)!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, f);
		break;
	}
	replace(at, f[0]);
	replace(next, f[1]);
}

static void wait_for(unsigned *seed, int fd)
{
	struct epoll_event event[8];
	struct pollfd p[2] = { { fd, POLLIN, 0 }, { slot[roll(seed, SLOTS)], POLLIN, 0 } };
	struct timeval now = { 0, 0 };
	fd_set readable;

	switch (roll(seed, 3)) {
	case 0:
		epoll_wait(queue[roll(seed, QUEUES)], event, 8, 0);
		break;
	case 1:
		poll(p, 2, 0);
		break;
	default:
		if (fd >= 0 && fd < FD_SETSIZE) {
			FD_ZERO(&readable);
			FD_SET(fd, &readable);
			select(fd + 1, &readable, NULL, NULL, &now);
		}
		break;
	}
}

static void step(unsigned *seed)
{
	struct itimerspec soon = { .it_value.tv_nsec = 1 };
	struct epoll_event event = { .events = EPOLLIN | (roll(seed, 2) ? EPOLLET : 0) };
	int fd = slot[roll(seed, SLOTS)], other = slot[roll(seed, SLOTS)];
	uint64_t bytes[16] = { 1 };

	event.data.u64 = roll(seed, 2) ? (unsigned)fd : roll(seed, 3);
	switch (roll(seed, 12)) {
	case 0:
		make(seed);
		break;
	case 1:
		if (fd >= 0 && other >= 0) {
			dup2(fd, other);
		}
		break;
	case 2:
		replace(roll(seed, SLOTS), dup(fd));
		break;
	case 3:
	case 4:
		(void)!write(fd, bytes, 8);
		break;
	case 5:
		(void)!read(fd, bytes, sizeof(bytes));
		break;
	case 6:
		timerfd_settime(fd, 0, &soon, NULL);
		break;
	case 7:
		epoll_ctl(queue[roll(seed, QUEUES)], 1 + (int)roll(seed, 3), fd, &event);
		break;
	case 8:
		eventfd_write(fd, 1);
		break;
	default:
		wait_for(seed, fd);
		break;
	}
}

static void *storm(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg;

	for (int i = 0; i < ROUNDS; i++) {
		step(&seed);
	}
	return NULL;
}

static void on_alarm(int number)
{
	uint64_t one = 1;

	(void)number;
	(void)!write(slot[handled % SLOTS], &one, sizeof(one));
	handled++;
}

static void in_a_child(unsigned seed)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		storm((void *)(uintptr_t)seed);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status) {
		abort();
	}
}

/* After all that, and with many more than are followed: a loop still gets what it was sent. */
static void loop_of_many(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	static int crowd[CROWD];
	int q = epoll_create1(0);
	uint64_t value;

	for (int i = 0; i < CROWD; i++) {
		crowd[i] = eventfd(0, EFD_NONBLOCK);
		event.data.u32 = (uint32_t)i;
		if (crowd[i] < 0 || epoll_ctl(q, EPOLL_CTL_ADD, crowd[i], &event)) {
			abort();
		}
	}
	for (int i = 0; i < CROWD; i++) {
		value = (uint64_t)i + 1;
		if (write(crowd[i], &value, 8) != 8 || epoll_wait(q, &event, 1, -1) != 1 ||
		    event.data.u32 != (uint32_t)i || read(crowd[i], &value, 8) != 8 ||
		    value != (uint64_t)i + 1) {
			abort();
		}
	}
	for (int i = 0; i < CROWD; i++) {
		close(crowd[i]);
	}
	close(q);
}

int main(void)
{
	struct sigaction action = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };
	struct itimerval often = { { 0, 500 }, { 0, 500 } }, never = { { 0, 0 }, { 0, 0 } };
	pthread_t thread[THREADS];

	for (int i = 0; i < SLOTS; i++) {
		slot[i] = -1;
	}
	for (int i = 0; i < QUEUES; i++) {
		queue[i] = fcntl(epoll_create1(0), F_DUPFD, 200);
	}
	signal(SIGPIPE, SIG_IGN);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (int i = 0; i < THREADS; i++) {
		if (pthread_create(&thread[i], NULL, storm, (void *)(uintptr_t)(i + 1))) {
			abort();
		}
	}
	for (int i = 0; i < CHILDREN; i++) {
		in_a_child((unsigned)i + 100);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(thread[i], NULL);
	}
	setitimer(ITIMER_REAL, &never, NULL);
	for (int i = 0; i < SLOTS; i++) {
		replace((unsigned)i, -1);
	}
	loop_of_many();
	puts("ok");
	return 0;
}
