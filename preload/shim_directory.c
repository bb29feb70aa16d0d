/* SPDX-License-Identifier: MIT */
/*
 * shim_directory.c - the trace directory and our descriptors in it: how files of ours are made and found again.
 *
 * The host may close all descriptors, change its directory, its root and its user, or allow itself sixteen
 * descriptors. So the directory is kept open (high, close-on-exec), files are opened relative to it, and
 * each descriptor is believed only while fstat says that it is still ours. Where no high number is to be had,
 * nothing is kept and a file is opened for each use: the host's own numbers stay what they were.
 *
 * The directory is no part of the memory that fork wipes: a child makes its files through its parent's
 * descriptor. Safety class SLOW. Nothing here touches errno.
 */
#include "shim_races.h"

#include <linux/perf_event.h>

#include <fcntl.h>
#include <sys/stat.h>

enum { FD_FLOOR = 512, FD_FLOOR_LOW = 100 };

static struct {
	char path[4096]; /* absolute; "" before the first boot */
	struct kept_file kept;
	struct kept_file proc; /* only once the host went for a chroot */
} directory = { .kept.fd = -1, .proc.fd = -1 };

/* ---- descriptors ---- */

bool shim_fd_is_event(int fd, uint64_t id)
{
	uint64_t now = 0;

	return sys3(SYS_ioctl, fd, PERF_EVENT_IOC_ID, &now) == 0 && now == id;
}

static bool is_ours(int fd, uint64_t dev, uint64_t ino)
{
	struct stat st;

	if (!dev && fd >= 0) {
		return shim_fd_is_event(fd, ino);
	}
	return fd >= 0 && sys2(SYS_fstat, fd, &st) == 0 && st.st_dev == dev && st.st_ino == ino;
}

static bool identify(struct kept_file *f, int fd)
{
	struct stat st;

	if (sys2(SYS_fstat, fd, &st) < 0) {
		return false;
	}
	f->dev = st.st_dev;
	f->ino = st.st_ino;
	return true;
}

int shim_fd_move_high(int fd)
{
	int high = (int)sys3(SYS_fcntl, fd, F_DUPFD_CLOEXEC, FD_FLOOR);

	return high >= 0 ? high : (int)sys3(SYS_fcntl, fd, F_DUPFD_CLOEXEC, FD_FLOOR_LOW);
}

/* Keeps `fd` under a high number; without one, `fd` itself serves the use at hand. */
static int keep(struct kept_file *f, int fd)
{
	int old = atomic_load(&f->fd), high = shim_fd_move_high(fd);

	if (high < 0) {
		atomic_store(&f->fd, -1);
		return fd;
	}
	sys1(SYS_close, fd);
	if (!atomic_compare_exchange_strong(&f->fd, &old, high)) {
		return high; /* another thread was faster; kept_file_put closes this one */
	}
	return high;
}

int kept_file_get(struct kept_file *f)
{
	int fd = atomic_load(&f->fd), parent;

	if (is_ours(fd, f->dev, f->ino)) {
		return fd;
	}
	parent = directory_get();
	if (parent < 0) {
		return parent;
	}
	fd = (int)sys4(SYS_openat, parent, f->name, O_RDWR | O_CLOEXEC, 0);
	directory_put(parent);
	if (fd < 0) {
		return fd;
	}
	if (!is_ours(fd, f->dev, f->ino)) {
		sys1(SYS_close, fd);
		return -1;
	}
	return keep(f, fd);
}

void kept_file_put(struct kept_file *f, int fd)
{
	if (fd >= 0 && fd != atomic_load(&f->fd)) {
		sys1(SYS_close, fd);
	}
}

