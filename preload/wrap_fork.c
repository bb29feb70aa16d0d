/* SPDX-License-Identifier: MIT */
/*
 * wrap_fork.c - new processes: fork, vfork, clone and what calls them.
 *
 * libc itself tells of each fork (its list of fork handlers), so that daemon() and forkpty(), which call fork
 * past our hook, are seen too: in the parent as the last of the handlers that run before, in the child as the
 * first of those that run after, whatever the program registered later. The child makes its files there and
 * then, with its parent's user, root and descriptors.
 *
 * A child of vfork shares our memory and this very stack, and vfork returns twice: it is entered by a jump, and
 * the thread's guard stays taken until the thread runs again in its own process. In between, every hook passes the
 * call on; exec and _exit leave word of the child in the stream, and the parent records it.
 */
#include "wrap_process.h"

#include <stdarg.h>
#include <sys/mman.h>

/* ---- libc's list of fork handlers ---- */

extern int __register_atfork(void (*before)(void), void (*in_parent)(void), void (*in_child)(void),
			     void *dso_handle);
extern void *__dso_handle __attribute__((visibility("hidden")));

static bool watching;	  /* not wiped by fork */
static bool daemon_forks; /* libc's daemon() runs: the parent ends without a call of ours */

static void note_begin(struct arch_caller caller)
{
	struct call call;

	if (!shim || !shim_enter_with(&call, caller, ROOM_EARLY)) {
		return;
	}
	call.stack = call.s->fork_stack ? call.s->fork_stack : stack_id(&call);
	descriptor_before_fork(&call);
	region_calibrate();
	emit_plain(call.s, TRACE_FORK_BEGIN, 1, call.stack, 0, 0);
	shim_leave(&call);
}

/*
 * A signal handler that interrupted one of our hooks forks. The child returns into that hook, whose stream fork has
 * wiped and whose segment is not there: it gets them back, for what the hook still has to do, and that goes
 * nowhere. Not wiped by fork; one such fork at a time is looked after.
 */
static struct {
	struct stream *stream; /* NULL = none */
	char head[offsetof(struct stream, objects)];
} interrupted;

static void save_interrupted(void)
{
	struct stream *s = shim ? shim_stream : NULL;

	interrupted.stream = NULL;
	if (unlikely(s && s->segment && s->busy == BUSY_GUARD)) {
		__builtin_memcpy(interrupted.head, s, sizeof(interrupted.head));
		interrupted.stream = s;
	}
}

