/* SPDX-License-Identifier: MIT */
/*
 * wrap_privilege.c - calls after which this process, or its children, could no longer make files or system calls.
 *
 * The real call is made exactly as asked; what is done before it is about the trace only.
 */
#include "wrap.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <sys/prctl.h>

/* ---- another user ---- */

/* `user`: the effective user that the call asks for, -1 = as it is. */
#define CHANGE_USER(name, params, args, user)                                              \
	EXPORT int name params                                                             \
	{                                                                                  \
		long owner = shim && (user) != (uid_t)-1 ? directory_hand_over(user) : -1; \
		int rc;                                                                    \
                                                                                           \
		if (unlikely(tsan.thread) && (user) != (uid_t)-1 &&                        \
		    (long)(user) != sys0(SYS_geteuid)) {                                   \
			sanitizer_confined();                                              \
		}                                                                          \
		rc = real_##name args;                                                     \
		if (unlikely(rc < 0 && owner >= 0)) {                                      \
			directory_hand_back(owner);                                        \
		}                                                                          \
		return rc;                                                                 \
	}

CHANGE_USER(setuid, (uid_t u), (u), u)
CHANGE_USER(seteuid, (uid_t u), (u), u)
CHANGE_USER(setreuid, (uid_t r, uid_t u), (r, u), u)
CHANGE_USER(setresuid, (uid_t r, uid_t u, uid_t s), (r, u, s), u)

/* ---- another root ---- */

EXPORT int chroot(const char *p)
{
	if (shim) {
		proc_self_keep();
		sanitizer_confined();
	}
	return real_chroot(p);
}

/* ---- fewer system calls ---- */

struct confinement {
	struct call call;
	bool recorded, stopped;
	uint32_t flags;
};

static void confine_before(struct confinement *f, struct arch_caller caller, bool strict,
			   const void *filter)
{
	f->recorded = shim && shim_enter_with(&f->call, caller, ROOM_EARLY);
	if (f->recorded) {
		f->flags = shim->process->flags;
		f->stopped = seccomp_before(strict, filter);
		if (!f->stopped) {
			shim_leave(&f->call);
		}
	}
}

static void confine_after(const struct confinement *f, bool failed)
{
	if (f->recorded && failed) {
		seccomp_failed(f->stopped, f->flags);
	}
}

EXPORT int prctl(int op, ...)
{
	struct confinement f = { .recorded = false };
	unsigned long a[4];
	va_list ap;
	int rc;

	shim_resolve_once();
	va_start(ap, op);
	for (int i = 0; i < 4; i++) {
		a[i] = va_arg(ap, unsigned long); /* what is not there is not looked at by anyone */
	}
	va_end(ap);
	if (unlikely(op == PR_SET_SECCOMP) &&
	    (a[0] == SECCOMP_MODE_STRICT || a[0] == SECCOMP_MODE_FILTER)) {
		confine_before(&f, ARCH_CALLER(), a[0] == SECCOMP_MODE_STRICT, (const void *)a[1]);
	}
	rc = real_prctl(op, a[0], a[1], a[2], a[3]);
	confine_after(&f, rc < 0);
	return rc;
}

/* syscall(SYS_seccomp, …), which wrap_futex.c's entry passes here. */
__attribute__((used, visibility("hidden"))) long seccomp_call(long n, long op, long flags,
							      long filter);
long seccomp_call(long n, long op, long flags, long filter)
{
	struct confinement f = { .recorded = false };
	long rc;

	if (op == SECCOMP_SET_MODE_STRICT || op == SECCOMP_SET_MODE_FILTER) {
		confine_before(&f, ARCH_CALLER(), op == SECCOMP_SET_MODE_STRICT,
			       (const void *)filter);
	}
	rc = real_syscall(n, op, flags, filter);
	confine_after(&f, rc < 0);
	return rc;
}
