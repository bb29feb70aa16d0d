/* SPDX-License-Identifier: MIT */
/* SHOWS two processes with POSIX message queues of one message: each sends two before it receives any */
/* EXPECT deadlock confidence=observed stacks=sends_requests,sends_results threads=2 */
/* RUN timeout=2 kill=1 */
/* BUILD libs=rt */
#include "../process.h"

#include <mqueue.h>

static mqd_t requests, results;

static mqd_t open_queue(const char *kind)
{
	struct mq_attr attr = { .mq_maxmsg = 1, .mq_msgsize = 8 };
	char name[64];
	mqd_t q;

	snprintf(name, sizeof(name), "/thrum-sample-%s-%d", kind, (int)getpid());
	q = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
	if (q == (mqd_t)-1)
		_exit(3);
	mq_unlink(name);
	return q;
}

static void exchange(mqd_t to, mqd_t from)
{
	char message[8] = "";

	mq_send(to, message, 1, 0);
	mq_send(to, message, 1, 0);
	mq_receive(from, message, sizeof(message), NULL);
	mq_receive(from, message, sizeof(message), NULL);
}

static NOINLINE int sends_results(void)
{
	exchange(results, requests);
	return 0;
}

static NOINLINE void sends_requests(void)
{
	exchange(requests, results);
	fputs("done\n", stdout);
}

int main(void)
{
	pid_t pid;

	requests = open_queue("requests");
	results = open_queue("results");
	pid = start_child(sends_results);
	sends_requests();
	finish_child(pid);
	return 0;
}
