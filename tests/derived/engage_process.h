/* SPDX-License-Identifier: MIT */
/*
 * engage_process.h - exercises of the rows about processes: fork, exec, wait, users, confinement. What a child does is
 * looked for in the child's own image. Included by engage.c.
 */
#ifndef THRUM_TESTS_ENGAGE_PROCESS_H
#define THRUM_TESTS_ENGAGE_PROCESS_H

#include <dlfcn.h>
#include <sched.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { WRONG = 1000 };

static uint64_t events_of_image(pid_t pid, int image, uint32_t *ret_exit)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%d.%d.map", trace_dir, (int)pid, image);
	return count_file(path, ret_exit);
}

/* True: the child ended with 5, and has an image of its own that ended like this. */
static bool child_left_image(pid_t pid, uint32_t kind)
{
	uint32_t exit_kind = 0;
	int status;

	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 5 &&
	       events_of_image(pid, 1, &exit_kind) >= 1 && exit_kind == kind;
}

/* ---- fork ---- */

static int exercise__Fork(void)
{
	pid_t (*f)(void) = (pid_t(*)(void))dlsym(RTLD_DEFAULT, "_Fork");
	pid_t pid = f ? f() : -1;

	if (pid == 0) {
		_exit(5);
	}
	return pid < 0 && errno == ENOSYS ? 0 : child_left_image(pid, TRACE_EXIT_QUICK) ? 3 : WRONG;
}

static int exercise_vfork(void)
{
	int status;
	pid_t pid = vfork();

	if (pid == 0) {
		_exit(5);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 5 ? 2 : WRONG; /* FORK, REAP */
}

static int exercise_forkpty(void)
{
	pid_t (*f)(int *, char *, const void *, const void *) =
		(pid_t(*)(int *, char *, const void *, const void *))dlsym(RTLD_DEFAULT, "forkpty");
	int fd = -1, records;
	pid_t pid = f ? f(&fd, NULL, NULL, NULL) : -1;

	if (pid == 0) {
		_exit(5);
	}
	if (pid < 0) {
		return 0; /* no terminals here */
	}
	records = child_left_image(pid, TRACE_EXIT_QUICK) ? 3 : WRONG;
	close(fd); /* not before: it would hang the child up */
	return records;
}

static int exercise_daemon(void)
{
	uint32_t exit_kind = 0;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		_exit(daemon(1, 1) ? 1 : 0); /* the parent ends inside, the daemon here */
	}
	waitpid(pid, &status, 0);
	events_of_image(pid, 1, &exit_kind);
	return status == 0 && exit_kind == TRACE_EXIT_QUICK ? 3 : WRONG;
}

static int cloned(void *p)
{
	_exit(*(int *)p);
}

static int exercise_clone(void)
{
	static char stack[65536];
	int five = 5;
	pid_t pid = clone(cloned, stack + sizeof(stack), SIGCHLD, &five);

	return child_left_image(pid, TRACE_EXIT_QUICK) ? 3 : WRONG;
}

/* ---- exec: a child with an empty environment leaves a second image ---- */

static char *const no_environment[] = { NULL };
static char *const words[] = { (char *)"sh", (char *)"-c", (char *)"exit 5", NULL };

static int in_child(void (*replace)(void))
{
	uint32_t exit_kind = 0, exit_kind_2 = 0;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		environ = (char **)no_environment;
		replace();
		_exit(errno == ENOSYS ? 77 : 1);
	}
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
		return 0; /* not in this libc */
	}
	events_of_image(pid, 1, &exit_kind);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 5 || exit_kind != TRACE_EXIT_EXEC ||
	    events_of_image(pid, 2, &exit_kind_2) < 1) {
		return WRONG;
	}
	return 3; /* FORK_BEGIN, FORK, REAP */
}

#define REPLACE(name, ...)                       \
	static void replace_##name(void)         \
	{                                        \
		__VA_ARGS__;                     \
	}                                        \
	static int exercise_##name(void)         \
	{                                        \
		return in_child(replace_##name); \
	}

REPLACE(execve, execve("/bin/sh", words, no_environment))
REPLACE(execv, execv("/bin/sh", words))
REPLACE(execvp, execvp("sh", words))
REPLACE(execvpe, execvpe("sh", words, no_environment))
REPLACE(execl, execl("/bin/sh", "sh", "-c", "exit 5", (char *)NULL))
REPLACE(execlp, execlp("sh", "sh", "-c", "exit 5", (char *)NULL))
REPLACE(execle, execle("/bin/sh", "sh", "-c", "exit 5", (char *)NULL, no_environment))
REPLACE(fexecve, fexecve(open("/bin/sh", O_RDONLY | O_CLOEXEC), words, no_environment))
REPLACE(execveat, int (*f)(int, const char *, char *const[], char *const[],
			   int) = (int (*)(int, const char *, char *const[], char *const[],
					   int))dlsym(RTLD_DEFAULT, "execveat");
	if (f) f(AT_FDCWD, "/bin/sh", words, no_environment, 0); else errno = ENOSYS)

static int spawned(int (*spawn)(pid_t *, const char *, const posix_spawn_file_actions_t *,
				const posix_spawnattr_t *, char *const[], char *const[]),
		   const char *path)
{
	uint32_t exit_kind;
	int status;
	pid_t pid = -1;

	if (spawn(&pid, path, NULL, NULL, words, no_environment)) {
		return WRONG;
	}
	waitpid(pid, &status, 0);
	return status == 5 << 8 && events_of_image(pid, 1, &exit_kind) >= 1
		       ? 2
		       : WRONG; /* SPAWN, REAP */
}
SIMPLE(posix_spawn, spawned(posix_spawn, "/bin/sh"), (void)0)
SIMPLE(posix_spawnp, spawned(posix_spawnp, "sh"), (void)0)

/* ---- waits: fork makes two records, the wait one ---- */

static pid_t child_of_five(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		_exit(5);
	}
	return pid;
}

