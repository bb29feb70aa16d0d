/* SPDX-License-Identifier: MIT */
/*
 * wrap_process.c - how a process starts its main function and how it ends.
 */
#include "wrap_process.h"

static void note_exit(struct arch_caller caller, uint32_t kind)
{
	struct call call;

	vfork_child_here();
	if (!shim || !shim_enter_with(&call, caller, ROOM_EARLY)) {
		return;
	}
	if (shim->process->pid != (uint32_t)sys0(SYS_getpid)) {
		shim_leave(&call); /* a vfork child, which shares our memory: its end is not ours */
		return;
	}
	call.stack = stack_id(&call);
	if (!shim->process->exit_kind) {
		shim->process->exit_kind = kind;
	}
	region_calibrate();
	if (kind == TRACE_EXIT_DESTRUCTORS) {
		threads_tell_ending(&call);
	}
	emit_plain(call.s, TRACE_PROCESS_EXIT, 2, kind, call.stack, 0);
	if (kind == TRACE_EXIT_QUICK && shim->stream_count == 1) {
		region_trim();
	}
	shim_leave(&call);
}

#define EXIT(name, kind)                                  \
	EXPORT __attribute__((noreturn)) void name(int s) \
	{                                                 \
		note_exit(ARCH_CALLER(), kind);           \
		real_##name(s);                           \
		__builtin_unreachable();                  \
	}

EXIT(exit, TRACE_EXIT_DESTRUCTORS)
EXIT(_exit, TRACE_EXIT_QUICK)
EXIT(_Exit, TRACE_EXIT_QUICK)
EXIT(quick_exit, TRACE_EXIT_QUICK)

/* A return from main reaches exit() inside libc, past our hook: so main is called from here. */
static int (*real_main)(int, char **, char **);

static int main_caller(int argc, char **argv, char **envp)
{
	int status = real_main(argc, argv, envp);

	note_exit(ARCH_CALLER(), TRACE_EXIT_DESTRUCTORS);
	return status;
}

EXPORT int __libc_start_main(int (*m)(int, char **, char **), int c, char **v, void (*i)(void),
			     void (*f)(void), void (*r)(void), void *e)
{
	shim_resolve_once();
	real_main = m;
	return real___libc_start_main(shim_options.enabled ? main_caller : m, c, v, i, f, r, e);
}
