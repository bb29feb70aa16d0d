/* SPDX-License-Identifier: MIT */
/*
 * engage_ipc.h - exercises of the rows about other processes and about waiting: file locks, System V
 * semaphores, queues, descriptors, mappings, blocking calls. A blocking call is made with a mutex held,
 * so that it leaves BLOCK and UNBLOCK beside the mutex's two records.
 */
#ifndef THRUM_TESTS_ENGAGE_IPC_H
#define THRUM_TESTS_ENGAGE_IPC_H

#include "engage_signal.h" /* on_signal */

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <termios.h>

#define HOLDING(name, ...)                \
	static int exercise_##name(void)  \
	{                                 \
		pthread_mutex_lock(&m);   \
		__VA_ARGS__;              \
		pthread_mutex_unlock(&m); \
		return 4;                 \
	}

static uint64_t events_now(void)
{
	uint32_t ignored;

	return events_of(getpid(), &ignored);
}

static const struct timespec instant = { 0, 1000 };
static char bytes[64];

/* ---- sleeping and polling ---- */

HOLDING(sleep, sleep(1))
HOLDING(usleep, usleep(1))
HOLDING(nanosleep, nanosleep(&instant, NULL))
HOLDING(clock_nanosleep, clock_nanosleep(CLOCK_MONOTONIC, 0, &instant, NULL))
HOLDING(thrd_sleep, thrd_sleep(&instant, NULL))
HOLDING(poll, poll(NULL, 0, 1))
HOLDING(ppoll, ppoll(NULL, 0, &instant, NULL))
int __poll_chk(struct pollfd *f, nfds_t n, int ms, size_t b);
int __ppoll_chk(struct pollfd *f, nfds_t n, const struct timespec *t, const sigset_t *s, size_t b);
HOLDING(__poll_chk, __poll_chk(NULL, 0, 1, 0))
HOLDING(__ppoll_chk, __ppoll_chk(NULL, 0, &instant, NULL, 0))
HOLDING(select, struct timeval t = { 0, 1 }; select(0, NULL, NULL, NULL, &t))
HOLDING(pselect, pselect(0, NULL, NULL, NULL, &instant, NULL))
HOLDING(epoll_wait, struct epoll_event e; int q = epoll_create1(0); epoll_wait(q, &e, 1, 1);
	close(q))
HOLDING(epoll_pwait, struct epoll_event e; int q = epoll_create1(0); epoll_pwait(q, &e, 1, 1, NULL);
	close(q))
static int exercise_epoll_pwait2(void)
{
	int (*wait)(int, struct epoll_event *, int, const struct timespec *, const sigset_t *) =
		(int (*)(int, struct epoll_event *, int, const struct timespec *,
			 const sigset_t *))dlsym(RTLD_DEFAULT, "epoll_pwait2");
	struct epoll_event e;

	pthread_mutex_lock(&m);
	wait(-1, &e, 1, &instant, NULL);
	pthread_mutex_unlock(&m);
	return 4;
}

/* ---- reading and writing: two definitions more, for the new pipe or socket ---- */

static void full_pipe(int f[2])
{
	if (pipe(f) || write(f[1], bytes, sizeof(bytes)) != sizeof(bytes)) {
		abort();
	}
}
static void close_both(const int f[2])
{
	close(f[0]);
	close(f[1]);
}
static void full_pair(int f[2])
{
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, f) ||
	    send(f[1], bytes, sizeof(bytes), 0) != sizeof(bytes)) {
		abort();
	}
}
#define ON_PIPE(name, ...) HOLDING(name, int f[2]; full_pipe(f); __VA_ARGS__; close_both(f))
#define ON_PAIR(name, ...) HOLDING(name, int f[2]; full_pair(f); __VA_ARGS__; close_both(f))
static const struct iovec part = { bytes, 8 };
static struct msghdr message = { .msg_iov = (struct iovec *)&part, .msg_iovlen = 1 };
ssize_t __read_chk(int f, void *b, size_t n, size_t size);
ssize_t __recv_chk(int f, void *b, size_t n, size_t size, int flags);
ssize_t __recvfrom_chk(int f, void *restrict b, size_t n, size_t size, int flags, __SOCKADDR_ARG a,
		       socklen_t *restrict l);

