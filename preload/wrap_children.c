/* SPDX-License-Identifier: MIT */
/*
 * wrap_children.c - waits for children: who waits for which process, and how that one ended.
 */
#include "wrap.h"

#include <sys/wait.h>

/* `pid`: the one child that is waited for, 0 = any of several. */
static bool child_before(struct call *c, struct arch_caller caller, pid_t pid, int options)
{
	if (!shim_enter_with(c, caller, ROOM_EARLY)) {
		return false;
	}
	c->stack = stack_id(c);
	if (!(options & WNOHANG)) {
		if (unlikely(c->s->held || task_is_awaited(c->s, c->caller.sp))) {
			emit_osa_seq(c->s, TRACE_BLOCK, 0, c->stack, TRACE_CALL_WAIT_CHILD, 0);
		}
		wait_set(c, TRACE_WAIT_CHILD, 0, pid > 0 ? (uint32_t)pid : 0, 0, arch_ticks());
	}
	shim_leave(c);
	return true;
}

/* `pid`: as the call returned it, negative = errno. */
static void child_after(struct call *c, pid_t pid, int status, int options)
{
	shim_reenter(c);
	if (!(options & WNOHANG)) {
		wait_clear(c);
		if (unlikely(c->s->held || task_is_awaited(c->s, c->caller.sp))) {
			emit_plain(c->s, TRACE_UNBLOCK, 2, TRACE_CALL_WAIT_CHILD,
				   encode_zigzag(pid < 0 ? -pid : 0), 0);
		}
	}
	/* A look that found nothing is no event: some programs look all the time. */
	if (pid > 0 || !(options & WNOHANG)) {
		emit_plain(c->s, TRACE_REAP, 3, pid > 0 ? (uint64_t)pid : 0, c->stack,
			   encode_zigzag(pid < 0 ? pid : status));
	}
	shim_leave(c);
}

#define WAIT(name, params, which, options_, args)                                     \
	EXPORT pid_t name params                                                      \
	{                                                                             \
		struct call call;                                                     \
		int status = 0, *given = st;                                          \
		pid_t pid;                                                            \
                                                                                      \
		if (!child_before(&call, ARCH_CALLER(), which, options_)) {           \
			return real_##name args;                                      \
		}                                                                     \
		st = given ? given : &status;                                         \
		pid = real_##name args;                                               \
		child_after(&call, pid<0 ? -errno : pid, pid> 0 ? *st : 0, options_); \
		return pid;                                                           \
	}

WAIT(wait, (int *st), 0, 0, (st))
WAIT(waitpid, (pid_t p, int *st, int options), p, options, (p, st, options))
WAIT(wait3, (int *st, int options, struct rusage *r), 0, options, (st, options, r))
WAIT(wait4, (pid_t p, int *st, int options, struct rusage *r), p, options, (p, st, options, r))

/* As the status word that the other calls give. */
static int status_of(const siginfo_t *i)
{
	switch (i->si_code) {
	case CLD_EXITED:
		return (i->si_status & 0xff) << 8;
	case CLD_DUMPED:
		return (i->si_status & 0x7f) | 0x80;
	case CLD_STOPPED:
	case CLD_TRAPPED:
		return (i->si_status & 0xff) << 8 | 0x7f;
	case CLD_CONTINUED:
		return 0xffff;
	default:
		return i->si_status & 0x7f;
	}
}

EXPORT int waitid(idtype_t t, id_t id, siginfo_t *i, int options)
{
	siginfo_t own;
	struct call call;
	int rc;

	if (!child_before(&call, ARCH_CALLER(), t == P_PID ? (pid_t)id : 0, options)) {
		return real_waitid(t, id, i, options);
	}
	i = i ? i : &own;
	rc = real_waitid(t, id, i,
			 options); /* the kernel makes si_pid 0 where no child was found */
	child_after(&call, rc < 0 ? -errno : i->si_pid, rc < 0 ? 0 : status_of(i), options);
	return rc;
}
