/* SPDX-License-Identifier: MIT */
/*
 * race_kernel.c - what the kernel reads and writes for the program, in calls that are hooked anyway, as accesses of a watched location.
 *
 * While a thread stands still in front of its access, a call that another thread is in is ordered with it by nothing, whenever in it
 * the kernel touched the memory. For a watch without a pause the place of the call among the thread's records counts: what it writes
 * comes after what the call waited for, what it reads before what the call sets free.
 */
#include "races.h"

#include "../shim_emit.h"
#include "../shim_races.h"

enum { PIECES = 64, LONGEST = 1 << 20 };

_Atomic uint32_t races_armed;

struct race_pieces races_pieces_of(const struct msghdr *message)
{
	struct race_pieces p = { .list = NULL };
	struct msghdr m;

	if (module_read((uintptr_t)message, &m, sizeof(m))) {
		p.list = m.msg_iov;
		p.count = m.msg_iovlen;
	}
	return p;
}

static bool piece_at(const struct race_pieces *p, unsigned long i, struct iovec *ret)
{
	if (!p->list) {
		*ret = p->one;
		return i == 0;
	}
	return i < p->count && i < PIECES && module_read((uintptr_t)&p->list[i], ret, sizeof(*ret));
}

static uint64_t bytes_of(const struct race_pieces *p)
{
	uint64_t bytes = 0;
	struct iovec v;

	for (unsigned long i = 0; bytes < LONGEST && piece_at(p, i, &v); i++) {
		bytes += v.iov_len < LONGEST ? v.iov_len : LONGEST;
	}
	return bytes;
}

/* Is one of the first `done` bytes of the pieces watched? */
static bool is_touched(const struct race_spot *spot, const struct race_pieces *p, uint64_t done)
{
	struct iovec v;

	for (unsigned long i = 0; done && piece_at(p, i, &v); i++) {
		uintptr_t start = (uintptr_t)v.iov_base;
		uint64_t bytes = v.iov_len < done ? v.iov_len : done;

		if (spot->address < start + bytes && start < spot->address + spot->bytes) {
			return true;
		}
		done -= bytes;
	}
	return false;
}

static bool may_meet(const struct race_watch *w, const struct stream *s, bool is_write)
{
	return atomic_load(&w->phase) == RACE_ARMED && w->spot.stream != s->index &&
	       (is_write || w->spot.is_write);
}

static struct tf_touch touch_of(struct call *c, uint32_t call, bool is_write, uint64_t bytes,
				uintptr_t *ret_ip)
{
	const struct depot_entry *e = stack_entry(c);
	uint64_t most = bytes < LONGEST ? bytes : LONGEST;

	for (unsigned i = 0; i < RACE_NEAR_FRAMES; i++) {
		ret_ip[i] = e && i < e->frames ? e->ip[i] : 0;
	}
	return (struct tf_touch){
		.thread = c->s->thread,
		.stack = e ? e->id : 0,
		.touch = (is_write ? TRACE_TOUCH_WRITE : TRACE_TOUCH_READ) | TRACE_TOUCH_CALLED |
			 (bytes > 8 || bytes & (bytes - 1) ? TRACE_TOUCH_WIDE : 0) |
			 (uint32_t)most << TRACE_TOUCH_SIZE_SHIFT,
		.call = call,
		.ip = c->caller.ip,
	};
}

/* The watch `number` (0 = any) is this thread's now, unless it is over, or another one by now. */
static bool claim(struct race_watch *w, const struct stream *s, uint32_t number,
		  const struct race_pieces *p, uint64_t done, bool is_write)
{
	uint32_t expected = RACE_ARMED;

	if (!may_meet(w, s, is_write) || !is_touched(&w->spot, p, done) ||
	    !atomic_compare_exchange_strong(&w->phase, &expected, RACE_HIT)) {
		return false;
	}
	if (w->spot.stream != s->index && (is_write || w->spot.is_write) &&
	    (!number || w->spot.number == number) && is_touched(&w->spot, p, done)) {
		race_disarm(&w->event, false);
		return true;
	}
	atomic_store(&w->phase, RACE_ARMED);
	return false;
}

static struct races *races_now(void)
{
	struct races *r = shim && shim_stream ? shim->races : NULL;

	return r && atomic_load(&r->on) ? r : NULL;
}

void races_taken(struct arch_caller caller, uint32_t call, const struct race_pieces *p, long done)
{
	struct races *r = done > 0 ? races_now() : NULL;

	for (unsigned i = 0; r && i < r->watches; i++) {
		struct race_watch *w = &r->watch[i];
		uintptr_t ip[RACE_NEAR_FRAMES];
		struct tf_touch t;
		struct call c;

		if (!may_meet(w, shim_stream, true) || !is_touched(&w->spot, p, (uint64_t)done) ||
		    !shim_enter_with(&c, caller, ROOM_EARLY)) {
			continue;
		}
		if (claim(w, c.s, 0, p, (uint64_t)done, true)) {
			t = touch_of(&c, call, true, (uint64_t)done, ip);
			race_record(&c, w->spot.number, &t, true);
			race_meet(r, w, &t, ip);
		}
		shim_leave(&c);
	}
}

uint32_t races_giving(struct arch_caller caller, uint32_t call, const struct race_pieces *p)
{
	struct races *r = races_now();
	uint32_t number = 0;

	for (unsigned i = 0; r && !number && i < r->watches; i++) {
		struct race_watch *w = &r->watch[i];
		uintptr_t ip[RACE_NEAR_FRAMES];
		struct tf_touch t;
		struct call c;

		if (may_meet(w, shim_stream, false) && is_touched(&w->spot, p, UINT64_MAX) &&
		    shim_enter_with(&c, caller, ROOM_EARLY)) {
			number = w->spot.number;
			t = touch_of(&c, call, false, bytes_of(p), ip);
			race_record(&c, number, &t, true);
			shim_leave(&c);
		}
	}
	return number;
}

/* What was not given after all leaves a record behind that no conflict goes with. */
void races_given(struct arch_caller caller, uint32_t token, uint32_t call,
		 const struct race_pieces *p, long done)
{
	struct races *r = done > 0 ? races_now() : NULL;

	for (unsigned i = 0; r && i < r->watches; i++) {
		struct race_watch *w = &r->watch[i];
		uintptr_t ip[RACE_NEAR_FRAMES];
		struct tf_touch t;
		struct call c;

		if (w->spot.number != token || !shim_enter_with(&c, caller, ROOM_EARLY)) {
			continue;
		}
		if (claim(w, c.s, token, p, (uint64_t)done, false)) {
			t = touch_of(&c, call, false, (uint64_t)done, ip);
			race_meet(r, w, &t, ip);
		}
		shim_leave(&c);
	}
}