static void restore_interrupted(void)
{
	struct stream *s = interrupted.stream;
	long p;

	if (likely(!s)) {
		return;
	}
	interrupted.stream = NULL;
	__builtin_memcpy(s, interrupted.head, sizeof(interrupted.head));
	p = sys6(SYS_mmap, (long)s->segment, TF_SEGMENT_BYTES, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (p == (long)s->segment) {
		s->index = 0; /* shim_seal: nowhere */
		s->bounded = NULL;
	}
}

static void before_fork(void)
{
	save_interrupted();
	note_begin(ARCH_CALLER());
}

static void in_parent(void)
{
	if (daemon_forks && shim && atomic_load(&shim->state) == SHIM_LIVE) {
		shim->process->exit_kind = TRACE_EXIT_QUICK;
	}
}

/*
 * Where nobody told yet. Handlers of others come before ours, and one that calls a hook (ThreadSanitizer's starts a thread) has booted
 * this image: once more, and its main thread would pass for another.
 */
static void child_runs(void)
{
	if (shim && atomic_load(&shim->state) == SHIM_COLD) {
		restore_interrupted();
		shim_child();
	}
}

static void in_child(void)
{
	child_runs();
}

void fork_watch(void)
{
	watching = __register_atfork(before_fork, in_parent, in_child, &__dso_handle) == 0;
}

/* ---- fork ---- */

static bool fork_before(struct call *c, struct arch_caller caller, bool told)
{
	if (!told) {
		save_interrupted();
		note_begin(caller);
	}
	if (!shim_enter_with(c, caller, ROOM_EARLY)) {
		return false;
	}
	c->stack = c->s->fork_stack = stack_id(c);
	shim_leave(c);
	return true;
}

static void fork_after(struct call *c, pid_t pid)
{
	c->s->fork_stack = 0;
	if (pid > 0) {
		shim_reenter(c);
		emit_plain(c->s, TRACE_FORK, 2, (uint64_t)pid, c->stack, 0);
		shim_leave(c);
	}
}

#define FORK(name, told, params, args)                                   \
	EXPORT pid_t name params                                         \
	{                                                                \
		struct call call;                                        \
		bool recorded = fork_before(&call, ARCH_CALLER(), told); \
		pid_t pid = real_##name args;                            \
                                                                         \
		if (pid == 0) {                                          \
			child_runs();                                    \
		} else if (recorded) {                                   \
			fork_after(&call, pid);                          \
		}                                                        \
		return pid;                                              \
	}

FORK(fork, watching, (void), ())
FORK(_Fork, false, (void), ())
FORK(forkpty, watching, (int *fd, char *name, const void *t, const void *w), (fd, name, t, w))

EXPORT int daemon(int nochdir, int noclose)
{
	int rc;

	daemon_forks = true;
	rc = real_daemon(nochdir, noclose);
	daemon_forks = false;
	if (rc < 0 && shim && atomic_load(&shim->state) == SHIM_LIVE) {
		shim->process->exit_kind = 0; /* here still, or the child: its own never was set */
	}
	return rc;
}

/* ---- vfork ---- */

__attribute__((used)) static void *before_vfork(void)
{
	struct call call;

	shim_resolve_once();
	if (shim && shim_enter_with(&call, ARCH_CALLER_VIA(), ROOM_EARLY)) {
		call.stack = stack_id(&call);
		descriptor_before_fork(&call);
		call.s->vforked = (struct vfork_child){ .stack = call.stack };
		atomic_signal_fence(memory_order_seq_cst);
		call.s->busy = BUSY_VFORK;
	}
	return (void *)real_vfork;
}

EXPORT __attribute__((naked, returns_twice)) pid_t vfork(void)
{
	ARCH_JUMP_VIA(before_vfork);
}

void define_exec(uint32_t thread, uint32_t pid, uint32_t how, const char *path)
{
	struct tf_def_exec def = { .def.type = TF_DEF_EXEC,
				   .pid = pid,
				   .thread = thread,
				   .how = how,
				   .bytes = (uint32_t)__builtin_strlen(path),
				   .ticks = arch_ticks() };

	region_define(&def.def, sizeof(def), path, def.bytes, "", 1);
}

bool vfork_child_runs(struct call *c, struct stream *s)
{
	struct vfork_child *child = &s->vforked;
	uint32_t pid;

	if (shim->process->pid != (uint32_t)sys0(SYS_getpid)) {
		return true;
	}
	s->busy = BUSY_GUARD;
	s->busy_sp = c->caller.sp;
	atomic_signal_fence(memory_order_seq_cst);
	pid = atomic_load(&child->pid);
	if (child->block) {
		sys2(SYS_munmap, child->block, child->block_bytes);
	}
	if (pid) {
		if ((size_t)(s->limit - s->cursor) < ROOM_EARLY) {
			shim_seal(s);
		}
		emit_plain(s, TRACE_FORK, 2, pid, child->stack, 0);
		if (child->execs) {
			define_exec(s->thread, pid, TF_EXEC_VFORK, child->path);
		}
	}
	s->vforked = (struct vfork_child){ 0 };
	s->busy = BUSY_NOT;
	return false;
}

struct vfork_child *vfork_child_here(void)
{
	struct stream *s = shim_stream;

	if (likely(!shim || !s || s->busy != BUSY_VFORK || !s->segment) ||
	    shim->process->pid == (uint32_t)sys0(SYS_getpid)) {
		return NULL;
	}
	atomic_store(&s->vforked.pid, (uint32_t)sys0(SYS_getpid));
	return &s->vforked;
}

/* ---- clone ---- */

enum {
	SHARES_MEMORY = 0x100,
	LIKE_VFORK = 0x4000,
	OWN_STORAGE = 0x80000 /* thread-local: CLONE_SETTLS */
};

struct clone_start {
	int (*routine)(void *);
	void *argument;
};

/* On the child's own stack, in its copy of the parent's memory. */
static int clone_trampoline(void *p)
{
	struct clone_start start = *(struct clone_start *)p;

	child_runs();
	return start.routine(start.argument);
}

static int clone_process(int (*f)(void *), void *stack, int flags, void *arg, void *const rest[3])
{
	int (*real)(int (*)(void *), void *, int, void *, ...) = real_clone;
	struct clone_start start = { f, arg };
	struct call call;
	bool recorded = fork_before(&call, ARCH_CALLER(), false);
	int pid = real(clone_trampoline, stack, flags, &start, rest[0], rest[1], rest[2]);

	if (recorded) {
		fork_after(&call, pid);
	}
	return pid;
}

/* The child has our thread-local storage too: it and this thread could not be told apart. */
static void clone_shares(int flags)
{
	struct call call;

	if (shim && shim_enter(&call)) {
		call.stack = stack_id(&call);
		descriptor_before_fork(&call);
		call.s->vforked = (struct vfork_child){ .stack = call.stack };
		atomic_signal_fence(memory_order_seq_cst);
		call.s->busy = flags & LIKE_VFORK ? BUSY_VFORK : BUSY_OFF;
	}
}

EXPORT int clone(int (*f)(void *), void *stack, int flags, void *arg, ...)
{
	void *rest[3];
	va_list ap;

	shim_resolve_once();
	va_start(ap, arg);
	for (int i = 0; i < 3; i++) {
		rest[i] = va_arg(ap, void *); /* what is not there is not looked at by anyone */
	}
	va_end(ap);
	if (f && stack && !(flags & SHARES_MEMORY)) {
		return clone_process(f, stack, flags, arg, rest);
	}
	if (f && stack && !(flags & OWN_STORAGE)) {
		clone_shares(flags);
	}
	return real_clone(f, stack, flags, arg, rest[0], rest[1], rest[2]);
}
