/* SPDX-License-Identifier: MIT */
/* SHOWS libuv: eight callbacks hold up their loop for 300 ms, each in another way */
/* BUILD needs=uv */
/* EXPECT loop-stall confidence=observed tasks=on_compute taskkinds=timer says=on+the+processor stacks=main */
/* EXPECT loop-stall confidence=observed tasks=on_sleep says=in+sleep stacks=on_sleep */
/* EXPECT loop-stall confidence=observed tasks=on_lock says=held+by+thread locks=table threadnames=holder stacks=on_lock */
/* EXPECT loop-stall confidence=observed tasks=on_file says=in+file+operation stacks=on_file */
/* EXPECT loop-stall confidence=observed tasks=on_read says=in+read stacks=on_read */
/* EXPECT loop-stall confidence=observed tasks=on_name says=in+getaddrinfo stacks=on_name */
/* EXPECT loop-stall confidence=observed tasks=on_join says=in+pthread_join stacks=on_join */
/* EXPECT loop-stall confidence=observed tasks=on_child says=in+waitpid stacks=on_child */
/* EXPECT blocking-call-in-loop confidence=observed count=7 */
/* RUN clean */
#include "loop_work.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <resolv.h>
#include <sys/wait.h>
#include <uv.h>

static pthread_mutex_t table = PTHREAD_MUTEX_INITIALIZER;
static int held, stop, fifo[2];

static void on_compute(uv_timer_t *timer)
{
	(void)timer;
	compute_ms(300);
}

static void on_sleep(uv_timer_t *timer)
{
	(void)timer;
	sleep_ms(300);
}

static void *holder(void *arg)
{
	pthread_setname_np(pthread_self(), "holder");
	MUST(pthread_mutex_lock(&table));
	step_to(&held, 1);
	until(&stop, 1);
	compute_ms(300);
	MUST(pthread_mutex_unlock(&table));
	return arg;
}

static void on_lock(uv_timer_t *timer)
{
	(void)timer;
	until(&held, 1);
	step_to(&stop, 1);
	MUST(pthread_mutex_lock(&table));
	MUST(pthread_mutex_unlock(&table));
}

/* A file operation without a callback is done at once, on this thread: here on the far end of a pipe. */
static void on_file(uv_timer_t *timer)
{
	char byte;
	uv_buf_t room = uv_buf_init(&byte, 1);
	uv_fs_t request;

	GIVES(1, uv_fs_read(timer->loop, &request, fifo[0], &room, 1, -1, NULL));
	uv_fs_req_cleanup(&request);
}

static void on_read(uv_timer_t *timer)
{
	char byte;

	(void)timer;
	GIVES(1, (int)read(fifo[0], &byte, 1));
}

/* A name server that does not answer. */
static void on_name(uv_timer_t *timer)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t bytes = sizeof(a);
	int server = socket(AF_INET, SOCK_DGRAM, 0);
	struct addrinfo *list = NULL;

	(void)timer;
	MUST(bind(server, (struct sockaddr *)&a, sizeof(a)));
	MUST(getsockname(server, (struct sockaddr *)&a, &bytes));
	MUST(res_init());
	_res.nsaddr_list[0] = a;
	_res.nscount = 1;
	_res.retrans = 1;
	_res.retry = 1;
	if (getaddrinfo("nobody.invalid.", NULL, NULL, &list) == 0)
		freeaddrinfo(list);
	close(server);
}

static void *slow(void *arg)
{
	compute_ms(300);
	return arg;
}

static void on_join(uv_timer_t *timer)
{
	pthread_t t;

	(void)timer;
	MUST(pthread_create(&t, NULL, slow, NULL));
	MUST(pthread_join(t, NULL));
}

static void on_child(uv_timer_t *timer)
{
	int status;
	pid_t child = fork();

	(void)timer;
	if (child == 0) {
		sleep_ms(300);
		_exit(0);
	}
	GIVES(child, waitpid(child, &status, 0));
}

/* Writes a byte 300 ms after each time it is told to. */
static void *writer(void *arg)
{
	for (int i = 0; i < 2; i++) {
		sleep_ms(300);
		GIVES(1, (int)write(fifo[1], "x", 1));
	}
	return arg;
}

static void on_closed(uv_handle_t *handle)
{
	(void)handle;
}

static void run(uv_loop_t *loop, uv_timer_cb callback)
{
	uv_timer_t timer;

	MUST(uv_timer_init(loop, &timer));
	MUST(uv_timer_start(&timer, callback, 1, 0));
	MUST(uv_run(loop, UV_RUN_DEFAULT));
	uv_close((uv_handle_t *)&timer, on_closed);
	MUST(uv_run(loop, UV_RUN_DEFAULT));
}

int main(void)
{
	pthread_t t[2];
	uv_loop_t loop;

	MUST(pipe(fifo));
	MUST(uv_loop_init(&loop));
	run(&loop, on_compute);
	run(&loop, on_sleep);
	MUST(pthread_create(&t[0], NULL, holder, NULL));
	run(&loop, on_lock);
	MUST(pthread_create(&t[1], NULL, writer, NULL));
	run(&loop, on_file);
	run(&loop, on_read);
	run(&loop, on_name);
	run(&loop, on_join);
	run(&loop, on_child);
	MUST(uv_loop_close(&loop));
	for (int i = 0; i < 2; i++)
		MUST(pthread_join(t[i], NULL));
	puts("done");
	return 0;
}
