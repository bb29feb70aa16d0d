/* SPDX-License-Identifier: MIT */
/* SHOWS POSIX and System V message queues between a parent and its child, small ones that fill up */
/* BUILD libs=rt */
/* RUN clean */
#include "../process.h"

#include <mqueue.h>
#include <sys/ipc.h>
#include <sys/msg.h>

enum { MESSAGES = 40 };

struct message {
	long type;
	char text[8];
};

static char name[64];
static int sysv;

static int receiver(void)
{
	mqd_t q = mq_open(name, O_RDONLY);
	struct message m;
	char text[8];

	for (int i = 0; i < MESSAGES; i++) {
		if (q != (mqd_t)-1 && mq_receive(q, text, sizeof(text), NULL) != sizeof(text))
			return 1;
		if (msgrcv(sysv, &m, sizeof(m.text), 0, 0) != sizeof(m.text))
			return 2;
	}
	return 0;
}

int main(void)
{
	struct mq_attr attr;
	struct message m = { 1, "sysv" };
	pid_t pid;
	mqd_t q;

	memset(&attr, 0, sizeof(attr));
	attr.mq_maxmsg = 2;
	attr.mq_msgsize = sizeof(m.text);
	snprintf(name, sizeof(name), "/sample-%d", (int)getpid());
	q = mq_open(name, O_CREAT | O_RDWR, 0600, &attr);
	sysv = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
	pid = start_child(receiver);
	for (int i = 0; i < MESSAGES; i++) {
		if (q != (mqd_t)-1 && mq_send(q, "posix..", sizeof(m.text), 0))
			return 3;
		if (msgsnd(sysv, &m, sizeof(m.text), 0))
			return 3;
	}
	finish_child(pid);
	mq_unlink(name);
	msgctl(sysv, IPC_RMID, NULL);
	return 0;
}
