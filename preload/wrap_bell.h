/* SPDX-License-Identifier: MIT */
/*
 * wrap_bell.h - hooks of calls that ring, still, register and wait for bells; see shim_bell.h.
 */
#ifndef THRUM_WRAP_BELL_H
#define THRUM_WRAP_BELL_H

#include "shim_emit.h"

struct epoll_event;
struct pollfd;

/* SLOW: `fd`, of a call that makes one; negative is none. */
void bell_made(struct arch_caller caller, int fd, unsigned kind);
/* SLOW: after epoll_ctl; NULL = taken out. */
void bell_registered(struct arch_caller caller, int q, int fd, const struct epoll_event *event);
/* HOT: before a timer is set, 0 = it is none of ours; and after. */
unsigned bell_of_timer(int fd);
void bell_timer_set(struct arch_caller caller, unsigned index, bool repeats); /* SLOW */
/* SLOW. The result has to go to bell_written. */
uint32_t bell_ring(struct arch_caller caller, unsigned index);
void bell_written_slow(unsigned index, uint32_t token, bool done); /* HOT */
void bell_read_slow(unsigned index);				   /* HOT */
/* SLOW: a wait came back, with `rc` ready. Their arrays are as the kernel has just written them. */
void bell_poll_slow(struct arch_caller caller, const struct pollfd *f, unsigned long n, int rc);
void bell_select_slow(struct arch_caller caller, int n, const void *readable, int rc);
void bell_epoll_slow(struct arch_caller caller, int q, const struct epoll_event *e, int rc);

/* SLOW, the guard held: somebody here waits for data of this end of a pipe or pair; who writes to the other end rings. */
void bell_watch_channel(int fd);

static hot_inline struct bell *bell_at(unsigned index)
{
	return &shim->bells.bell[index % BELLS];
}

static hot_inline bool bell_is_number(int fd)
{
	return (unsigned)fd < DESCRIPTORS;
}

/* HOT: may it become a bell at this wait for data of it? */
static hot_inline bool bell_may_be_channel(const struct descriptor *d)
{
	return d->channel && d->ends & END_READ &&
	       !atomic_load_explicit(&d->stills, memory_order_relaxed);
}

/* HOT: from a handler that interrupted a hook: passes uncounted, as in block_before. */
static hot_inline bool bell_is_inside_a_hook(void)
{
	return shim_stream && shim_stream->busy;
}

static hot_inline unsigned bell_rung_by(int fd)
{
	return likely(shim && (unsigned)fd < DESCRIPTORS)
		       ? atomic_load_explicit(&shim->descriptor[fd].rings, memory_order_relaxed)
		       : 0;
}

static hot_inline unsigned bell_stilled_by(int fd)
{
	return likely(shim && (unsigned)fd < DESCRIPTORS)
		       ? atomic_load_explicit(&shim->descriptor[fd].stills, memory_order_relaxed)
		       : 0;
}

/* HOT but for the first write: before it. 0 = nothing to do after it. */
static hot_inline uint32_t bell_writes(struct arch_caller caller, unsigned index)
{
	return unlikely(index) ? bell_ring(caller, index) : 0;
}

/* HOT */
static hot_inline void bell_written(unsigned index, uint32_t token, bool done)
{
	if (unlikely(token)) {
		bell_written_slow(index, token, done);
	}
}

/* HOT: after a read that took something. */
static hot_inline void bell_read(int fd, bool done)
{
	unsigned index = bell_stilled_by(fd);

	if (unlikely(index && done)) {
		bell_read_slow(index);
	}
}

static hot_inline bool bell_is_possible(void)
{
	return unlikely(shim && atomic_load_explicit(&shim->bells.possible, memory_order_relaxed));
}

/* HOT while there are none: after each wait for descriptors, before its TURN. */
static hot_inline void bell_poll(struct arch_caller caller, const struct pollfd *f, unsigned long n,
				 int rc)
{
	if (bell_is_possible()) {
		bell_poll_slow(caller, f, n, rc);
	}
}
/* A wait that cannot see any. */
static hot_inline void bell_none(struct arch_caller caller)
{
	if (bell_is_possible()) {
		bell_poll_slow(caller, NULL, 0, -1);
	}
}
static hot_inline void bell_select(struct arch_caller caller, int n, const void *readable, int rc)
{
	if (bell_is_possible()) {
		bell_select_slow(caller, n, readable, rc);
	}
}
static hot_inline void bell_epoll(struct arch_caller caller, int q, const struct epoll_event *e,
				  int rc)
{
	if (rc > 0 && bell_is_possible()) {
		bell_epoll_slow(caller, q, e, rc);
	}
}

#endif
