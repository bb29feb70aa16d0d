/* SPDX-License-Identifier: MIT */
/*
 * mcload.c - a closed-loop client for a memcached on the loopback: a fixed number of requests, every reply checked.
 *
 *   mcload PORT CONNECTIONS REQUESTS
 *
 * One thread. First stores every key, then each turn sends one request on every connection and reads every reply: one in
 * ten is a set, the rest are gets, and the value of a key is a function of the key. Prints
 *   requests=N wrong=W        and ends with 1 when W is not 0.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { KEYS = 1000, VALUE_BYTES = 100, MAX_CONNECTIONS = 256, REPLY_BYTES = 512 };

struct connection {
	int fd;
	size_t expected_bytes;
	char expected[REPLY_BYTES];
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int connect_loopback(uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to))) {
		die("mcload: connect");
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static void value_of(unsigned key, char value[VALUE_BYTES + 1])
{
	for (unsigned i = 0; i < VALUE_BYTES; i++) {
		value[i] = (char)('a' + (key * 7 + i * 3) % 26);
	}
	value[VALUE_BYTES] = 0;
}

static void send_request(struct connection *c, unsigned key, int set)
{
	char value[VALUE_BYTES + 1], request[REPLY_BYTES];
	int n, expected;

	value_of(key, value);
	if (set) {
		n = snprintf(request, sizeof(request), "set key%u 0 0 %d\r\n%s\r\n", key,
			     VALUE_BYTES, value);
		expected = snprintf(c->expected, REPLY_BYTES, "STORED\r\n");
	} else {
		n = snprintf(request, sizeof(request), "get key%u\r\n", key);
		expected = snprintf(c->expected, REPLY_BYTES, "VALUE key%u 0 %d\r\n%s\r\nEND\r\n",
				    key, VALUE_BYTES, value);
	}
	c->expected_bytes = (size_t)expected;
	if (write(c->fd, request, (size_t)n) != n) {
		die("mcload: write");
	}
}

/* 1 when the reply is not what the key's value says. */
static int read_reply(struct connection *c)
{
	char reply[REPLY_BYTES];
	size_t got = 0;

	while (got < c->expected_bytes) {
		ssize_t n = read(c->fd, reply + got, c->expected_bytes - got);

		if (n <= 0) {
			die("mcload: connection lost");
		}
		got += (size_t)n;
		if (memcmp(reply, c->expected, got)) {
			return 1;
		}
	}
	return 0;
}

static uint32_t next_random(uint32_t *state)
{
	uint32_t x = *state;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return *state = x;
}

int main(int argc, char **argv)
{
	static struct connection c[MAX_CONNECTIONS];
	unsigned connections = argc == 4 ? (unsigned)atoi(argv[2]) : 0;
	long requests = argc == 4 ? atol(argv[3]) : 0, done = 0, wrong = 0;
	uint32_t random = 2463534242u;

	if (connections < 1 || connections > MAX_CONNECTIONS || requests < 1) {
		fprintf(stderr, "usage: mcload PORT CONNECTIONS REQUESTS\n");
		return 2;
	}
	for (unsigned i = 0; i < connections; i++) {
		c[i].fd = connect_loopback((uint16_t)atoi(argv[1]));
	}
	for (unsigned key = 0; key < KEYS && !wrong; key++) {
		send_request(&c[0], key, 1);
		wrong += read_reply(&c[0]);
	}
	while (done < requests && !wrong) {
		for (unsigned i = 0; i < connections; i++) {
			uint32_t r = next_random(&random);

			send_request(&c[i], r / 16 % KEYS, r % 10 == 0);
		}
		for (unsigned i = 0; i < connections; i++, done++) {
			wrong += read_reply(&c[i]);
		}
	}
	printf("requests=%ld wrong=%ld\n", done, wrong);
	return wrong != 0;
}
