/* SPDX-License-Identifier: MIT */
/* SHOWS workers that get their work by pipes and answer by a socket pair; pipes between threads; a command's output */
/* RUN clean */
#include "../process.h"

#include <sys/socket.h>

enum { WORKERS = 3, JOBS = 50 };

static int work[2], answers[2], between[2];

static int worker(void)
{
	int job;

	close(work[1]);
	close(answers[0]);
	while (read(work[0], &job, sizeof(job)) == sizeof(job)) {
		job *= 2;
		if (send(answers[1], &job, sizeof(job), 0) != sizeof(job))
			return 1;
	}
	return 0;
}

static void *feeds(void *arg)
{
	for (int job = 0; job < JOBS; job++)
		if (write(work[1], &job, sizeof(job)) != sizeof(job))
			_exit(3);
	close(work[1]);
	return arg;
}

static void *passes_on(void *arg)
{
	int answer;

	for (int i = 0; i < JOBS; i++)
		if (recv(answers[0], &answer, sizeof(answer), MSG_WAITALL) != sizeof(answer) ||
		    write(between[1], &answer, sizeof(answer)) != sizeof(answer))
			_exit(3);
	close(between[1]);
	return arg;
}

int main(void)
{
	pid_t pid[WORKERS];
	pthread_t t[2];
	int answer, sum = 0;
	char line[32] = "";
	FILE *command;

	if (pipe(work) || pipe(between) || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, answers))
		return 3;
	for (int i = 0; i < WORKERS; i++)
		pid[i] = start_child(worker);
	close(work[0]);
	close(answers[1]);
	t[0] = start(feeds, NULL);
	t[1] = start(passes_on, NULL);
	while (read(between[0], &answer, sizeof(answer)) == sizeof(answer))
		sum += answer;
	finish(t[0]);
	finish(t[1]);
	for (int i = 0; i < WORKERS; i++)
		finish_child(pid[i]);
	command = popen("echo done", "r");
	if (!command || !fgets(line, sizeof(line), command) || pclose(command))
		return 3;
	printf("%d %s", sum, line);
	return 0;
}
