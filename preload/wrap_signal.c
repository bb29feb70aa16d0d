/* SPDX-License-Identifier: MIT */
/*
 * wrap_signal.c - handlers that are installed and masks that are changed: looked at, never touched.
 *
 * The host's handlers are not wrapped; that a hooked call runs in one shows on its stack (see
 * shim_unwind.c). All of these functions are async-signal-safe and must stay so. A child
 * of vfork shares our memory but neither the parent's masks nor its handlers: what it sets is not recorded.
 */
#include "shim_emit.h"

#include "shim_races.h"
#include "wrap_signal.h"

/* Never blocked: SIGKILL, SIGSTOP, and the two signals glibc keeps for itself. */
#define UNBLOCKABLE (SIGNAL_BIT(9) | SIGNAL_BIT(19) | SIGNAL_BIT(32) | SIGNAL_BIT(33))

static bool is_own_process(void)
{
	return shim->process->pid == (uint32_t)sys0(SYS_getpid);
}

static void note_fact(struct arch_caller caller, uint32_t flag)
{
	struct call call;

	if (shim && shim_enter_with(&call, caller, ROOM_EARLY)) {
		__atomic_fetch_or(&shim->process->flags, flag, __ATOMIC_RELAXED);
		shim_leave(&call);
	}
}

/* ---- handlers ---- */

static void note_action(struct arch_caller caller, int n, struct handler h)
{
	uint64_t kind = h.function == (uintptr_t)SIG_DFL   ? 0
			: h.function == (uintptr_t)SIG_IGN ? 1
							   : 2;
	struct call call;

	if (!shim || !shim_enter_with(&call, caller, ROOM_EARLY)) {
		if (shim) {
			handler_note(n, &h); /* we are in a handler that interrupted a hook */
		}
		return;
	}
	if (is_own_process()) {
		if (kind == 2) {
			__atomic_fetch_or(&shim->process->flags, TF_PROCESS_HANDLERS,
					  __ATOMIC_RELAXED);
		}
		if (handler_note(n, &h)) {
			emit_plain(call.s, TRACE_SIGNAL_ACTION, 3, stack_id(&call), h.blocks,
				   encode_zigzag(n << 2 | (int)kind));
		}
	}
	shim_leave(&call);
}

static uint64_t blocked_meanwhile(uint64_t mask, int n, int flags)
{
	if (n >= 1 && n <= SIGNALS && !(flags & SA_NODEFER)) {
		mask |= SIGNAL_BIT(n);
	}
	return mask & ~UNBLOCKABLE;
}

static uint64_t first_word(const sigset_t *set)
{
	uint64_t word;

	__builtin_memcpy(&word, set, sizeof(word));
	return word;
}

/* `a` may be where the old action goes: so it is read before the call. */
#define SIGACTION(name)                                                                        \
	EXPORT int name(int n, const struct sigaction *a, struct sigaction *o)                 \
	{                                                                                      \
		struct handler h = { 0 };                                                      \
		int rc;                                                                        \
                                                                                               \
		if (unlikely(n == SIGTRAP) && races_keep_action(a, o)) {                       \
			return 0;                                                              \
		}                                                                              \
		if (a) {                                                                       \
			h.function = (uintptr_t)a->sa_handler;                                 \
			h.flags = (uint32_t)a->sa_flags;                                       \
			h.blocks = blocked_meanwhile(first_word(&a->sa_mask), n, a->sa_flags); \
			races_will_block(h.function > (uintptr_t)SIG_IGN ? h.blocks : 0);      \
		}                                                                              \
		rc = real_##name(n, a, o);                                                     \
		if (a && rc == 0) {                                                            \
			note_action(ARCH_CALLER(), n, h);                                      \
		}                                                                              \
		return rc;                                                                     \
	}

SIGACTION(sigaction)
SIGACTION(__sigaction)

#define SIGNAL(name, flags_)                                                                     \
	EXPORT __sighandler_t name(int n, __sighandler_t h)                                      \
	{                                                                                        \
		__sighandler_t rc = n == SIGTRAP && races_keep_handler(h) ? SIG_DFL              \
									  : real_##name(n, h);   \
                                                                                                 \
		if (rc != SIG_ERR) {                                                             \
			note_action(ARCH_CALLER(), n,                                            \
				    (struct handler){ .function = (uintptr_t)h,                  \
						      .blocks = blocked_meanwhile(0, n, flags_), \
						      .flags = (flags_) });                      \
		}                                                                                \
		return rc;                                                                       \
	}

