/* SPDX-License-Identifier: MIT */
/*
 * wrap_descriptor.c - calls that make, copy and close descriptors: passed on, and told to
 * shim_descriptor.c. None is recorded.
 *
 * The recorder's own descriptors are not there for the host: closing one fails with EBADF as it
 * would without us, and one that is wanted as a target moves away.
 */
#include "wrap.h"

#include <errno.h>
#include <stdio.h>

enum { RANGE_CLOEXEC = 4 }; /* CLOSE_RANGE_CLOEXEC: closes nothing now */

EXPORT int pipe(int f[2])
{
	int rc = real_pipe(f);

	if (rc == 0) {
		descriptor_pair_made(ARCH_CALLER(), f, 2);
	}
	return rc;
}

EXPORT int pipe2(int f[2], int flags)
{
	int rc = real_pipe2(f, flags);

	if (rc == 0) {
		descriptor_pair_made(ARCH_CALLER(), f, 2);
	}
	return rc;
}

EXPORT int socketpair(int d, int t, int p, int f[2])
{
	int rc = real_socketpair(d, t, p, f);

	if (rc == 0) {
		descriptor_pair_made(ARCH_CALLER(), f, 2);
	}
	return rc;
}

EXPORT FILE *popen(const char *command, const char *mode)
{
	FILE *f = real_popen(command, mode);

	if (f) {
		descriptor_pair_made(ARCH_CALLER(), &f->_fileno, 1);
	}
	return f;
}

EXPORT int dup(int f)
{
	int rc = real_dup(f);

	if (rc >= 0) {
		descriptor_duplicated(ARCH_CALLER(), f, rc);
	}
	return rc;
}

EXPORT int dup2(int f, int g)
{
	int rc;

	if (unlikely(shim_owns_fd(g))) {
		shim_yield_fd(g);
	}
	if (f != g) {
		descriptor_closing(ARCH_CALLER(), g);
	}
	rc = real_dup2(f, g);
	if (rc >= 0) {
		descriptor_duplicated(ARCH_CALLER(), f, g);
	}
	return rc;
}

EXPORT int dup3(int f, int g, int flags)
{
	int rc;

	if (unlikely(shim_owns_fd(g))) {
		shim_yield_fd(g);
	}
	if (f != g) {
		descriptor_closing(ARCH_CALLER(), g);
	}
	rc = real_dup3(f, g, flags);
	if (rc >= 0) {
		descriptor_duplicated(ARCH_CALLER(), f, g);
	}
	return rc;
}

EXPORT int close(int f)
{
	if (unlikely(shim_owns_fd(f))) {
		errno = EBADF;
		return -1;
	}
	descriptor_closing(ARCH_CALLER(), f);
	return real_close(f);
}

/* Entered by a jump from syscall(), as if called in its place: so libuv closes. */
__attribute__((used, visibility("hidden"))) long close_call(long n, long f);
long close_call(long n, long f)
{
	if (unlikely(shim_owns_fd((int)f))) {
		errno = EBADF;
		return -1;
	}
	descriptor_closing(ARCH_CALLER(), (int)f);
	return real_syscall(n, f);
}

EXPORT int fclose(FILE *f)
{
	if (f && f->_fileno >= 0) {
		descriptor_closing(ARCH_CALLER(), f->_fileno);
	}
	return real_fclose(f);
}

EXPORT FILE *freopen(const char *restrict path, const char *restrict mode, FILE *restrict f)
{
	if (f && f->_fileno >= 0) {
		descriptor_closing(ARCH_CALLER(), f->_fileno);
	}
	return real_freopen(path, mode, f);
}

EXPORT FILE *freopen64(const char *restrict path, const char *restrict mode, FILE *restrict f)
{
	if (f && f->_fileno >= 0) {
		descriptor_closing(ARCH_CALLER(), f->_fileno);
	}
	return real_freopen64(path, mode, f);
}

EXPORT int setsockopt(int f, int level, int name, const void *value, socklen_t n)
{
	int rc = real_setsockopt(f, level, name, value, n);

	if (level == SOL_SOCKET && (name == SO_RCVTIMEO || name == SO_SNDTIMEO)) {
		descriptor_changed(ARCH_CALLER(), f);
	}
	return rc;
}

static int close_around(unsigned f, unsigned t, int flags)
{
	int own[OWNED_FDS];
	unsigned count = shim ? shim_owned_fds(own) : 0;
	int rc = 0;

	for (unsigned i = 0; i < count && rc == 0; i++) {
		unsigned fd = (unsigned)own[i];

		if (fd < f || fd > t) {
			continue;
		}
		if (fd > f) {
			rc = real_close_range(f, fd - 1, flags);
		}
		f = fd + 1;
		if (f > t) {
			return rc;
		}
	}
	return rc ? rc : real_close_range(f, t, flags);
}

EXPORT int close_range(unsigned f, unsigned t, int flags)
{
	if (f > t) {
		return real_close_range(f, t, flags);
	}
	if (!(flags & RANGE_CLOEXEC)) {
		descriptor_closing_range(ARCH_CALLER(), f, t);
	}
	return close_around(f, t, flags);
}

EXPORT void closefrom(int f)
{
	int own[OWNED_FDS];
	int saved = errno;

	descriptor_closing_range(ARCH_CALLER(), f < 0 ? 0 : (unsigned)f, UINT32_MAX);
	if (!shim || shim_owned_fds(own) == 0 ||
	    close_around(f < 0 ? 0 : (unsigned)f, UINT32_MAX, 0)) {
		real_closefrom(f);
	}
	errno = saved;
}