ON_PIPE(read, if (read(f[0], bytes, 8) != 8) abort())
ON_PIPE(readv, if (readv(f[0], &part, 1) != 8) abort())
ON_PIPE(__read_chk, if (__read_chk(f[0], bytes, 8, 8) != 8) abort())
ON_PIPE(write, if (write(f[1], bytes, 8) != 8) abort())
ON_PIPE(writev, if (writev(f[1], &part, 1) != 8) abort())
/* Nobody is waited for in these: no record. */
#define AT_A_PLACE(name, ...)                                       \
	static int exercise_##name(void)                            \
	{                                                           \
		int f = memfd_create("engage", MFD_CLOEXEC);        \
                                                                    \
		if (f < 0 || ftruncate(f, 8) || (__VA_ARGS__) != 8) \
			abort();                                    \
		close(f);                                           \
		return 0;                                           \
	}
ssize_t __pread_chk(int f, void *b, size_t n, off_t o, size_t size);
ssize_t __pread64_chk(int f, void *b, size_t n, off64_t o, size_t size);
AT_A_PLACE(pread, pread(f, bytes, 8, 0))
AT_A_PLACE(pread64, pread64(f, bytes, 8, 0))
AT_A_PLACE(__pread_chk, __pread_chk(f, bytes, 8, 0, 8))
AT_A_PLACE(__pread64_chk, __pread64_chk(f, bytes, 8, 0, 8))
AT_A_PLACE(preadv, preadv(f, &part, 1, 0))
AT_A_PLACE(preadv64, preadv64(f, &part, 1, 0))
AT_A_PLACE(pwrite, pwrite(f, bytes, 8, 0))
AT_A_PLACE(pwrite64, pwrite64(f, bytes, 8, 0))
AT_A_PLACE(pwritev, pwritev(f, &part, 1, 0))
AT_A_PLACE(pwritev64, pwritev64(f, &part, 1, 0))
ON_PIPE(tcdrain, tcdrain(f[1]))
/* One read of a stream that has read nothing yet: it takes all that the pipe has. */
#define ON_STREAM(name, ...)                                                                 \
	static int exercise_##name(void)                                                     \
	{                                                                                    \
		int f[2];                                                                    \
		FILE *in;                                                                    \
		char *line = NULL;                                                           \
		size_t room = 0;                                                             \
                                                                                             \
		if (pipe(f) || write(f[1], "a line\n", 7) != 7 || !(in = fdopen(f[0], "r"))) \
			abort();                                                             \
		pthread_mutex_lock(&m);                                                      \
		if (!(__VA_ARGS__))                                                          \
			abort();                                                             \
		pthread_mutex_unlock(&m);                                                    \
		fclose(in);                                                                  \
		close(f[1]);                                                                 \
		free(line);                                                                  \
		(void)room;                                                                  \
		return 4;                                                                    \
	}
char *__fgets_chk(char *restrict b, size_t m, int n, FILE *restrict f);
size_t __fread_chk(void *restrict b, size_t m, size_t w, size_t n, FILE *restrict f);
ON_STREAM(fgets, fgets(bytes, sizeof(bytes), in))
ON_STREAM(__fgets_chk, __fgets_chk(bytes, sizeof(bytes), sizeof(bytes), in))
ON_STREAM(getline, getline(&line, &room, in) == 7)
ON_STREAM(getdelim, getdelim(&line, &room, '\n', in) == 7)
ON_STREAM(__getdelim, __getdelim(&line, &room, '\n', in) == 7)
ON_STREAM(fread, fread(bytes, 1, 7, in) == 7)
ON_STREAM(__fread_chk, __fread_chk(bytes, sizeof(bytes), 1, 7, in) == 7)
ON_PAIR(recv, if (recv(f[0], bytes, 8, 0) != 8) abort())
ON_PAIR(recvfrom, if (recvfrom(f[0], bytes, 8, 0, NULL, NULL) != 8) abort())
ON_PAIR(recvmsg, if (recvmsg(f[0], &message, 0) != 8) abort())
ON_PAIR(__recv_chk, if (__recv_chk(f[0], bytes, 8, 8, 0) != 8) abort())
ON_PAIR(__recvfrom_chk, if (__recvfrom_chk(f[0], bytes, 8, 8, 0, NULL, NULL) != 8) abort())
ON_PAIR(send, if (send(f[1], bytes, 8, 0) != 8) abort())
ON_PAIR(sendto, if (sendto(f[1], bytes, 8, 0, NULL, 0) != 8) abort())
ON_PAIR(sendmsg, if (sendmsg(f[1], &message, 0) != 8) abort())

