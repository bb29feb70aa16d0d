/* SPDX-License-Identifier: MIT */
/*
 * shim_bell_look.c - a wait for descriptors came back: which bells did it find ready, and who rang them? Safety class SLOW.
 */
#include "wrap_bell.h"

#include <sys/epoll.h>
#include <sys/poll.h>
#include <sys/stat.h>

enum {
	LOOK_MOST = 64, /* of what a wait found ready, or was given */
	HOPS = 32,	/* in the list of an epoll: it may change meanwhile */
	SAY_MOST = 8,	/* of one wait */
};

struct look {
	struct call c;
	struct arch_caller caller;
	bool asked, open; /* was the guard asked for; is it held? */
	unsigned said;
};

static bool look_begin(struct look *l)
{
	if (!l->asked) {
		l->asked = true;
		l->open = !bell_is_inside_a_hook() && shim_enter_with(&l->c, l->caller, ROOM_EARLY);
	}
	return l->open;
}

static void say(struct look *l, unsigned kind, unsigned fd, uint32_t stack, uint64_t who)
{
	emit_plain(l->c.s, TRACE_WOKEN, 3, stack, who,
		   encode_zigzag((int64_t)(fd << TRACE_WOKEN_SHIFT |
					   (l->said ? TRACE_WOKEN_MORE : 0) | kind)));
	l->said++;
}

/* A wait that no bell ended: said once after one that was. */
static void look_end(struct look *l)
{
	const struct stream *s = shim_stream;

	if (!l->said && s && unlikely(s->woken) && look_begin(l)) {
		say(l, TRACE_WAKER_OTHER, 0, 0, 0);
		l->c.s->woken = 0;
	} else if (l->said) {
		l->c.s->woken = 1;
	}
	if (l->open) {
		shim_leave(&l->c);
	}
}

/* Every now and then: does the number still lead to what we take it for? */
static bool is_genuine(struct look *l, unsigned index, unsigned fd)
{
	struct descriptor *d = &shim->descriptor[fd];
	const struct named *n = d->channel;
	struct stat st;

	if (atomic_load(&d->stills) != index || d->uses++ % VERIFY_EVERY) {
		return true;
	}
	if (sys2(SYS_fstat, fd, &st) >= 0 &&
	    (n ? st.st_ino == n->key.ino && st.st_dev == n->key.dev : !(st.st_mode & S_IFMT))) {
		return true;
	}
	descriptor_forget(&l->c, (int)fd);
	return false;
}

/* A wait found it ready. `edge`: it will not find it ready again unless there is another write. */
static void tell(struct look *l, unsigned index, unsigned fd, bool edge)
{
	struct bell *b = bell_at(index);
	uint32_t state = atomic_load_explicit(&b->state, memory_order_acquire), then = state;
	unsigned phase = state & BELL_PHASE;
	uint64_t who = (uint64_t)b->task << 32 | b->thread;
	uint32_t stack = b->stack;
	unsigned kind = b->kind;

	if (state & BELL_TOLD || phase == BELL_BUSY || l->said >= SAY_MOST ||
	    (phase == BELL_STILL && kind != TRACE_WAKER_SIGNALFD)) {
		return;
	}
	if (!edge) {
		then |= BELL_TOLD;
	} else if (kind != TRACE_WAKER_TIMERFD && kind != TRACE_WAKER_SIGNALFD) {
		then = (state & ~(uint32_t)(BELL_NUMBER - 1)) | BELL_STILL;
	}
	/* Fails where it is another's by now: then what was read above may be torn. */
	if (!look_begin(l) || !is_genuine(l, index, fd) ||
	    !atomic_compare_exchange_strong(&b->state, &state, then)) {
		return;
	}
	say(l, kind, fd, phase == BELL_RUNG ? stack : 0, phase == BELL_RUNG ? who : 0);
}

void bell_poll_slow(struct arch_caller caller, const struct pollfd *f, unsigned long n, int rc)
{
	struct look l = { .caller = caller };

	for (unsigned long i = 0; rc >= 0 && i < n && i < LOOK_MOST; i++) {
		struct descriptor *d;
		unsigned index;

		if (!bell_is_number(f[i].fd) || !(f[i].events & (POLLIN | POLLRDNORM))) {
			continue;
		}
		d = &shim->descriptor[f[i].fd];
		if (unlikely(bell_may_be_channel(d)) && look_begin(&l)) {
			bell_watch_channel(f[i].fd);
		}
		index = atomic_load_explicit(&d->stills, memory_order_relaxed);
		if (index && f[i].revents & (POLLIN | POLLRDNORM)) {
			tell(&l, index, (unsigned)f[i].fd, false);
		}
	}
	look_end(&l);
}

void bell_select_slow(struct arch_caller caller, int n, const void *readable, int rc)
{
	const unsigned long *word = readable;
	struct look l = { .caller = caller };
	enum { BITS = 8 * sizeof(*word) };

	for (unsigned i = 0; rc > 0 && word && i * BITS < (unsigned)n && i * BITS < DESCRIPTORS;
	     i++) {
		for (unsigned long left = word[i]; left; left &= left - 1) {
			unsigned fd = i * BITS + (unsigned)__builtin_ctzl(left), index;
			struct descriptor *d = &shim->descriptor[fd];

			if (unlikely(bell_may_be_channel(d)) && look_begin(&l)) {
				bell_watch_channel((int)fd);
			}
			index = atomic_load_explicit(&d->stills, memory_order_relaxed);
			if (index) {
				tell(&l, index, fd, false);
			}
		}
	}
	look_end(&l);
}

void bell_epoll_slow(struct arch_caller caller, int q, const struct epoll_event *e, int rc)
{
	unsigned first = bell_is_number(q) ? atomic_load_explicit(&shim->bells.watched[q],
								  memory_order_relaxed)
					   : 0;
	struct look l = { .caller = caller };

	for (int i = 0; first && i < rc && i < LOOK_MOST; i++) {
		unsigned index = first;

		for (unsigned hops = 0; index && hops < HOPS; hops++) {
			const struct bell *b = bell_at(index);

			if (b->data == e[i].data.u64 && b->epoll == q) {
				if (e[i].events & EPOLLIN && !b->doubtful) {
					tell(&l, index, b->number, b->edge);
				}
				break;
			}
			index = b->next;
		}
	}
	look_end(&l);
}
