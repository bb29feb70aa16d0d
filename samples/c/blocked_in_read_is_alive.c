/* SPDX-License-Identifier: MIT */
/* SHOWS workers that wait for a thread that sits in read(): input may still come, so nobody is stuck */
/* NEVER deadlock stuck-wait */
/* RUN timeout=1 clean */
#include "../sample.h"

#include <arpa/inet.h>
#include <sys/socket.h>

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work = PTHREAD_COND_INITIALIZER;
static int jobs, port; /* anybody on this machine may send to it */

static void *worker(void *arg)
{
	pthread_mutex_lock(&m);
	while (!jobs)
		pthread_cond_wait(&work, &m);
	pthread_mutex_unlock(&m);
	return arg;
}

static void *reader(void *arg)
{
	char c;

	while (read(port, &c, 1) == 1) {
		pthread_mutex_lock(&m);
		jobs++;
		pthread_cond_signal(&work);
		pthread_mutex_unlock(&m);
	}
	return arg;
}

int main(void)
{
	struct sockaddr_in name;

	memset(&name, 0, sizeof(name));
	name.sin_family = AF_INET;
	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	port = socket(AF_INET, SOCK_DGRAM, 0);
	MUST(bind(port, (struct sockaddr *)&name, sizeof(name)));
	run_two(worker, reader);
	return 0;
}
