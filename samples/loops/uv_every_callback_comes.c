/* SPDX-License-Identifier: MIT */
/* SHOWS libuv: functions that jump on to others of libuv (uv_write to uv_write2, uv_tcp_init to uv_tcp_init_ex): each callback comes, once */
/* BUILD needs=uv flags=-O2 */
/* NEVER leaked-handle leaked-task loop-stall */
/* RUN clean */
#include "loop_work.h"

#include <uv.h>

enum { MESSAGES = 20 };

static int written, received, sent, connected, closed;
static uv_tcp_t server, accepted, client;

static void on_closed(uv_handle_t *handle)
{
	(void)handle;
	closed++;
}

static void room(uv_handle_t *handle, size_t size, uv_buf_t *ret_buffer)
{
	static char bytes[4096];

	(void)handle, (void)size;
	*ret_buffer = uv_buf_init(bytes, sizeof(bytes));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
	(void)buffer;
	if (n < 0)
		uv_close((uv_handle_t *)stream, on_closed); /* as its last statement: a jump */
	else
		received += (int)n;
}

static void on_connection(uv_stream_t *listener, int status)
{
	MUST(status);
	MUST(uv_tcp_init(listener->loop, &accepted));
	MUST(uv_accept(listener, (uv_stream_t *)&accepted));
	MUST(uv_read_start((uv_stream_t *)&accepted, room, on_read));
	uv_close((uv_handle_t *)listener, on_closed);
}

static void on_sent(uv_udp_send_t *request, int status)
{
	sent += status == 0;
	uv_close((uv_handle_t *)request->handle, on_closed);
}

static void on_written(uv_write_t *request, int status)
{
	MUST(status);
	if (++written == MESSAGES)
		uv_close((uv_handle_t *)request->handle, on_closed);
}

static void on_connected(uv_connect_t *request, int status)
{
	static uv_write_t writes[MESSAGES];
	uv_buf_t buffer = uv_buf_init((char *)"x", 1);

	MUST(status);
	connected++;
	for (int i = 0; i < MESSAGES; i++)
		MUST(uv_write(&writes[i], request->handle, &buffer, 1, on_written));
}

/* The whole of a thread, as its last statement. */
static void drive(void *loop)
{
	uv_run(loop, UV_RUN_DEFAULT);
}

int main(void)
{
	struct sockaddr_in address;
	int length = sizeof(address);
	uv_connect_t connect;
	uv_udp_send_t datagram;
	uv_thread_t thread;
	uv_buf_t buffer = uv_buf_init((char *)"y", 1);
	uv_loop_t loop;
	uv_udp_t udp;

	MUST(uv_loop_init(&loop));
	MUST(uv_ip4_addr("127.0.0.1", 0, &address));
	MUST(uv_tcp_init(&loop, &server));
	MUST(uv_tcp_bind(&server, (struct sockaddr *)&address, 0));
	MUST(uv_listen((uv_stream_t *)&server, 1, on_connection));
	MUST(uv_tcp_getsockname(&server, (struct sockaddr *)&address, &length));
	MUST(uv_tcp_init(&loop, &client));
	MUST(uv_tcp_connect(&connect, &client, (struct sockaddr *)&address, on_connected));
	MUST(uv_udp_init(&loop, &udp));
	MUST(uv_udp_send(&datagram, &udp, &buffer, 1, (struct sockaddr *)&address, on_sent));
	MUST(uv_thread_create(&thread, drive, &loop));
	MUST(uv_thread_join(&thread));
	MUST(uv_loop_close(&loop));
	printf("%d %d %d %d %d\n", connected, written, received, sent, closed);
	return connected == 1 && written == MESSAGES && received == MESSAGES && sent == 1 &&
			       closed == 4
		       ? 0
		       : 1;
}
