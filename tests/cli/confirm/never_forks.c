/* SPDX-License-Identifier: MIT */
/* INFEASIBLE one is over before the other begins; a handler forks while it is held back, and the child goes on from there */
#include "confirm.h"

#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>

enum { CHILDS_STATUS = 7 };

static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER, other = PTHREAD_MUTEX_INITIALIZER;
static pid_t program, child;
static int is_first_over;

BOTH(both, MUTEX, MUTEX)

static void fork_once(int number)
{
	(void)number;
	if (getpid() == program && !child)
		child = fork();
}

static void unblock_alarm(void)
{
	struct itimerval soon = { .it_value.tv_usec = 20000 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	MUST(pthread_sigmask(SIG_UNBLOCK, &set, NULL));
	MUST(setitimer(ITIMER_REAL, &soon, NULL));
}

static void part(long number)
{
	if (number) {
		while (!__atomic_load_n(&is_first_over, __ATOMIC_SEQ_CST))
			pause_ms(1);
		both(&other, &one);
		return;
	}
	unblock_alarm();
	both(&one, &other);
	if (getpid() != program)
		_exit(CHILDS_STATUS);
	__atomic_store_n(&is_first_over, 1, __ATOMIC_SEQ_CST);
}

int main(void)
{
	struct sigaction action = { .sa_handler = fork_once };
	sigset_t set;
	int status;

	program = getpid();
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	MUST(sigaction(SIGALRM, &action, NULL));
	MUST(pthread_sigmask(SIG_BLOCK, &set, NULL));
	run_apart(part, 2);
	if (child > 0 && (waitpid(child, &status, 0) != child || status != CHILDS_STATUS << 8))
		printf("the child's status is %#x\n", status);
	return 0;
}