#define REAP(name, ...)                                                                   \
	static int exercise_##name(void)                                                  \
	{                                                                                 \
		int status = 0;                                                           \
		pid_t pid = child_of_five();                                              \
		bool same = __VA_ARGS__;                                                  \
		return same && WIFEXITED(status) && WEXITSTATUS(status) == 5 ? 3 : WRONG; \
	}

REAP(wait, wait(&status) == pid)
REAP(waitpid, waitpid(pid, &status, 0) == pid)
REAP(wait3, wait3(&status, 0, NULL) == pid)
REAP(wait4, wait4(pid, &status, 0, NULL) == pid)
static int exercise_waitid(void)
{
	siginfo_t info;
	pid_t pid = child_of_five();

	return waitid(P_PID, (id_t)pid, &info, WEXITED) == 0 && info.si_pid == pid &&
			       info.si_status == 5
		       ? 3
		       : WRONG;
}

/* ---- users: the directory goes along, which root alone can see ---- */

enum { SOMEBODY = 65534 };

static int hands_over(int (*change)(void))
{
	uint32_t exit_kind;
	struct stat st;
	int status, told[2];
	pid_t pid, grandchild = 0;

	if (geteuid() != 0 || pipe(told)) {
		return 0;
	}
	pid = fork();
	if (pid == 0) {
		if (change() || geteuid() != SOMEBODY) {
			_exit(1);
		}
		/* A child of that user can still be recorded. */
		grandchild = child_of_five();
		waitpid(grandchild, &status, 0);
		_exit(write(told[1], &grandchild, sizeof(grandchild)) < 0 ? 2 : 5);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 5 ||
	    read(told[0], &grandchild, sizeof(grandchild)) != sizeof(grandchild) ||
	    close(told[0]) || close(told[1]) || events_of_image(grandchild, 1, &exit_kind) < 2 ||
	    stat(trace_dir, &st) || st.st_uid != SOMEBODY) {
		return WRONG;
	}
	return chown(trace_dir, 0, (gid_t)-1) ? WRONG : 3;
}

#define CHANGE(name, call)                        \
	static int change_##name(void)            \
	{                                         \
		return call;                      \
	}                                         \
	static int exercise_##name(void)          \
	{                                         \
		return hands_over(change_##name); \
	}

CHANGE(setuid, setuid(SOMEBODY))
CHANGE(seteuid, seteuid(SOMEBODY))
CHANGE(setreuid, setreuid((uid_t)-1, SOMEBODY))
CHANGE(setresuid, setresuid(SOMEBODY, SOMEBODY, SOMEBODY))

/* In another root a child still makes its files and finds its modules. */
static int exercise_chroot(void)
{
	char dir[] = "/tmp/thrum-engage-XXXXXX";
	int status;
	pid_t pid;

	if (geteuid() != 0 || !mkdtemp(dir)) {
		return 0;
	}
	pid = fork();
	if (pid == 0) {
		uint32_t exit_kind;

		trace_dir = "/";
		if (chroot(dir) || chdir("/")) {
			_exit(77);
		}
		pid = child_of_five();
		_exit(waitpid(pid, &status, 0) == pid && status == 5 << 8 &&
				      events_of_image(pid, 1, &exit_kind) == 0
			      ? 5
			      : 2);
	}
	waitpid(pid, &status, 0);
	rmdir(dir);
	if (!WIFEXITED(status) || WEXITSTATUS(status) == 77) {
		return 0; /* not allowed here */
	}
	return WEXITSTATUS(status) == 5 ? 3 : WRONG;
}

/* ---- confinement: our system calls end before the kernel ends the process for them ---- */

static int exercise_prctl(void)
{
	char path[4096];
	struct tf_process head = { .flags = 0 };
	int status, fd;
	pid_t pid = fork();

	if (pid == 0) {
		if (prctl(PR_SET_SECCOMP, 1 /* strict */)) {
			syscall(SYS_exit, 77);
		}
		for (int i = 0; i < 100000; i++) { /* several segments full */
			pthread_mutex_lock(&m);
			pthread_mutex_unlock(&m);
		}
		syscall(SYS_exit, 5);
	}
	waitpid(pid, &status, 0);
	snprintf(path, sizeof(path), "%s/%d.1.map", trace_dir, (int)pid);
	fd = open(path, O_RDONLY);
	if (pread(fd, &head, sizeof(head), 0) < 0) {
		head.flags = 0;
	}
	close(fd);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
		return 0; /* no seccomp here */
	}
	return status == 5 << 8 && head.flags & TF_PROCESS_SECCOMP && head.flags & TF_PROCESS_OFF
		       ? 3
		       : WRONG;
}

#endif