/* A listener with a name of the kernel's choice, and a client of it. */
static int serve(int (*accept_one)(int))
{
	struct sockaddr_storage name = { .ss_family = AF_UNIX };
	socklen_t length = sizeof(sa_family_t);
	int server = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
	int both[2] = { server, client };

	bind(server, (struct sockaddr *)&name, length);
	length = sizeof(name);
	getsockname(server, (struct sockaddr *)&name, &length);
	listen(server, 1);
	pthread_mutex_lock(&m);
	connect(client, (struct sockaddr *)&name, length);
	pthread_mutex_unlock(&m);
	if (accept_one) {
		pthread_mutex_lock(&m);
		close(accept_one(server));
		pthread_mutex_unlock(&m);
	}
	close_both(both);
	return accept_one ? 8 : 4;
}
static int plain_accept(int f)
{
	return accept(f, NULL, NULL);
}
static int flag_accept(int f)
{
	return accept4(f, NULL, NULL, 0);
}
static int exercise_connect(void)
{
	return serve(NULL);
}
static int exercise_accept(void)
{
	return serve(plain_accept);
}
static int exercise_accept4(void)
{
	return serve(flag_accept);
}

/* ---- disk, names, commands, signals ---- */

static int scratch_file(void)
{
	char path[] = "/tmp/thrum-engage-XXXXXX";
	int fd = mkstemp(path);

	unlink(path);
	return fd;
}
#define ON_FILE(name, ...) HOLDING(name, int f = scratch_file(); __VA_ARGS__; close(f))
ON_FILE(fsync, fsync(f))
ON_FILE(fdatasync, fdatasync(f))
ON_FILE(syncfs, syncfs(f))
HOLDING(msync, msync(NULL, 0, MS_SYNC))
HOLDING(getaddrinfo, struct addrinfo *r = NULL;
	if (getaddrinfo("127.0.0.1", "1", NULL, &r) == 0) freeaddrinfo(r))
HOLDING(gethostbyname, gethostbyname("127.0.0.1"))
HOLDING(gethostbyname2, gethostbyname2("127.0.0.1", AF_INET))
HOLDING(gethostbyname_r, struct hostent h; struct hostent * r; char b[512]; int e;
	gethostbyname_r("127.0.0.1", &h, b, sizeof(b), &r, &e))
HOLDING(gethostbyname2_r, struct hostent h; struct hostent * r; char b[512]; int e;
	gethostbyname2_r("127.0.0.1", AF_INET, &h, b, sizeof(b), &r, &e))
HOLDING(gethostbyaddr, struct in_addr a = { htonl(INADDR_LOOPBACK) };
	gethostbyaddr(&a, sizeof(a), AF_INET))
HOLDING(getnameinfo, struct sockaddr_in a = { .sin_family = AF_INET }; char h[64];
	getnameinfo((struct sockaddr *)&a, sizeof(a), h, sizeof(h), NULL, 0, NI_NUMERICHOST))
HOLDING(system, if (system(":")) abort())
static int exercise_popen(void)
{
	FILE *f;

	pthread_mutex_lock(&m);
	f = popen("echo word", "r");
	if (!f || read(fileno(f), bytes, 4) != 4 || pclose(f)) {
		abort();
	}
	pthread_mutex_unlock(&m);
	return 9; /* two BLOCKs, two UNBLOCKs, the pipe's definitions, its end closed */
}
static int exercise_pclose(void)
{
	return exercise_popen();
}

