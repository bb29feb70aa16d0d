/* SPDX-License-Identifier: MIT */
/*
 * engage_uv.h - exercises of libuv's rows, on one loop that each of them leaves empty. Absent: nothing is expected.
 */
#ifndef THRUM_TESTS_ENGAGE_UV_H
#define THRUM_TESTS_ENGAGE_UV_H

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

static const char *const uv[] = { "libuv.so.1", NULL };

enum { UV_DEFAULT, UV_ONE, UV_NOWAIT };
enum {
	UV_ENDS = 4, /* records of uv_over: the closing, RUN, the end, LEFT */
	UV_ASKED = 6 /* of a request and uv_settle: made, called, returned, over; RUN, LEFT */
};

/* Memory for a handle, request or loop of any kind: fresh each time. */
static void *uv_memory(void)
{
	static _Alignas(16) char memory[512][2048];
	static unsigned used;

	return memory[used++ % 512];
}

static unsigned uv_calls;

/* A callback of any of its types: what is passed beyond is left alone. */
static void uv_called(void *p)
{
	(void)p;
	__atomic_fetch_add(&uv_calls, 1, __ATOMIC_RELAXED); /* also on a thread of the pool */
}

/* What a request's exercise gives when its callback came; else a number that no exercise makes. */
static int uv_asked(void)
{
	return __atomic_exchange_n(&uv_calls, 0, __ATOMIC_RELAXED) ? UV_ASKED : 1000;
}

static void *uv_function(const char *name)
{
	return library_function(uv, name);
}

/* NULL: there is no libuv. */
static void *uv_the_loop(void)
{
	static void *loop;
	int (*init)(void *) = (int (*)(void *))uv_function("uv_loop_init");

	if (!loop && init) {
		setenv("UV_THREADPOOL_SIZE", "1", 1);
		loop = uv_memory();
		init(loop);
	}
	return loop;
}

static void uv_go(void *l, int mode)
{
	((int (*)(void *, int))uv_function("uv_run"))(l, mode);
}

/* Closes the handle, and runs its loop until nothing of it is left. */
static void uv_over(void *h)
{
	((void (*)(void *, void *))uv_function("uv_close"))(h, NULL);
	uv_go(uv_the_loop(), UV_NOWAIT);
}

static int uv_open(void *h, int fd)
{
	return ((int (*)(void *, int))uv_function("uv_pipe_open"))(h, fd);
}

/* A pipe handle on one end of a pair, whose other end is `*ret_other`. */
static void *uv_pair(int ipc, int *ret_other)
{
	void *h = uv_memory();
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd)) {
		return NULL;
	}
	((int (*)(void *, void *, int))uv_function("uv_pipe_init"))(uv_the_loop(), h, ipc);
	uv_open(h, fd[0]);
	*ret_other = fd[1];
	return h;
}