int kept_file_create(struct kept_file *f, const char *name)
{
	int parent = directory_get(), fd;

	atomic_store(&f->fd, -1);
	if (parent < 0) {
		return parent;
	}
	fd = (int)sys4(SYS_openat, parent, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	directory_put(parent);
	if (fd < 0) {
		return fd;
	}
	for (size_t i = 0; i < sizeof(f->name) - 1 && (i == 0 || name[i - 1]); i++) {
		f->name[i] = name[i];
	}
	if (!identify(f, fd)) {
		sys1(SYS_close, fd);
		return -1;
	}
	kept_file_put(f, keep(f, fd));
	return 0;
}

/* ---- the directory ---- */

/* Absolute, since the host may chdir. */
static bool make_path(const char *dir)
{
	size_t room = sizeof(directory.path) - 1, n = 0;
	long cwd;

	if (dir[0] != '/') {
		cwd = sys2(SYS_getcwd, directory.path, room);
		if (cwd <= 0 || directory.path[0] != '/') {
			directory.path[0] = 0;
			return false;
		}
		n = (size_t)cwd - 1;
		directory.path[n++] = '/';
	}
	while (*dir && n < room) {
		directory.path[n++] = *dir++;
	}
	directory.path[n] = 0;
	if (*dir) {
		directory.path[0] = 0;
		return false;
	}
	return true;
}

static int directory_reopen(void)
{
	int fd = (int)sys4(SYS_openat, AT_FDCWD, directory.path, O_PATH | O_DIRECTORY | O_CLOEXEC,
			   0);

	if (fd < 0 || !identify(&directory.kept, fd)) {
		return fd;
	}
	return keep(&directory.kept, fd);
}

int directory_get(void)
{
	int fd = atomic_load(&directory.kept.fd);

	return is_ours(fd, directory.kept.dev, directory.kept.ino) ? fd : directory_reopen();
}

void directory_put(int fd)
{
	kept_file_put(&directory.kept, fd);
}

bool directory_open(const char *dir)
{
	int fd;

	if (!directory.path[0]) {
		if (!make_path(dir)) {
			return false;
		}
		sys3(SYS_mkdirat, AT_FDCWD, directory.path, 0700);
	}
	fd = directory_get();
	directory_put(fd);
	return fd >= 0;
}

const char *directory_path(void)
{
	return directory.path;
}

/* ---- other privileges, another root ---- */

long directory_hand_over(uint32_t uid)
{
	int fd = directory.path[0] ? directory_get() : -1;
	struct stat st;
	long owner = -1;

	if (fd >= 0 && sys2(SYS_fstat, fd, &st) == 0 && st.st_uid != uid &&
	    st.st_uid == (uint32_t)sys0(SYS_geteuid) &&
	    sys6(SYS_fchownat, fd, (long)"", uid, -1, AT_EMPTY_PATH, 0) == 0) {
		owner = st.st_uid;
	}
	if (fd >= 0) {
		directory_put(fd);
	}
	return owner;
}

void directory_hand_back(long owner)
{
	int fd = owner < 0 ? -1 : directory_get();

	if (fd >= 0) {
		sys6(SYS_fchownat, fd, (long)"", owner, -1, AT_EMPTY_PATH, 0);
		directory_put(fd);
	}
}

void proc_self_keep(void)
{
	int fd;

	if (is_ours(atomic_load(&directory.proc.fd), directory.proc.dev, directory.proc.ino)) {
		return;
	}
	fd = (int)sys4(SYS_openat, AT_FDCWD, "/proc", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	if (fd >= 0 && identify(&directory.proc, fd)) {
		kept_file_put(&directory.proc, keep(&directory.proc, fd));
	}
}

int proc_self_open(const char *name)
{
	return proc_self_open_to(name, O_RDONLY);
}

int proc_self_open_to(const char *name, int flags)
{
	static const char prefix[] = "/proc/self/";
	char path[64];
	size_t n = 0;
	int fd;

	for (; n < sizeof(prefix) - 1; n++) {
		path[n] = prefix[n];
	}
	for (; *name && n < sizeof(path) - 1; n++) {
		path[n] = *name++;
	}
	path[n] = 0;
	fd = (int)sys4(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0);
	if (fd < 0 &&
	    is_ours(atomic_load(&directory.proc.fd), directory.proc.dev, directory.proc.ino)) {
		fd = (int)sys4(SYS_openat, atomic_load(&directory.proc.fd), path + 6,
			       flags | O_CLOEXEC, 0);
	}
	return fd;
}

/* ---- beside the host's own descriptors ---- */

/* Ours, in no order; NULL where this process has none. */
static struct kept_file *owned(unsigned i)
{
	bool live = shim && atomic_load(&shim->state) == SHIM_LIVE;

	switch (i) {
	case 0:
		return &directory.kept;
	case 1:
		return &directory.proc;
	case 2:
		return live ? &shim->map_file : NULL;
	case 3:
		return live ? &shim->events_file : NULL;
	default:
		return live ? races_file(i - 4) : NULL;
	}
}

static struct kept_file *owner_of(int fd)
{
	for (unsigned i = 0; i < OWNED_FDS; i++) {
		struct kept_file *f = owned(i);

		if (f && atomic_load(&f->fd) == fd && is_ours(fd, f->dev, f->ino)) {
			return f;
		}
	}
	return NULL;
}

bool directory_owns(int fd)
{
	return owner_of(fd) != NULL;
}

void shim_yield_fd(int fd)
{
	struct kept_file *f = owner_of(fd);
	int other = f ? shim_fd_move_high(fd) : -1;

	if (f) {
		atomic_store(&f->fd, other < 0 ? -1 : other);
		sys1(SYS_close, fd);
	}
}

unsigned shim_owned_fds(int ret[OWNED_FDS])
{
	unsigned count = 0;

	for (unsigned i = 0; i < OWNED_FDS; i++) {
		struct kept_file *f = owned(i);
		int fd = f ? atomic_load(&f->fd) : -1;
		unsigned at = count;

		if (fd < 0 || !is_ours(fd, f->dev, f->ino)) {
			continue;
		}
		for (; at > 0 && ret[at - 1] > fd; at--) {
			ret[at] = ret[at - 1];
		}
		ret[at] = fd;
		count++;
	}
	return count;
}