static void expect_signal(int number)
{
	sigset_t set;

	signal(number, on_signal);
	sigemptyset(&set);
	sigaddset(&set, number);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(number);
}
static sigset_t only_usr1(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	return set;
}
HOLDING(sigsuspend, sigset_t none; sigemptyset(&none); expect_signal(SIGUSR1); sigsuspend(&none))
HOLDING(sigwait, sigset_t s1 = only_usr1(); int n; expect_signal(SIGUSR1); sigwait(&s1, &n))
HOLDING(sigwaitinfo, sigset_t s1 = only_usr1(); expect_signal(SIGUSR1); sigwaitinfo(&s1, NULL))
HOLDING(sigtimedwait, sigset_t s1 = only_usr1(); sigtimedwait(&s1, NULL, &instant))
HOLDING(pause, signal(SIGALRM, on_signal);
	setitimer(ITIMER_REAL, &(struct itimerval){ { 0, 20000 }, { 0, 20000 } }, NULL); pause();
	setitimer(ITIMER_REAL, &(struct itimerval){ { 0, 0 }, { 0, 0 } }, NULL))

/* ---- queues: the calls fail, having said that they may wait ---- */

int mq_send(int q, const char *p, size_t n, unsigned prio);
int mq_timedsend(int q, const char *p, size_t n, unsigned prio, const struct timespec *t);
ssize_t mq_receive(int q, char *p, size_t n, unsigned *prio);
ssize_t mq_timedreceive(int q, char *restrict p, size_t n, unsigned *restrict prio,
			const struct timespec *restrict t);
HOLDING(mq_send, mq_send(-1, bytes, 8, 0))
HOLDING(mq_timedsend, mq_timedsend(-1, bytes, 8, 0, &past))
HOLDING(mq_receive, mq_receive(-1, bytes, 8, NULL))
HOLDING(mq_timedreceive, mq_timedreceive(-1, bytes, 8, NULL, &past))
HOLDING(msgsnd, msgsnd(-1, bytes, 8, 0))
HOLDING(msgrcv, if (msgrcv(-1, bytes, 8, 0, 0) != -1) abort())

/* ---- file locks: acquire, release, and the file's definitions ---- */

SIMPLE(flock, 2, int f = scratch_file(); flock(f, LOCK_EX); flock(f, LOCK_UN); close(f))
SIMPLE(lockf, 2, int f = scratch_file(); if (lockf(f, F_LOCK, 8) || lockf(f, F_ULOCK, 8)) abort();
       close(f))
SIMPLE(lockf64, 2, int f = scratch_file();
       if (lockf64(f, F_TLOCK, 8) || lockf64(f, F_ULOCK, 8)) abort(); close(f))
static struct flock whole(short type)
{
	return (struct flock){ .l_type = type, .l_whence = SEEK_SET };
}
SIMPLE(fcntl, 2, int f = scratch_file(); struct flock k = whole(F_WRLCK); fcntl(f, F_SETLKW, &k);
       k = whole(F_UNLCK); fcntl(f, F_SETLK, &k); close(f))
int fcntl64(int f, int cmd, ...);
SIMPLE(fcntl64, 2, int f = scratch_file(); struct flock k = whole(F_RDLCK);
       fcntl64(f, F_OFD_SETLK, &k); k = whole(F_UNLCK); fcntl64(f, F_OFD_SETLK, &k); close(f))

/* ---- System V semaphores ---- */

