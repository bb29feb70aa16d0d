/* SPDX-License-Identifier: MIT */
/* SHOWS a correct chat server over socket pairs: a thread per client, one list lock, a lock per client for writing */
/* NEVER lock-order-inversion deadlock leaked-thread */
/* RUN clean */
#include "../sample.h"

#include <sys/socket.h>

#define CLIENTS 4
#define MESSAGES 20

struct client {
	pthread_mutex_t write_lock;
	int server_end, user_end, number;
};

static struct client clients[CLIENTS];
static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static int joined;

/* List first, then each client in turn; nobody takes the list with a client's lock in hand. */
static void broadcast(const char *text, size_t length)
{
	pthread_mutex_lock(&list_lock);
	for (int i = 0; i < joined; i++) {
		pthread_mutex_lock(&clients[i].write_lock);
		if (write(clients[i].server_end, text, length) < 0)
			exit(3);
		pthread_mutex_unlock(&clients[i].write_lock);
	}
	pthread_mutex_unlock(&list_lock);
}

static void *serve(void *arg)
{
	struct client *c = (struct client *)arg;
	char text[8];

	for (int i = 0; i < MESSAGES; i++) {
		if (read(c->server_end, text, sizeof(text)) <= 0)
			break;
		broadcast(text, sizeof(text));
	}
	return NULL;
}

static void *user(void *arg)
{
	struct client *c = (struct client *)arg;
	char text[8] = "hello";

	for (int i = 0; i < MESSAGES; i++)
		if (write(c->user_end, text, sizeof(text)) < 0)
			exit(3);
	for (int i = 0; i < MESSAGES * CLIENTS; i++)
		if (read(c->user_end, text, sizeof(text)) <= 0)
			exit(3);
	return NULL;
}

int main(void)
{
	pthread_t server[CLIENTS], people[CLIENTS];

	for (int i = 0; i < CLIENTS; i++) {
		int ends[2];

		if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
			return 3;
		clients[i].server_end = ends[0];
		clients[i].user_end = ends[1];
		MUST(pthread_mutex_init(&clients[i].write_lock, NULL));
		pthread_mutex_lock(&list_lock);
		joined++;
		pthread_mutex_unlock(&list_lock);
	}
	for (int i = 0; i < CLIENTS; i++) {
		server[i] = start(serve, &clients[i]);
		people[i] = start(user, &clients[i]);
	}
	for (int i = 0; i < CLIENTS; i++) {
		finish(people[i]);
		finish(server[i]);
	}
	return 0;
}
