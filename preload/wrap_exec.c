/* SPDX-License-Identifier: MIT */
/*
 * wrap_exec.c - new programs: exec in all its forms, and posix_spawn.
 *
 * A program often cleans the environment before it starts another one: the two variables of ours are put back
 * for the call. The real function is the one that was called where the environment may stay as it is.
 * A failed exec leaves everything as it was. Async-signal-safe, and safe in a child of vfork.
 */
#include "shim_races.h"
#include "wrap_process.h"

#include <errno.h>
#include <stdarg.h>

extern char **environ;

/* ---- what is recorded ---- */

/* The path may be a bad pointer, which is the kernel's to find. */
static void copy_path(char to[EXEC_PATH], const char *from)
{
	size_t n = 0;

	while (n < EXEC_PATH - 1) {
		uintptr_t at = (uintptr_t)from + n;
		size_t room = 4096 - at % 4096;

		room = room < EXEC_PATH - 1 - n ? room : EXEC_PATH - 1 - n;
		if (!module_read(at, to + n, room)) {
			break;
		}
		for (size_t end = n + room; n < end; n++) {
			if (!to[n]) {
				return;
			}
		}
	}
	to[n] = 0;
}

struct exec_call {
	struct call call;
	struct vfork_child *child; /* we are a child of vfork */
	struct environment_block block;
	char *const *envp;
	bool recorded;
	uint32_t outer_exit_kind;
};

static void exec_record(struct exec_call *x, const char *path)
{
	char copy[EXEC_PATH];
	struct call *c = &x->call;

	c->stack = stack_id(c);
	copy_path(copy, path);
	define_exec(c->s->thread, shim->process->pid, TF_EXEC_SELF, copy);
	emit_plain(c->s, TRACE_EXEC, 2, c->stack, encode_zigzag(0), 0);
	x->outer_exit_kind = shim->process->exit_kind;
	shim->process->exit_kind = TRACE_EXIT_EXEC;
	region_calibrate();
	region_trim();
	shim_leave(c);
}

static void exec_before(struct exec_call *x, struct arch_caller caller, const char *path,
			char *const *envp)
{
	x->child = vfork_child_here();
	x->recorded = false;
	if (!x->child) {
		races_before_exec();
	}
	if (x->child) {
		x->child->execs = true;
		copy_path(x->child->path, path);
	} else if (shim && shim_enter_with(&x->call, caller, ROOM_EARLY)) {
		x->recorded = shim->process->pid == (uint32_t)sys0(SYS_getpid);
		if (x->recorded) {
			exec_record(x, path);
		} else {
			shim_leave(&x->call);
		}
	}
	x->envp = environment_for(envp, x->child && shim_options.follow_none, &x->block);
	if (x->child) { /* a successful exec leaves it mapped in the parent */
		x->child->block = x->block.memory;
		x->child->block_bytes = x->block.bytes;
	}
}

static int exec_failed(struct exec_call *x, int rc)
{
	int error = errno;

	if (x->child) {
		x->child->execs = false;
		x->child->block = NULL;
	}
	environment_release(&x->block);
	if (x->recorded) {
		region_untrim();
	}
	if (x->recorded && atomic_load(&shim->state) == SHIM_LIVE) {
		shim_reenter(&x->call);
		shim->process->exit_kind = x->outer_exit_kind;
		emit_plain(x->call.s, TRACE_EXEC, 2, x->call.stack, encode_zigzag(error), 0);
		shim_leave(&x->call);
	}
	return rc;
}

/* ---- exec ---- */

/* `given`: the environment the call names; `same`: the call that passes it on as it is; `other`: with x.envp. */
#define EXEC(name, params, path, given, same, other)                                \
	EXPORT int name params                                                      \
	{                                                                           \
		struct exec_call x;                                                 \
		int rc;                                                             \
                                                                                    \
		exec_before(&x, ARCH_CALLER(), path, given);                        \
		rc = x.envp == (char *const *)(given) ? real_##same : real_##other; \
		return exec_failed(&x, rc);                                         \
	}

EXEC(execve, (const char *p, char *const v[], char *const e[]), p, e, execve(p, v, e),
     execve(p, v, x.envp))
EXEC(execv, (const char *p, char *const v[]), p, environ, execv(p, v), execve(p, v, x.envp))
EXEC(execvp, (const char *p, char *const v[]), p, environ, execvp(p, v), execvpe(p, v, x.envp))
EXEC(execvpe, (const char *p, char *const v[], char *const e[]), p, e, execvpe(p, v, e),
     execvpe(p, v, x.envp))
