/* SPDX-License-Identifier: MIT */
/* SHOWS flock used correctly: shared, upgraded, released by close and by dup2, inherited by a child, held till exit, by the thread that came first */
/* RUN clean */
#include "../process.h"

#include <sys/file.h>

static char path[] = "/tmp/sample-flock-XXXXXX";
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static int inherited;

static void *unlocks(void *arg)
{
	/* The lock belongs to the description: any thread may give it back. */
	MUST(flock(*(int *)arg, LOCK_UN));
	return NULL;
}

static void *locks_and_ends(void *arg)
{
	MUST(flock(*(int *)arg, LOCK_EX));
	return NULL;
}

static int child_unlocks(void)
{
	MUST(flock(inherited, LOCK_UN));
	return 0;
}

static int another_process(void)
{
	int fd = open(path, O_RDWR);

	MUST(flock(fd, LOCK_EX)); /* waits until nobody has it */
	return 0;		  /* and ends with it */
}

int main(void)
{
	int fd, second, other;

	fd = mkstemp(path);
	MUST(flock(fd, LOCK_SH));
	MUST(flock(fd, LOCK_EX)); /* upgrade */
	MUST(flock(fd, LOCK_EX)); /* has it already */
	second = dup(fd);
	MUST(flock(second, LOCK_EX)); /* the same description */
	close(fd);
	finish(start(unlocks, &second));
	finish(start(locks_and_ends, &second));
	other = open(path, O_RDWR);
	GIVES(-1, flock(other, LOCK_EX | LOCK_NB));
	close(second); /* the last of its description: unlocked */
	MUST(flock(other, LOCK_EX | LOCK_NB));
	dup2(STDERR_FILENO, other); /* unlocked */
	finish_child(start_child(another_process));

	inherited = open(path, O_RDWR);
	MUST(flock(inherited, LOCK_EX));
	finish_child(start_child(child_unlocks));
	other = open(path, O_RDWR);
	MUST(flock(other, LOCK_EX | LOCK_NB));

	/* Inside and outside of a mutex, with nobody else there. */
	MUST(pthread_mutex_lock(&m));
	MUST(flock(other, LOCK_UN));
	MUST(flock(other, LOCK_EX));
	MUST(pthread_mutex_unlock(&m));
	unlink(path);
	return 0; /* with the lock, as daemons do */
}
