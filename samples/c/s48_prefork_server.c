/* SPDX-License-Identifier: MIT */
/* SCENARIO S48: a prefork server: four children answer on one socket, two are replaced, all are ended by a signal */
/* NEVER deadlock stuck-wait leaked-thread fork-with-lock-held lock-held-at-exit */
/* RUN clean */
#include "../sample.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum { WORKERS = 4, REQUESTS = 40 };

static pthread_mutex_t counters = PTHREAD_MUTEX_INITIALIZER;
static int listener;

static void count(void)
{
	pthread_mutex_lock(&counters);
	pthread_mutex_unlock(&counters);
}

static void serve(int requests)
{
	for (int i = 0; requests < 0 || i < requests; i++) {
		int client = accept(listener, NULL, NULL);
		char byte;

		if (client < 0 || read(client, &byte, 1) != 1 || write(client, &byte, 1) != 1)
			_exit(3);
		count();
		close(client);
	}
	_exit(0);
}

static pid_t start_worker(int requests)
{
	pid_t child = fork();

	if (!child)
		serve(requests);
	return child;
}

static void ask(const struct sockaddr_in *address)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char byte = 'x';

	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) ||
	    write(fd, &byte, 1) != 1 || read(fd, &byte, 1) != 1)
		_exit(3);
	close(fd);
}

int main(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t bytes = sizeof(address);
	pid_t workers[WORKERS];

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	MUST(bind(listener, (struct sockaddr *)&address, sizeof(address)));
	MUST(listen(listener, 16));
	MUST(getsockname(listener, (struct sockaddr *)&address, &bytes));
	for (int i = 0; i < WORKERS; i++)
		workers[i] = start_worker(i < 2 ? 1 : -1);
	for (int i = 0; i < REQUESTS; i++) {
		ask(&address);
		count();
		for (int k = 0; k < 2; k++)
			if (workers[k] > 0 && waitpid(workers[k], NULL, WNOHANG) == workers[k])
				workers[k] = start_worker(-1);
	}
	for (int i = 0; i < WORKERS; i++) {
		kill(workers[i], SIGTERM);
		waitpid(workers[i], NULL, 0);
	}
	printf("answered %d\n", REQUESTS);
	return 0;
}