static int sysv_set(void)
{
	int id = semget(IPC_PRIVATE, 1, IPC_CREAT | 0600);

	if (id < 0) {
		abort();
	}
	return id;
}
static int exercise_semop(void)
{
	int id = sysv_set();
	struct sembuf up = { 0, 2, 0 }, down = { 0, -2, 0 };

	semop(id, &up, 1);
	semop(id, &down, 1);
	semctl(id, 0, IPC_RMID);
	return 7; /* the definitions, two posts, two acquires, GONE */
}
static int exercise_semtimedop(void)
{
	int id = sysv_set();
	struct sembuf down = { 0, -1, 0 };

	semtimedop(id, &down, 1, &instant);
	semctl(id, 0, IPC_RMID);
	return 5; /* the definitions, REQUEST, ACQUIRE_FAIL, GONE */
}
static int exercise_semctl(void)
{
	int id = sysv_set();

	semctl(id, 0, SETVAL, 1);
	semctl(id, 0, IPC_RMID);
	return 4; /* the definitions, INIT, GONE */
}

/* ---- descriptors: how often a pipe's ends are told shows what was seen ---- */

/* Writes, so that the pipe is defined with the ends known so far; returns what has been told by then. */
static uint64_t write_one(int fd)
{
	if (write(fd, bytes, 1) != 1) {
		abort();
	}
	return events_now();
}

#define EXPECT_TOLD(before, n) (events_now() - (before) == (n) ? 0 : 1000)

static int ends_of_new_pair(int (*make)(int f[2]))
{
	int f[2];
	uint64_t before;

	if (make(f)) {
		abort();
	}
	before = write_one(f[1]);
	close_both(f);
	return EXPECT_TOLD(before, 2u); /* also the end that nobody used was known */
}
static int make_pipe2(int f[2])
{
	return pipe2(f, 0);
}
#define CHECKED(name, ...)               \
	static int exercise_##name(void) \
	{                                \
		return __VA_ARGS__;      \
	}
CHECKED(pipe, ends_of_new_pair(pipe))
CHECKED(pipe2, ends_of_new_pair(make_pipe2))
CHECKED(close, ends_of_new_pair(pipe))

/* Does the trace say that socket `one` is connected with `other`? */
static bool pair_is_told(ino_t one, ino_t other)
{
	char path[4096];
	uint64_t words[512];
	bool found = false;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%d.1.map", trace_dir, (int)getpid());
	fd = open(path, O_RDONLY);
	while (!found && (n = read(fd, words, sizeof(words))) > 0) {
		/* struct tf_def_identity: ino at word 3, length at word 5 */
		for (ssize_t i = 0; i + 2 < n / 8; i++) {
			found |= words[i] == one && words[i + 2] == other;
		}
	}
	close(fd);
	return found;
}
static int exercise_socketpair(void)
{
	struct stat one, other;
	int f[2];

	full_pair(f);
	fstat(f[1], &one);
	fstat(f[0], &other);
	close_both(f);
	return pair_is_told(one.st_ino, other.st_ino) ? 0 : 1000;
}

/* The second number for the write end keeps it open when the first goes. */
static int second_number(int (*copy)(int fd))
{
	int f[2], second;
	uint64_t before;

	full_pipe(f);
	second = copy(f[1]);
	before = events_now();
	close(f[1]);
	if (events_now() != before) {
		return 1000;
	}
	close(second);
	close(f[0]);
	return EXPECT_TOLD(before, 2u);
}
static int copy_dup2(int fd)
{
	return dup2(fd, 200);
}
static int copy_dup3(int fd)
{
	return dup3(fd, 201, O_CLOEXEC);
}
CHECKED(dup, second_number(dup))
CHECKED(dup2, second_number(copy_dup2))
CHECKED(dup3, second_number(copy_dup3))

