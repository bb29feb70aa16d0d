/* SPDX-License-Identifier: MIT */
/*
 * wrap_uring.c - liburing: its waits for completions. It makes its system calls itself, so that nothing below shows; what the header
 * does inline, with the ring in memory, does not either.
 */
#include "wrap_block.h"

static struct task_library uring_library;

static bool is_inner(struct arch_caller caller, const void *real)
{
	uintptr_t function = (uintptr_t)real;

	if (unlikely(function < uring_library.start || function >= uring_library.end)) {
		const struct module *m = module_find(function);

		uring_library.start = m ? m->start : function;
		uring_library.end = m ? m->end : function + 1;
	}
	return caller.ip >= uring_library.start && caller.ip < uring_library.end;
}

#define PRIM_URING_WAIT(call_, ret, name, params, args, object_, mode_)                      \
	EXPORT ret name params                                                               \
	{                                                                                    \
		uint64_t note, since = arch_ticks();                                         \
		unsigned mode = (mode_);                                                     \
		struct call call;                                                            \
		ret rc;                                                                      \
                                                                                             \
		shim_resolve_once();                                                         \
		if (is_inner(ARCH_CALLER(), (void *)(uintptr_t)real_##name)) {               \
			return real_##name args;                                             \
		}                                                                            \
		if (block_before(&call, ARCH_CALLER(), TRACE_CALL_##call_, ON_NOTHING, mode, \
				 &note)) {                                                   \
			rc = real_##name args;                                               \
			block_after(&call, note, rc < 0 ? -rc : 0, UINT64_MAX);              \
		} else {                                                                     \
			rc = real_##name args;                                               \
		}                                                                            \
		bell_none(ARCH_CALLER());                                                    \
		task_turn(ARCH_CALLER(), since, mode == 0, rc);                              \
		return rc;                                                                   \
	}

#include "../spec/primitives/uring.def"

/* ---- the system call itself ---- */

enum { ENTER_GETEVENTS = 1 };

/* Entered by a jump from syscall(), as if called in its place. */
__attribute__((used, visibility("hidden"))) long
uring_call(long n, long ring, long submit, long wait, long flags, long mask, long mask_bytes);
long uring_call(long n, long ring, long submit, long wait, long flags, long mask, long mask_bytes)
{
	uint64_t note, since = arch_ticks();
	struct call call;
	bool noted;
	long rc;

	if (!(flags & ENTER_GETEVENTS) || wait <= 0) {
		return real_syscall(n, ring, submit, wait, flags, mask, mask_bytes);
	}
	/* The time limit, where there is one, lies in what `mask` points at. */
	noted = block_before(&call, ARCH_CALLER(), TRACE_CALL_URING_WAIT, ON_NOTHING,
			     TRACE_MODE_TIMED, &note);
	rc = real_syscall(n, ring, submit, wait, flags, mask, mask_bytes);
	if (noted) {
		block_after(&call, note, rc < 0 ? errno : 0, UINT64_MAX);
	}
	bell_none(ARCH_CALLER());
	task_turn(ARCH_CALLER(), since, false, rc < 0 ? -errno : rc);
	return rc;
}
