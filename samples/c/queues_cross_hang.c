/* SPDX-License-Identifier: MIT */
/* SHOWS two processes with System V message queues: each waits for the other's message before it sends its own */
/* EXPECT deadlock|stuck-wait stacks=waits_for_parent,waits_for_child */
/* RUN timeout=2 */
#include "../process.h"

#include <sys/ipc.h>
#include <sys/msg.h>

struct message {
	long type;
	char text[8];
};

static int to_child, to_parent;

static NOINLINE int waits_for_parent(void)
{
	struct message m = { 1, "child" };

	if (msgrcv(to_child, &m, sizeof(m.text), 0, 0) < 0 ||
	    msgsnd(to_parent, &m, sizeof(m.text), 0))
		return 3;
	return 0;
}

static NOINLINE int waits_for_child(void)
{
	struct message m = { 1, "parent" };

	if (msgrcv(to_parent, &m, sizeof(m.text), 0, 0) < 0 ||
	    msgsnd(to_child, &m, sizeof(m.text), 0))
		return 3;
	return 0;
}

int main(void)
{
	pid_t pid;

	to_child = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
	to_parent = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
	pid = start_child(waits_for_parent);
	waits_for_child();
	finish_child(pid);
	msgctl(to_child, IPC_RMID, NULL);
	msgctl(to_parent, IPC_RMID, NULL);
	return 0;
}