static int closed_by(void (*end)(int fd))
{
	int f[2], high;
	uint64_t before;

	full_pipe(f);
	high = fcntl(f[0], F_DUPFD, 1000);
	close(f[0]);
	before = events_now();
	end(high);
	if (events_now() - before != 1) {
		return 1000;
	}
	close(f[1]);
	return 0;
}
static void end_range(int fd)
{
	int (*close_some)(unsigned, unsigned, int) =
		(int (*)(unsigned, unsigned, int))dlsym(RTLD_DEFAULT, "close_range");

	close_some((unsigned)fd, (unsigned)fd, 0);
}
static void end_from(int fd)
{
	void (*close_from)(int) = (void (*)(int))dlsym(RTLD_DEFAULT, "closefrom");

	close_from(fd);
}
static void end_stream(int fd)
{
	fclose(fdopen(fd, "r"));
}
static void end_reopened(int fd)
{
	fclose(freopen("/dev/null", "r", fdopen(fd, "r")));
}
static void end_reopened64(int fd)
{
	fclose(freopen64("/dev/null", "r", fdopen(fd, "r")));
}
CHECKED(freopen, closed_by(end_reopened))
CHECKED(freopen64, closed_by(end_reopened64))
/* The slot of a socket with a timeout says so: it is read in the middle of the call, by another thread. */
static uint32_t slot_mode(void)
{
	char path[4096];
	struct tf_segment head;
	uint32_t mode = 0;
	int fd;

	snprintf(path, sizeof(path), "%s/%d.1.map", trace_dir, (int)getpid());
	fd = open(path, O_RDONLY);
	for (off_t at = TF_HEADER_BYTES; pread(fd, &head, sizeof(head), at) == sizeof(head);
	     at += TF_SEGMENT_BYTES) {
		if (head.kind == TF_SEGMENT_STREAM && head.wait.kind == TRACE_WAIT_CALL &&
		    head.wait.other == TRACE_CALL_RECEIVE) {
			mode = head.wait.mode;
		}
	}
	close(fd);
	return mode;
}
static void *receive_late(void *p)
{
	char c;

	return recv(*(int *)p, &c, 1, 0) == 1 ? p : NULL;
}
static int exercise_setsockopt(void)
{
	struct timeval t = { 60, 0 };
	uint32_t mode;
	pthread_t thread;
	int f[2];

	full_pair(f);
	if (recv(f[0], bytes, sizeof(bytes), 0) != sizeof(bytes) ||
	    setsockopt(f[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t))) {
		abort();
	}
	pthread_create(&thread, NULL, receive_late, &f[0]);
	while (!(mode = slot_mode())) {
		sched_yield();
	}
	if (send(f[1], bytes, 1, 0) != 1) {
		abort();
	}
	pthread_join(thread, NULL);
	close_both(f);
	return mode & TRACE_MODE_TIMED ? 0 : 1000;
}
CHECKED(close_range, closed_by(end_range))
CHECKED(closefrom, closed_by(end_from))
CHECKED(fclose, closed_by(end_stream))

/* ---- mappings ---- */

static void *map_fixed(void *(*map)(void *, size_t, int, int, int, off_t))
{
	void *p = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	in_block((char *)p + 4096);
	return map(p, 65536, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}
static int exercise_mmap(void)
{
	munmap(map_fixed(mmap), 65536);
	return 4;
}
static int exercise_mmap64(void)
{
	munmap(map_fixed(mmap64), 65536);
	return 4;
}
/* Locks, moves the page from p to q, unlocks; how many records that made. */
__attribute__((noinline)) static uint64_t lock_move_unlock(void *p, void *q)
{
	static const pthread_mutex_t fresh_mutex = PTHREAD_MUTEX_INITIALIZER;
	uint64_t before = events_now();

	*(pthread_mutex_t *)p = fresh_mutex;
	pthread_mutex_lock(p);
	p = q == p ? p : mremap(p, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, q);
	pthread_mutex_unlock(p);
	munmap(p, 4096);
	return events_now() - before;
}
static int exercise_mremap(void)
{
	uint64_t records[3];

	/* The first time defines the stacks; then moved or not makes no difference: it is the same lock. volatile: one
	 * call site for all, so one stack. */
	for (volatile int i = 0; i < 3; i++) {
		void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			       0);
		void *q = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		records[i] = lock_move_unlock(p, i == 1 ? p : q);
	}
	return records[2] <= records[1] ? (int)records[1] : 1000;
}
static int exercise_shmdt(void)
{
	int id = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);
	void *p = shmat(id, NULL, 0);

	in_block(p);
	shmdt(p);
	shmctl(id, IPC_RMID, NULL);
	return 4;
}

#endif