EXEC(fexecve, (int fd, char *const v[], char *const e[]), "", e, fexecve(fd, v, e),
     fexecve(fd, v, x.envp))
EXEC(execveat, (int fd, const char *p, char *const v[], char *const e[], int f), p, e,
     execveat(fd, p, v, e, f), execveat(fd, p, v, x.envp, f))

/* The list as an array on the stack, as libc makes it too; `e`: the environment behind the NULL. */
#define ARGUMENTS(v, a, take_environment)               \
	size_t count = 1;                               \
	va_list ap;                                     \
                                                        \
	va_start(ap, a);                                \
	while (va_arg(ap, char *)) {                    \
		count++;                                \
	}                                               \
	va_end(ap);                                     \
	v = __builtin_alloca((count + 1) * sizeof(*v)); \
	v[0] = (char *)(uintptr_t)a;                    \
	va_start(ap, a);                                \
	for (size_t i = 1; i <= count; i++) {           \
		v[i] = va_arg(ap, char *);              \
	}                                               \
	take_environment;                               \
	va_end(ap)

#define EXEC_LIST(name, given, take_environment, same, other)                                    \
	EXPORT int name(const char *p, const char *a, ...)                                       \
	{                                                                                        \
		struct exec_call x;                                                              \
		const char *first = a;                                                           \
		char **v, *const *e = given;                                                     \
		int rc;                                                                          \
                                                                                                 \
		__asm__("" : "+r"(first)); /* declared never NULL, and passed on all the same */ \
		if (!first) {		   /* an empty list has no end to look for */            \
			v = __builtin_alloca(sizeof(*v));                                        \
			v[0] = NULL;                                                             \
			EMPTY_##take_environment;                                                \
		} else {                                                                         \
			ARGUMENTS(v, a, LIST_##take_environment);                                \
		}                                                                                \
		exec_before(&x, ARCH_CALLER(), p, e);                                            \
		rc = x.envp == e ? real_##same : real_##other;                                   \
		return exec_failed(&x, rc);                                                      \
	}

#define LIST_NONE (void)0
#define LIST_BEHIND e = va_arg(ap, char *const *)
#define EMPTY_NONE (void)0
#define EMPTY_BEHIND                   \
	va_list ap;                    \
	va_start(ap, a);               \
	e = va_arg(ap, char *const *); \
	va_end(ap)

EXEC_LIST(execl, environ, NONE, execv(p, v), execve(p, v, x.envp))
EXEC_LIST(execlp, environ, NONE, execvp(p, v), execvpe(p, v, x.envp))
EXEC_LIST(execle, NULL, BEHIND, execve(p, v, e), execve(p, v, x.envp))

/* ---- posix_spawn ---- */

static void spawn_record(struct call *c, pid_t pid, uint32_t how, const char *path, int rc)
{
	char copy[EXEC_PATH];

	shim_reenter(c);
	if (rc == 0) {
		copy_path(copy, path);
		define_exec(c->s->thread, (uint32_t)pid, how, copy);
	}
	emit_plain(c->s, TRACE_SPAWN, 3, rc ? 0 : (uint64_t)pid, c->stack, encode_zigzag(rc));
	shim_leave(c);
}

#define SPAWN(name, how)                                                                \
	EXPORT int name(pid_t *pid, const char *p, const posix_spawn_file_actions_t *f, \
			const posix_spawnattr_t *a, char *const v[], char *const e[])   \
	{                                                                               \
		struct environment_block block;                                         \
		struct call call;                                                       \
		bool recorded = shim && shim_enter(&call);                              \
		pid_t made = 0;                                                         \
		int rc;                                                                 \
                                                                                        \
		if (recorded) {                                                         \
			call.stack = stack_id(&call);                                   \
			descriptor_before_fork(&call);                                  \
			shim_leave(&call);                                              \
		}                                                                       \
		rc = real_##name(&made, p, f, a, v,                                     \
				 environment_for(e, shim_options.follow_none, &block)); \
		environment_release(&block);                                            \
		if (rc == 0 && pid) {                                                   \
			*pid = made;                                                    \
		}                                                                       \
		if (recorded) {                                                         \
			spawn_record(&call, made, how, p, rc);                          \
		}                                                                       \
		return rc;                                                              \
	}

SPAWN(posix_spawn, TF_EXEC_SPAWN)
SPAWN(posix_spawnp, TF_EXEC_SPAWN_SEARCH)
