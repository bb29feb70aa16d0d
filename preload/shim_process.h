/* SPDX-License-Identifier: MIT */
/*
 * shim_process.h - what concerns processes: the trace's files over fork, chroot and changes of user, the
 * environment of started programs, children of vfork, seccomp. Included by shim.h only.
 */
#ifndef THRUM_SHIM_PROCESS_H
#define THRUM_SHIM_PROCESS_H

enum exec_path { EXEC_PATH = 232 }; /* bytes kept of the path of a program that is started */

/* Written by a vfork child, which records nothing itself, in memory it shares with its parent. */
struct vfork_child {
	uint32_t stack;	      /* of the vfork call */
	_Atomic uint32_t pid; /* 0 = it told nothing */
	bool execs;
	char path[EXEC_PATH]; /* of its last exec */
	void *block;	      /* memory that its exec needed; NULL = none */
	size_t block_bytes;
};

/* ---- the trace's files (shim_directory.c) ---- */

/*
 * One file of ours: its descriptor is kept high and close-on-exec, and believed only while fstat says
 * that the host has not closed it and got the number for something else.
 */
struct kept_file {
	_Atomic int fd;	   /* -1 = not kept: opened for each use */
	uint64_t dev, ino; /* dev 0: a perf event, ino is its id */
	char name[40];	   /* in the trace directory */
};

/*
 * BOOT: opens the trace directory, made when missing, and keeps it: for children, also after chroot, chdir and
 * with other privileges.
 */
bool directory_open(const char *dir);
/* BOOT: an error is -errno, -EEXIST included. */
int kept_file_create(struct kept_file *f, const char *name);
/* SLOW: a descriptor for one use, to be handed to kept_file_put; negative when there is none. */
int kept_file_get(struct kept_file *f);
void kept_file_put(struct kept_file *f, int fd);
/* SLOW: the directory, likewise. */
int directory_get(void);
void directory_put(int fd);
/*
 * SLOW: this process is about to become user `uid`: the directory becomes that user's, so that what it starts
 * can be recorded. Returns the owner to give back to when that fails, or -1.
 */
long directory_hand_over(uint32_t uid);
void directory_hand_back(long owner);
/* SLOW: the directory's absolute path as THRUM_OPTIONS carries it. */
const char *directory_path(void);
/* SLOW: opens /proc/self/NAME for reading, also in a chroot; negative when there is none. */
int proc_self_open(const char *name);
int proc_self_open_to(const char *name, int flags); /* the same, O_RDWR and the like */
void proc_self_keep(void);			    /* SLOW: before a chroot */
/* ANY: is this open descriptor one of ours? Natively nothing is open there. */
bool directory_owns(int fd);
static hot_inline bool shim_owns_fd(int fd)
{
	return fd >= 100 && directory_owns(fd);
}
int shim_fd_move_high(
	int fd); /* ANY: a duplicate where no host looks for descriptors; negative: there is no room */
bool shim_fd_is_event(int fd, uint64_t id); /* ANY: is that perf event there? */
/* SLOW: moves ours to another number, since the host wants this one (dup2). */
void shim_yield_fd(int fd);
/* SLOW: the numbers of ours, ascending; returns how many. */
enum { OWNED_FDS = 8 };
unsigned shim_owned_fds(int ret[OWNED_FDS]);

/* ---- seccomp (shim_seccomp.c) ---- */

/* SLOW: before a filter is installed, or strict mode. True: recording ended, since it would kill us. */
bool seccomp_before(bool strict, const void *filter);
/* It was not installed. */
void seccomp_failed(bool was_stopped, uint32_t old_flags);

/* ---- started programs (shim_environment.c) ---- */

/*
 * What the environment of a started program must hold: "LD_PRELOAD" entry of ours ("" = we came another way) and
 * the whole of THRUM_OPTIONS=…; and as it was when we started.
 */
struct shim_environment {
	char library[4096];
	char options[8192];
	const char *options_given; /* "" = not given */
};
extern struct shim_environment shim_environment;
void environment_learn(const char *library); /* BOOT: after the directory is open */

#endif