static struct sockaddr_in uv_here(unsigned port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons((uint16_t)port),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static void *uv_bound(const char *init, const char *bind)
{
	struct sockaddr_in a = uv_here(0);
	void *h = uv_memory();

	((int (*)(void *, void *))uv_function(init))(uv_the_loop(), h);
	((int (*)(void *, const void *, unsigned))uv_function(bind))(h, &a, 0);
	return h;
}

/* ---- handles ---- */

#define UV_INIT(name, params, args)                                               \
	static int exercise_##name(void)                                          \
	{                                                                         \
		void *l = uv_the_loop(), *h = uv_memory();                        \
		int(*make) params = l ? (int(*) params)uv_function(#name) : NULL; \
                                                                                  \
		if (!make) {                                                      \
			return 0;                                                 \
		}                                                                 \
		if (make args) {                                                  \
			return 1000;                                              \
		}                                                                 \
		uv_over(h);                                                       \
		return 1 + UV_ENDS;                                               \
	}
#define UV_INIT_PLAIN(name) UV_INIT(name, (void *, void *), (l, h))
UV_INIT_PLAIN(uv_timer_init)
UV_INIT_PLAIN(uv_idle_init)
UV_INIT_PLAIN(uv_prepare_init)
UV_INIT_PLAIN(uv_check_init)
UV_INIT_PLAIN(uv_signal_init)
UV_INIT_PLAIN(uv_tcp_init)
UV_INIT_PLAIN(uv_udp_init)
UV_INIT_PLAIN(uv_fs_event_init)
UV_INIT_PLAIN(uv_fs_poll_init)
UV_INIT(uv_tcp_init_ex, (void *, void *, unsigned), (l, h, AF_INET))
UV_INIT(uv_udp_init_ex, (void *, void *, unsigned), (l, h, AF_INET))
UV_INIT(uv_pipe_init, (void *, void *, int), (l, h, 0))
UV_INIT(uv_async_init, (void *, void *, void *), (l, h, uv_called))
static int uv_readable(void)
{
	static int fd[2];

	return fd[1] || socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0 ? fd[0] : -1;
}
UV_INIT(uv_poll_init, (void *, void *, int), (l, h, uv_readable()))
UV_INIT(uv_poll_init_socket, (void *, void *, int), (l, h, uv_readable()))
static int exercise_uv_tty_init(void)
{
	int terminal = posix_openpt(O_RDWR | O_NOCTTY);
	void *l = uv_the_loop(), *h = uv_memory();

	if (!l || terminal < 0) {
		return 0;
	}
	if (((int (*)(void *, void *, int, int))uv_function("uv_tty_init"))(l, h, terminal, 1)) {
		close(terminal);
		return 0;
	}
	uv_over(h);
	return 1 + UV_ENDS;
}
static unsigned uv_walked;
static void uv_count(void *h, void *count)
{
	(void)h;
	++*(unsigned *)count;
}
/* No record of its own: the callback has to be reached. */
static int exercise_uv_walk(void)
{
	void *l = uv_the_loop(), *h = uv_memory();

	if (!l) {
		return 0;
	}
	((int (*)(void *, void *))uv_function("uv_timer_init"))(l, h);
	((void (*)(void *, void *, void *))uv_function("uv_walk"))(l, (void *)(uintptr_t)uv_count,
								   &uv_walked);
	uv_over(h);
	return uv_walked ? 1 + UV_ENDS : 1000;
}
static int exercise_uv_close(void)
{
	return exercise_uv_timer_init();
}

/* Made, started, perhaps called once, closed. */
#define UV_START(name, init, params, args, run)                      \
	static int exercise_##name(void)                             \
	{                                                            \
		void *l = uv_the_loop(), *h = uv_memory();           \
                                                                     \
		if (!l) {                                            \
			return 0;                                    \
		}                                                    \
		((int (*)(void *, void *))uv_function(#init))(l, h); \
		if (((int(*) params)uv_function(#name))args) {       \
			return 1000;                                 \
		}                                                    \
		if (run) {                                           \
			uv_go(l, UV_ONE);                            \
		}                                                    \
		uv_over(h);                                          \
		return 2 + ((run) ? 4 : 0) + UV_ENDS;                \
	}
UV_START(uv_timer_start, uv_timer_init, (void *, void *, uint64_t, uint64_t), (h, uv_called, 0, 1),
	 true)
UV_START(uv_idle_start, uv_idle_init, (void *, void *), (h, uv_called), true)
UV_START(uv_signal_start, uv_signal_init, (void *, void *, int), (h, uv_called, SIGWINCH), false)
UV_START(uv_signal_start_oneshot, uv_signal_init, (void *, void *, int), (h, uv_called, SIGWINCH),
	 false)
UV_START(uv_fs_event_start, uv_fs_event_init, (void *, void *, const char *, unsigned),
	 (h, uv_called, "/", 0), false)
UV_START(uv_fs_poll_start, uv_fs_poll_init, (void *, void *, const char *, unsigned),
	 (h, uv_called, "/", 1000), false)
UV_START(uv_prepare_start, uv_prepare_init, (void *, void *), (h, uv_called), false)
UV_START(uv_check_start, uv_check_init, (void *, void *), (h, uv_called), false)

/* The same with its stop, whose row it is. */
#define UV_STOP(name, start, init, params, args)                     \
	static int exercise_##name(void)                             \
	{                                                            \
		void *l = uv_the_loop(), *h = uv_memory();           \
                                                                     \
		if (!l) {                                            \
			return 0;                                    \
		}                                                    \
		((int (*)(void *, void *))uv_function(#init))(l, h); \
		((int(*) params)uv_function(#start)) args;           \
		((int (*)(void *))uv_function(#name))(h);            \
		uv_over(h);                                          \
		return 3 + UV_ENDS;                                  \
	}
UV_STOP(uv_timer_stop, uv_timer_start, uv_timer_init, (void *, void *, uint64_t, uint64_t),
	(h, uv_called, 1000, 0))
UV_STOP(uv_timer_again, uv_timer_start, uv_timer_init, (void *, void *, uint64_t, uint64_t),
	(h, uv_called, 1000, 1000))
UV_STOP(uv_idle_stop, uv_idle_start, uv_idle_init, (void *, void *), (h, uv_called))
UV_STOP(uv_prepare_stop, uv_prepare_start, uv_prepare_init, (void *, void *), (h, uv_called))
UV_STOP(uv_check_stop, uv_check_start, uv_check_init, (void *, void *), (h, uv_called))
UV_STOP(uv_signal_stop, uv_signal_start, uv_signal_init, (void *, void *, int),
	(h, uv_called, SIGWINCH))
UV_STOP(uv_fs_event_stop, uv_fs_event_start, uv_fs_event_init,
	(void *, void *, const char *, unsigned), (h, uv_called, "/", 0))
UV_STOP(uv_fs_poll_stop, uv_fs_poll_start, uv_fs_poll_init,
	(void *, void *, const char *, unsigned), (h, uv_called, "/", 1000))

static int uv_polled(bool stops)
{
	void *l = uv_the_loop(), *h = uv_memory();

	if (!l) {
		return 0;
	}
	((int (*)(void *, void *, int))uv_function("uv_poll_init"))(l, h, uv_readable());
	((int (*)(void *, int, void *))uv_function("uv_poll_start"))(h, 2 /* writable */,
								     uv_called);
	uv_go(l, UV_ONE);
	if (stops) {
		((int (*)(void *))uv_function("uv_poll_stop"))(h);
	}
	uv_over(h);
	return 6 + stops + UV_ENDS;
}
static int exercise_uv_poll_start(void)
{
	return uv_polled(false);
}
static int exercise_uv_poll_stop(void)
{
	return uv_polled(true);
}

static int exercise_uv_async_send(void)
{
	void *l = uv_the_loop(), *h = uv_memory();

	if (!l) {
		return 0;
	}
	((int (*)(void *, void *, void *))uv_function("uv_async_init"))(l, h, uv_called);
	((int (*)(void *))uv_function("uv_async_send"))(h);
	uv_go(l, UV_ONE);
	uv_over(h);
	return 6 + UV_ENDS;
}

static int exercise_uv_listen(void)
{
	void *l = uv_the_loop(), *h = l ? uv_bound("uv_tcp_init", "uv_tcp_bind") : NULL;

	if (!h) {
		return 0;
	}
	((int (*)(void *, int, void *))uv_function("uv_listen"))(h, 1, uv_called);
	uv_over(h);
	return 2 + UV_ENDS;
}

/* As libuv's own: the base of one buffer and its size. */
static void uv_give_room(void *h, size_t wanted, void **ret_buffer)
{
	static char room[64];

	(void)h;
	(void)wanted;
	ret_buffer[0] = room;
	*(size_t *)(void *)&ret_buffer[1] = sizeof(room);
}

static int uv_read_something(bool stops)
{
	void *l = uv_the_loop(), *h;
	int other;

	h = l ? uv_pair(0, &other) : NULL;
	if (!h || write(other, "x", 1) != 1) {
		return 0;
	}
	((int (*)(void *, void *, void *))uv_function("uv_read_start"))(h, uv_give_room, uv_called);
	uv_go(l, UV_ONE);
	if (stops) {
		((int (*)(void *))uv_function("uv_read_stop"))(h);
	}
	uv_over(h);
	close(other);
	return 6 + stops + UV_ENDS;
}
static int exercise_uv_read_start(void)
{
	return uv_read_something(false);
}
static int exercise_uv_read_stop(void)
{
	return uv_read_something(true);
}

static int uv_receive_nothing(bool stops)
{
	void *l = uv_the_loop(), *h = l ? uv_bound("uv_udp_init", "uv_udp_bind") : NULL;

	if (!h) {
		return 0;
	}
	((int (*)(void *, void *, void *))uv_function("uv_udp_recv_start"))(h, uv_give_room,
									    uv_called);
	if (stops) {
		((int (*)(void *))uv_function("uv_udp_recv_stop"))(h);
	}
	uv_over(h);
	return 2 + stops + UV_ENDS;
}
static int exercise_uv_udp_recv_start(void)
{
	return uv_receive_nothing(false);
}
static int exercise_uv_udp_recv_stop(void)
{
	return uv_receive_nothing(true);
}

static int exercise_uv_spawn(void)
{
	struct {
		void *exit_cb;
		const char *file;
		char **args, **env;
		const char *cwd;
		unsigned flags;
		int stdio_count;
		void *stdio;
		unsigned uid, gid;
	} options = { .exit_cb = (void *)(uintptr_t)uv_called, .file = "/bin/true" };
	char *args[] = { (char *)(uintptr_t) "true", NULL };
	void *l = uv_the_loop(), *h = uv_memory();

	options.args = args;
	if (!l) {
		return 0;
	}
	if (((int (*)(void *, void *, void *))uv_function("uv_spawn"))(l, h, &options) == 0) {
		uv_go(l, UV_DEFAULT);
	}
	uv_over(h);
	return 1 + UV_ENDS;
}

static int exercise_uv_tcp_close_reset(void)
{
	void *l = uv_the_loop(), *h = l ? uv_bound("uv_tcp_init", "uv_tcp_bind") : NULL;

	if (!h) {
		return 0;
	}
	((int (*)(void *, void *))uv_function("uv_tcp_close_reset"))(h, NULL);
	uv_go(l, UV_NOWAIT);
	return 1 + UV_ENDS;
}

/* ---- requests ---- */

/* Runs the loop until the request is over, and closes the handle. */
static void uv_settle(void *h)
{
	uv_go(uv_the_loop(), UV_DEFAULT);
	if (h) {
		uv_over(h);
	}
}

#define UV_ASK(name, handle, params, args)                           \
	static int exercise_##name(void)                             \
	{                                                            \
		void *l = uv_the_loop(), *q = uv_memory(), *h;       \
		static char *empty[2];                               \
		struct sockaddr_in a = uv_here(9);                   \
		int other = -1;                                      \
                                                                     \
		(void)empty, (void)a;                                \
		h = l ? (handle) : NULL;                             \
		uv_calls = 0;                                        \
		if (!l || ((int(*) params)uv_function(#name))args) { \
			return l ? 1000 : 0;                         \
		}                                                    \
		uv_settle(h);                                        \
		close(other);                                        \
		return uv_asked();                                   \
	}
UV_ASK(uv_getaddrinfo, NULL, (void *, void *, void *, const char *, const char *, const void *),
       (l, q, uv_called, "127.0.0.1", NULL, NULL))
UV_ASK(uv_getnameinfo, NULL, (void *, void *, void *, const void *, int),
       (l, q, uv_called, &a, NI_NUMERICHOST | NI_NUMERICSERV))
UV_ASK(uv_random, NULL, (void *, void *, void *, size_t, unsigned, void *),
       (l, q, empty, sizeof(empty), 0, uv_called))
UV_ASK(uv_queue_work, NULL, (void *, void *, void *, void *), (l, q, uv_called, uv_called))
UV_ASK(uv_write, uv_pair(0, &other), (void *, void *, const void *, unsigned, void *),
       (q, h, (char *[]){ (char *)(uintptr_t) "x", (char *)1 }, 1, uv_called))
UV_ASK(uv_shutdown, uv_pair(0, &other), (void *, void *, void *), (q, h, uv_called))
UV_ASK(uv_tcp_connect, uv_bound("uv_tcp_init", "uv_tcp_bind"),
       (void *, void *, const void *, void *), (q, h, &a, uv_called))
UV_ASK(uv_udp_send, uv_bound("uv_udp_init", "uv_udp_bind"),
       (void *, void *, const void *, unsigned, const void *, void *),
       (q, h, (char *[]){ (char *)(uintptr_t) "x", (char *)1 }, 1, &a, uv_called))

static int exercise_uv_pipe_connect(void)
{
	void *l = uv_the_loop(), *q = uv_memory(), *h = uv_memory();

	if (!l) {
		return 0;
	}
	((int (*)(void *, void *, int))uv_function("uv_pipe_init"))(l, h, 0);
	((void (*)(void *, void *, const char *, void *))uv_function("uv_pipe_connect"))(
		q, h, "/nonexistent/socket", uv_called);
	uv_settle(h);
	return uv_asked();
}

static int exercise_uv_write2(void)
{
	void *l = uv_the_loop(), *q = uv_memory(), *h, *sent;
	int other;

	h = l ? uv_pair(1, &other) : NULL;
	if (!h) {
		return 0;
	}
	sent = uv_bound("uv_tcp_init", "uv_tcp_bind");
	((int (*)(void *, void *, const void *, unsigned, void *, void *))uv_function("uv_write2"))(
		q, h, (char *[]){ (char *)(uintptr_t) "x", (char *)1 }, 1, sent, uv_called);
	uv_settle(h);
	uv_over(sent);
	close(other);
	return uv_asked();
}

static int uv_gate[2];
static void uv_wait_at_gate(void *q)
{
	char byte;

	(void)q;
	while (read(uv_gate[0], &byte, 1) < 0 && errno == EINTR) {
	}
}

/* The pool has one thread here: what is queued behind its work can be taken back. */
static int exercise_uv_cancel(void)
{
	void *l = uv_the_loop(), *first = uv_memory(), *second = uv_memory();
	int (*queue)(void *, void *, void *, void *);

	if (!l || pipe(uv_gate)) {
		return 0;
	}
	queue = (int (*)(void *, void *, void *, void *))uv_function("uv_queue_work");
	queue(l, first, uv_wait_at_gate, uv_called);
	queue(l, second, uv_called, uv_called);
	if (((int (*)(void *))uv_function("uv_cancel"))(second)) {
		return 1000;
	}
	if (write(uv_gate[1], "x", 1) != 1) {
		return 1000;
	}
	uv_settle(NULL);
	close(uv_gate[0]);
	close(uv_gate[1]);
	return UV_ASKED + 5;
}

/* ---- files: on the pool; that there is no such file makes no difference ---- */

#define UV_FILE(name, params, args)                                           \
	UV_ASK(uv_fs_##name, NULL, (void *, void *, UV_PARAMS params void *), \
	       (l, q, UV_PARAMS args uv_called))
#define UV_PARAMS(...) __VA_ARGS__,
#define UV_NO_FILE "/nonexistent/file"
UV_FILE(close, (int), (-1))
UV_FILE(open, (const char *, int, int), (UV_NO_FILE, O_RDONLY, 0))
UV_FILE(read, (int, const void *, unsigned, int64_t), (-1, empty, 1, 0))
UV_FILE(write, (int, const void *, unsigned, int64_t), (-1, empty, 1, 0))
UV_FILE(unlink, (const char *), (UV_NO_FILE))
UV_FILE(mkdir, (const char *, int), (UV_NO_FILE, 0700))
UV_FILE(mkdtemp, (const char *), ("/nonexistent/XXXXXX"))
UV_FILE(mkstemp, (const char *), ("/nonexistent/XXXXXX"))
UV_FILE(rmdir, (const char *), (UV_NO_FILE))
UV_FILE(scandir, (const char *, int), (UV_NO_FILE, 0))
UV_FILE(opendir, (const char *), (UV_NO_FILE))
UV_FILE(stat, (const char *), (UV_NO_FILE))
UV_FILE(lstat, (const char *), (UV_NO_FILE))
UV_FILE(fstat, (int), (-1))
UV_FILE(statfs, (const char *), (UV_NO_FILE))
UV_FILE(rename, (const char *, const char *), (UV_NO_FILE, UV_NO_FILE))
UV_FILE(fsync, (int), (-1))
UV_FILE(fdatasync, (int), (-1))
UV_FILE(ftruncate, (int, int64_t), (-1, 0))
UV_FILE(sendfile, (int, int, int64_t, size_t), (-1, -1, 0, 1))
UV_FILE(copyfile, (const char *, const char *, int), (UV_NO_FILE, UV_NO_FILE, 0))
UV_FILE(access, (const char *, int), (UV_NO_FILE, 0))
UV_FILE(chmod, (const char *, int), (UV_NO_FILE, 0))
UV_FILE(fchmod, (int, int), (-1, 0))
UV_FILE(utime, (const char *, double, double), (UV_NO_FILE, 0, 0))
UV_FILE(futime, (int, double, double), (-1, 0, 0))
UV_FILE(lutime, (const char *, double, double), (UV_NO_FILE, 0, 0))
UV_FILE(link, (const char *, const char *), (UV_NO_FILE, UV_NO_FILE))
UV_FILE(symlink, (const char *, const char *, int), (UV_NO_FILE, UV_NO_FILE, 0))
UV_FILE(readlink, (const char *), (UV_NO_FILE))
UV_FILE(realpath, (const char *), (UV_NO_FILE))
UV_FILE(chown, (const char *, unsigned, unsigned), (UV_NO_FILE, 0, 0))
UV_FILE(fchown, (int, unsigned, unsigned), (-1, 0, 0))
UV_FILE(lchown, (const char *, unsigned, unsigned), (UV_NO_FILE, 0, 0))

/* Of a directory that was opened on this thread: no records of that. */
static int uv_directory(const char *name)
{
	static _Alignas(8) char entries[256];
	void *l = uv_the_loop(), *q = uv_memory(), *opened = uv_memory();
	void **directory;

	if (!l) {
		return 0;
	}
	((int (*)(void *, void *, const char *, void *))uv_function("uv_fs_opendir"))(l, opened,
										      "/", NULL);
	directory = ((void **(*)(void *))uv_function("uv_fs_get_ptr"))(opened);
	directory[0] = entries; /* where to, and how many */
	directory[1] = (void *)1;
	if (((int (*)(void *, void *, void *, void *))uv_function(name))(l, q, directory,
									 uv_called)) {
		return 1000;
	}
	uv_settle(NULL);
	return uv_asked();
}
static int exercise_uv_fs_readdir(void)
{
	return uv_directory("uv_fs_readdir");
}
static int exercise_uv_fs_closedir(void)
{
	return uv_directory("uv_fs_closedir");
}

/* ---- loops ---- */

static int exercise_uv_run(void)
{
	if (!uv_the_loop()) {
		return 0;
	}
	uv_go(uv_the_loop(), UV_NOWAIT);
	return 2;
}
static int exercise_uv_stop(void)
{
	if (!uv_the_loop()) {
		return 0;
	}
	((void (*)(void *))uv_function("uv_stop"))(uv_the_loop());
	uv_go(uv_the_loop(), UV_NOWAIT);
	return 3;
}
static int exercise_uv_loop_close(void)
{
	void *l = uv_memory();

	if (!uv_the_loop()) {
		return 0;
	}
	((int (*)(void *))uv_function("uv_loop_init"))(l);
	return ((int (*)(void *))uv_function("uv_loop_close"))(l) ? 1000 : 1;
}

#endif
