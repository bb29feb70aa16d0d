/* SPDX-License-Identifier: MIT */
/*
 * shim_races.h - memory that is watched (races/): what the rest of the shim calls.
 */
#ifndef THRUM_SHIM_RACES_H
#define THRUM_SHIM_RACES_H

#include "shim.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { RACES_FILES = 4 };

/* SLOW, guard held: this thread is about to make another one. The first time in an image that begins it. */
void races_before_thread(struct stream *s, size_t stack_bytes);
/* SLOW, guard of `s` held, perhaps before the thread has it: a good moment to choose what is watched next; for programs that compute little and lock much. */
void races_turn(const struct stream *s);
/* SLOW: for good in this image; `why` of enum tf_watch_state. */
void races_end(uint32_t why);
/*
 * ANY: the host asks for the action of SIGTRAP, or sets it. While we have that signal, what it sees is the default, and what is as the default
 * changes nothing: true, `o` is filled in. Anything else ends the watching, and the default is put back first.
 */
bool races_keep_action(const struct sigaction *a, struct sigaction *o);
bool races_keep_handler(void (*handler)(int)); /* the same of signal() */
/* ANY: may signals of ours be among those that the host waits for? Is this one? */
bool races_may_trap(const sigset_t *set);
bool races_is_trap(const siginfo_t *info);
/* ANY: those that are pending, since this thread blocks them, are gone afterwards. */
void races_take_traps(void);
/* ANY: a signal that is pending stays so in the new image, and would end it. */
void races_before_exec(void);
/* ANY: the host reads signals from a descriptor. */
void races_keep_from(const sigset_t *set);
/* In a forked child, before it boots. */
void races_in_child(void);
/* ANY: descriptors of ours, NULL = no such one. */
struct kept_file *races_file(unsigned i);

/* ---- --races=deep (race_deep.c): bytes in the program's text, deadly where SIGTRAP is blocked ---- */

#define RACES_BLOCKS(mask) ((mask) >> (SIGTRAP - 1) & 1)
extern _Atomic uint32_t races_deep; /* there may be some */
/* SLOW: takes them all out, for good; `why` of enum tf_watch_deep. */
void races_deep_end(uint32_t why);
void races_masks_slow(const void *mask); /* SLOW: of a sigset_t that may be anywhere */

/* HOT mostly: before a call that blocks those signals. */
static hot_inline void races_will_block(uint64_t mask)
{
	if (unlikely(atomic_load_explicit(&races_deep, memory_order_relaxed)) &&
	    RACES_BLOCKS(mask)) {
		races_deep_end(TF_DEEP_BLOCKED);
	}
}
static hot_inline void races_masks(const void *mask)
{
	if (unlikely(atomic_load_explicit(&races_deep, memory_order_relaxed))) {
		races_masks_slow(mask);
	}
}

/* ---- system calls that read or write the host's memory (race_kernel.c) ---- */

/* Watches that are armed, a bit each. Debug registers do not see the kernel: what it is given is held against them here. */
extern _Atomic uint32_t races_armed;

/* What such a call was given: a list, or `one`. The list is the host's, and may be anywhere. */
struct race_pieces {
	const struct iovec *list;
	unsigned long count;
	struct iovec one;
};
struct race_pieces races_pieces_of(const struct msghdr *message); /* SLOW */

/* SLOW: the call came back, after the kernel wrote `done` bytes there. */
void races_taken(struct arch_caller caller, uint32_t call, const struct race_pieces *pieces,
		 long done);
/* SLOW: before a call that reads them. The result has to go to races_given. */
uint32_t races_giving(struct arch_caller caller, uint32_t call, const struct race_pieces *pieces);
void races_given(struct arch_caller caller, uint32_t token, uint32_t call,
		 const struct race_pieces *pieces, long done);

static hot_inline bool races_are_armed(void)
{
	return unlikely(atomic_load_explicit(&races_armed, memory_order_relaxed));
}

#endif