SIGNAL(signal, SA_RESTART)
SIGNAL(bsd_signal, SA_RESTART)
SIGNAL(ssignal, SA_RESTART)
SIGNAL(sysv_signal, (int)(SA_RESETHAND | SA_NODEFER))
SIGNAL(__sysv_signal, (int)(SA_RESETHAND | SA_NODEFER))

/* ---- masks ---- */

/* In a handler a change is the handler's: at its end the kernel puts the old mask back. */
static cold_call void record_mask(struct arch_caller caller, uint64_t mask)
{
	const struct depot_entry *e;
	struct call call;

	if (!shim_enter_with(&call, caller, ROOM_EARLY)) {
		return;
	}
	if (is_own_process()) {
		e = stack_entry(&call);
		if (!e || !e->signal) {
			call.s->signal_mask = mask;
		}
		emit_plain(call.s, TRACE_SIGNAL_MASK, 2, mask, e ? e->id : 0, 0);
	}
	shim_leave(&call);
}

static hot_inline void note_mask(struct arch_caller caller, uint64_t mask)
{
	const struct stream *s = shim_stream;

	/* A thread without a stream yet reads its mask when it gets one. */
	if (shim && s && s->segment && s->signal_mask != mask) {
		record_mask(caller, mask);
	}
}

static uint64_t changed_mask(uint64_t before, int how, uint64_t set)
{
	switch (how) {
	case SIG_BLOCK:
		return (before | set) & ~UNBLOCKABLE;
	case SIG_UNBLOCK:
		return before & ~set & ~UNBLOCKABLE;
	default: /* SIG_SETMASK: others were refused */
		return set & ~UNBLOCKABLE;
	}
}

#define SIGMASK(name)                                                                        \
	EXPORT int name(int how, const sigset_t *set, sigset_t *old)                         \
	{                                                                                    \
		sigset_t mine;                                                               \
		uint64_t wanted;                                                             \
		int rc;                                                                      \
                                                                                             \
		if (!set || !shim) {                                                         \
			return real_##name(how, set, old);                                   \
		}                                                                            \
		wanted = first_word(set); /* may be where the old one goes */                \
		races_will_block(how == SIG_UNBLOCK ? 0 : wanted);                           \
		rc = real_##name(how, set, old ? old : &mine);                               \
		if (rc == 0) {                                                               \
			note_mask(ARCH_CALLER(),                                             \
				  changed_mask(first_word(old ? old : &mine), how, wanted)); \
		}                                                                            \
		return rc;                                                                   \
	}

SIGMASK(pthread_sigmask)
SIGMASK(sigprocmask)

/* The rest is seldom called: the kernel is asked what came of it. */
#define SIGMASK_BY_NUMBER(name)                                          \
	EXPORT int name(int m)                                           \
	{                                                                \
		int rc = (races_will_block(UINT64_MAX), real_##name(m)); \
                                                                         \
		if (shim) {                                              \
			note_mask(ARCH_CALLER(), signal_mask_now());     \
		}                                                        \
		return rc;                                               \
	}

SIGMASK_BY_NUMBER(sigblock)
SIGMASK_BY_NUMBER(sigsetmask)
SIGMASK_BY_NUMBER(sighold)
SIGMASK_BY_NUMBER(sigrelse)

EXPORT __sighandler_t sigset(int n, __sighandler_t h)
{
	__sighandler_t rc;

	races_will_block(UINT64_MAX);
	rc = n == SIGTRAP && races_keep_handler(h) ? SIG_DFL : real_sigset(n, h);

	if (rc != SIG_ERR && h != SIG_HOLD) {
		note_action(ARCH_CALLER(), n,
			    (struct handler){ .function = (uintptr_t)h,
					      .blocks = blocked_meanwhile(0, n, 0) });
	}
	if (shim) {
		note_mask(ARCH_CALLER(), signal_mask_now());
	}
	return rc;
}

/* ---- threads of libc's own ---- */

EXPORT int timer_create(clockid_t c, struct sigevent *e, timer_t *t)
{
	if (e && e->sigev_notify == SIGEV_THREAD) {
		note_fact(ARCH_CALLER(), TF_PROCESS_UNSEEN_THREADS);
	}
	return real_timer_create(c, e, t);
}
