/* SPDX-License-Identifier: MIT */
/*
 * stall_causes.h - what a server does while it should turn its loop: 300 ms of each cause, and whoever makes it wait that long.
 * stall_prepare() before the server, then one cause for each request, each of them once, then stall_end().
 */
#ifndef THRUM_SAMPLES_STALL_CAUSES_H
#define THRUM_SAMPLES_STALL_CAUSES_H

#include "loop_work.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <resolv.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { STALL_MS = 300, STALL_HELPERS = 4 };

struct stall {
	pthread_t helper[STALL_HELPERS];
	int helpers, held, stop;
	int backend, names; /* sockets */
	char directory[64], list[80];
};

static struct stall stall;
static pthread_mutex_t sessions = PTHREAD_MUTEX_INITIALIZER;

static inline struct sockaddr_in on_loopback(in_port_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				     .sin_port = port };
}

static inline struct sockaddr_in address_of(int socket)
{
	struct sockaddr_in a;
	socklen_t bytes = sizeof(a);

	MUST(getsockname(socket, (struct sockaddr *)&a, &bytes));
	return a;
}

static inline int bound_socket(int type)
{
	struct sockaddr_in a = on_loopback(0);
	int s = socket(AF_INET, type, 0);

	MUST(bind(s, (struct sockaddr *)&a, sizeof(a)));
	if (type == SOCK_STREAM)
		MUST(listen(s, 8));
	return s;
}

/* ---- those that are waited for ---- */

static NOINLINE void *session_sweeper(void *arg)
{
	pthread_setname_np(pthread_self(), "sweeper");
	MUST(pthread_mutex_lock(&sessions));
	step_to(&stall.held, 1);
	until(&stall.stop, 1);
	compute_ms(STALL_MS);
	MUST(pthread_mutex_unlock(&sessions));
	return arg;
}

/* Answers one request. */
static NOINLINE void *backend(void *arg)
{
	int client = accept(stall.backend, NULL, NULL);
	char byte;

	GIVES(1, (int)read(client, &byte, 1));
	sleep_ms(STALL_MS);
	GIVES(1, (int)write(client, "y", 1));
	close(client);
	return arg;
}

/* A name server that knows no name: one answer. */
static NOINLINE void *name_server(void *arg)
{
	struct sockaddr_in client;
	socklen_t bytes = sizeof(client);
	unsigned char message[512];
	ssize_t n = recvfrom(stall.names, message, sizeof(message), 0, (struct sockaddr *)&client,
			     &bytes);

	GIVES(1, n > 12);
	sleep_ms(STALL_MS);
	message[2] |= 0x80;
	message[3] = 0x83;
	GIVES(n, sendto(stall.names, message, (size_t)n, 0, (struct sockaddr *)&client, bytes));
	return arg;
}

static NOINLINE void *list_writer(void *arg)
{
	FILE *f = fopen(stall.list, "w");

	sleep_ms(STALL_MS);
	fputs("entry\n", f);
	MUST(fclose(f));
	return arg;
}

/* ---- the causes ---- */

static NOINLINE __attribute__((unused)) void stall_on_processor(void)
{
	compute_ms(STALL_MS);
}

static NOINLINE __attribute__((unused)) void stall_in_sleep(void)
{
	sleep_ms(STALL_MS);
}

static NOINLINE __attribute__((unused)) void stall_on_lock(void)
{
	until(&stall.held, 1);
	step_to(&stall.stop, 1);
	MUST(pthread_mutex_lock(&sessions));
	MUST(pthread_mutex_unlock(&sessions));
}

static NOINLINE __attribute__((unused)) void stall_on_file(void)
{
	char line[16];
	FILE *f = fopen(stall.list, "r");

	GIVES(1, fgets(line, sizeof(line), f) != NULL);
	MUST(fclose(f));
}

static NOINLINE __attribute__((unused)) void stall_on_socket(void)
{
	struct sockaddr_in a = address_of(stall.backend);
	int s = socket(AF_INET, SOCK_STREAM, 0);
	char byte;

	MUST(connect(s, (struct sockaddr *)&a, sizeof(a)));
	GIVES(1, (int)send(s, "x", 1, 0));
	GIVES(1, (int)recv(s, &byte, 1, 0));
	close(s);
}

static NOINLINE __attribute__((unused)) void stall_on_name(void)
{
	struct addrinfo hints = { .ai_family = AF_INET }, *list = NULL;

	MUST(res_init());
	_res.nsaddr_list[0] = address_of(stall.names);
	_res.nscount = 1;
	if (getaddrinfo("nobody.invalid.", NULL, &hints, &list) == 0)
		freeaddrinfo(list);
}

static NOINLINE void *thumbnail(void *arg)
{
	compute_ms(STALL_MS);
	return arg;
}

static NOINLINE __attribute__((unused)) void stall_in_join(void)
{
	pthread_t t;

	MUST(pthread_create(&t, NULL, thumbnail, NULL));
	MUST(pthread_join(t, NULL));
}

/* ---- around them ---- */

/* Of a process without threads: asks for each path in turn and wants an answer of this status. */
static inline pid_t stall_client(in_port_t port, const char *const *paths)
{
	struct sockaddr_in a = on_loopback(port);
	pid_t child = fork();
	char text[512];
	ssize_t n;
	int s;

	if (child)
		return child;
	for (; *paths; paths++) {
		s = socket(AF_INET, SOCK_STREAM, 0);
		MUST(connect(s, (struct sockaddr *)&a, sizeof(a)));
		snprintf(text, sizeof(text),
			 "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", *paths);
		GIVES((ssize_t)strlen(text), write(s, text, strlen(text)));
		n = read(s, text, sizeof(text));
		GIVES(0, n < 12 || memcmp(text, "HTTP/1.1 200", 12));
		while (read(s, text, sizeof(text)) > 0)
			;
		close(s);
	}
	_exit(0);
}

/* The list is last: who reads another one has one helper fewer. */
static inline void stall_prepare_only(int helpers)
{
	static void *(*const helper[STALL_HELPERS])(void *) = { session_sweeper, backend,
								name_server, list_writer };

	strcpy(stall.directory, "/tmp/thrum-sample-XXXXXX");
	GIVES(1, mkdtemp(stall.directory) != NULL);
	snprintf(stall.list, sizeof(stall.list), "%s/list", stall.directory);
	MUST(mkfifo(stall.list, 0600));
	stall.backend = bound_socket(SOCK_STREAM);
	stall.names = bound_socket(SOCK_DGRAM);
	for (; stall.helpers < helpers; stall.helpers++)
		MUST(pthread_create(&stall.helper[stall.helpers], NULL, helper[stall.helpers],
				    NULL));
}

static inline void stall_prepare(void)
{
	stall_prepare_only(STALL_HELPERS);
}

/* client 0: none */
static inline void stall_end(pid_t client)
{
	int status = 0;

	for (int i = 0; i < stall.helpers; i++)
		MUST(pthread_join(stall.helper[i], NULL));
	if (client)
		GIVES(client, waitpid(client, &status, 0));
	GIVES(0, status);
	MUST(unlink(stall.list));
	MUST(rmdir(stall.directory));
}

#endif
