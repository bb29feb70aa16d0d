/* SPDX-License-Identifier: MIT */
/*
 * shim_signal.c - which signal a handler runs for, and which signals a thread blocks.
 *
 * The kernel's frame on the stack names the signal only for handlers that asked for a siginfo_t. So
 * the handler's function is looked up among those that were installed, and where several
 * signals share it, the mask tells: a handler runs with its signal blocked, which cannot have been
 * blocked before.
 */
#include "shim_emit.h"
#include "shim_races.h"
#include "shim_sanitizer.h"

#include "wrap_signal.h"

/* Like the dispositions themselves these survive a fork, so they are not in wiped memory. */
static struct handler handlers[SIGNALS + 1];

/* Offsets from the kernel's ucontext: the mask before the signal, and siginfo_t.si_signo. */
enum { CONTEXT_MASK = 40 + 256, CONTEXT_SIGINFO = CONTEXT_MASK + 8 };

bool handler_note(int n, const struct handler *new)
{
	struct handler *h;
	bool same;

	if (n < 1 || n > SIGNALS) {
		return false;
	}
	h = &handlers[n];
	same = __atomic_load_n(&h->function, __ATOMIC_RELAXED) == new->function &&
	       h->flags == new->flags && h->blocks == new->blocks && h->known;
	h->flags = new->flags;
	h->blocks = new->blocks;
	h->known = true;
	__atomic_store_n(&h->function, new->function, __ATOMIC_RELEASE);
	return !same;
}

uint64_t signal_mask_now(void)
{
	uint64_t mask = 0;

	sys4(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &mask, sizeof(mask));
	return mask;
}

uint64_t signals_off(void)
{
	uint64_t all = ~(uint64_t)0, mask = 0;

	sys4(SYS_rt_sigprocmask, SIG_SETMASK, &all, &mask, sizeof(mask));
	return mask;
}

void signals_on(uint64_t mask)
{
	sys4(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof(mask));
}

/* A forked child has its parent's handlers; elsewhere none is known yet. */
static void tell_inherited(struct stream *s)
{
	for (int n = 1; n <= SIGNALS; n++) {
		const struct handler *h = &handlers[n];

		if (h->known && h->function != (uintptr_t)SIG_DFL &&
		    h->function != (uintptr_t)SIG_IGN) {
			shim->process->flags |= TF_PROCESS_HANDLERS;
			emit_plain(s, TRACE_SIGNAL_ACTION, 3, 0, h->blocks,
				   encode_zigzag(n << 2 | 2));
		}
	}
}

void signal_attach(struct stream *s, uint32_t thread_flags, uint64_t mask)
{
	races_will_block(mask); /* a thread may be made with a mask of its own */
	s->signal_mask = mask;
	if (thread_flags & TF_THREAD_MAIN) {
		shim->process->boot_signal_mask = s->signal_mask;
		tell_inherited(s);
	} else if (s->signal_mask) {
		emit_plain(s, TRACE_SIGNAL_MASK, 2, s->signal_mask, 0, 0);
	}
}

/* The signals whose handler is this function. */
static uint64_t signals_of(uintptr_t function)
{
	uint64_t found = 0;

	for (int n = 1; n <= SIGNALS && function; n++) {
		if (__atomic_load_n(&handlers[n].function, __ATOMIC_ACQUIRE) == function) {
			found |= SIGNAL_BIT(n);
		}
	}
	return found;
}

static uint64_t with_flag(uint64_t signals, uint32_t flag)
{
	uint64_t found = 0;

	for (uint64_t rest = signals; rest; rest &= rest - 1) {
		int n = __builtin_ctzll(rest) + 1;

		found |= handlers[n].flags & flag ? SIGNAL_BIT(n) : 0;
	}
	return found;
}

static int only_one(uint64_t signals)
{
	return signals && !(signals & (signals - 1)) ? __builtin_ctzll(signals) + 1 : 0;
}

/* 0 = cannot be told. */
static int signal_of(uintptr_t function, uintptr_t context)
{
	uint64_t could = signals_of(function), before;
	int32_t number;

	if (only_one(could)) {
		return only_one(could);
	}
	/* ThreadSanitizer's own run time puts a handler in the place of each, with SA_SIGINFO. */
	if (!could && tsan.__sanitizer_set_report_path &&
	    module_read(context + CONTEXT_SIGINFO, &number, sizeof(number)) && number >= 1 &&
	    number <= SIGNALS) {
		return number;
	}
	if (could && with_flag(could, SA_SIGINFO) == could &&
	    module_read(context + CONTEXT_SIGINFO, &number, sizeof(number)) && number >= 1 &&
	    number <= SIGNALS && could & SIGNAL_BIT(number)) {
		return number;
	}
	if (with_flag(could, SA_NODEFER) ||
	    !module_read(context + CONTEXT_MASK, &before, sizeof(before))) {
		return 0;
	}
	return only_one((could ? could : ~(uint64_t)0) & signal_mask_now() & ~before);
}

uint16_t signal_flags(const uintptr_t *ip, const struct signal_frame *frame)
{
	/* The last frame of the handler's part is where it returns to; the handler is before it. */
	uintptr_t function = frame->frames >= 2 ? unwind_function(ip[frame->frames - 2]) : 0;

	return (uint16_t)(frame->frames | (unsigned)signal_of(function, frame->context) << 8);
}
