/* SPDX-License-Identifier: MIT */
/*
 * race_trap.c - the one handler: a sample of a thread's stack, a chosen instruction that is reached, a watched location that is touched.
 *
 * All signals are blocked in it, and the guard is held, so that nothing of the host's comes between; for a pause both are given back.
 * A trap that finds another generation of a watch (race_watch.c) than its own came too late, and is counted.
 */
#include "races.h"

#include "../shim_emit.h"
#include "../shim_races.h"

#include <linux/futex.h>
#include <time.h>

enum { DATA_AT = 24, FLAGS_AT = 36, IS_LATE = 1 };

/* ---- registers ---- */

static struct code_registers registers_of(const ucontext_t *u)
{
	static const uint8_t where[16] = { REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
					   REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
					   REG_R12, REG_R13, REG_R14, REG_R15 };
	struct code_registers r = { .ip = (uintptr_t)u->uc_mcontext.gregs[REG_RIP] };

	for (int i = 0; i < 16; i++) {
		r.r[i] = (uintptr_t)u->uc_mcontext.gregs[where[i]];
	}
	return r;
}

static struct arch_caller caller_of(const struct code_registers *r)
{
	return (struct arch_caller){ .ip = r->ip, .sp = r->r[4], .bp = r->r[5] };
}

/* ---- what an instruction does ---- */

/* The largest aligned piece of it that one register can watch. */
static uint32_t piece_of(uintptr_t address, uint32_t size, uintptr_t *ret_address)
{
	uint32_t bytes = size >= 8 ? 8 : size >= 4 ? 4 : size >= 2 ? 2 : 1;

	while (bytes > 1 && address % bytes) {
		bytes /= 2;
	}
	*ret_address = address;
	return bytes;
}

static uint32_t touch_of(const struct code_instruction *i, uintptr_t address)
{
	uint32_t touch = (i->access & CODE_READS ? TRACE_TOUCH_READ : 0) |
			 (i->access & CODE_WRITES ? TRACE_TOUCH_WRITE : 0) |
			 (i->is_atomic ? TRACE_TOUCH_ATOMIC : 0) |
			 (uint32_t)i->size << TRACE_TOUCH_SIZE_SHIFT;

	return i->size > 8 || (i->size && address % i->size) ? touch | TRACE_TOUCH_WIDE : touch;
}

/* ---- the records ---- */

static struct tf_touch side_of(struct call *c, const struct code_registers *r, uint32_t touch,
			       bool is_done, bool *ret_in_handler, uintptr_t *ret_ip)
{
	struct tf_touch t = { .thread = c->s->thread,
			      .stack = stack_id_interrupted(c, is_done, ret_in_handler, ret_ip,
							    RACE_NEAR_FRAMES),
			      .touch = touch,
			      .ip = r->ip + (is_done ? 0 : 1) };

	for (int i = 0; i < 16; i++) {
		t.registers[i] = r->r[i];
	}
	return t;
}

void race_record(struct call *c, uint32_t number, const struct tf_touch *t, bool is_other)
{
	emit_osar(c->s, TRACE_ACCESS, 0, t->stack,
		  TRACE_ACCESS_WATCH | (is_other ? TRACE_WATCH_OTHER : 0) |
			  (uint64_t)number << TRACE_WATCH_SHIFT,
		  t->touch);
	c->s->accesses++;
}

/* ---- a sample ---- */

static void on_sample(struct races *r, struct call *c)
{
	uintptr_t ip[CONTEXT_FRAMES];
	uint32_t frames = unwind_interrupted(c, ip);

	race_count(&r->told->samples);
	race_guide(r, ip, frames);
	race_choose(r, c->s->index);
}

/* ---- an instruction that is reached ---- */

/* Threads that must not be kept waiting, and time that was used up. */
static bool may_pause(struct races *r, struct stream *s, uint64_t now_ns)
{
	uint64_t used = atomic_load(&r->paused_ns), gone = now_ns - r->began_ns;

	if (used > gone / 1000 * RACE_PAUSE_PER_MILLE * r->processors + 3000000) {
		return false;
	}
	if (!s->scheduling) {
		long policy = sys1(SYS_sched_getscheduler, 0);

		s->scheduling = policy == 0 || policy == 3 || policy == 5 ? 1 : 2;
	}
	return s->scheduling == 1;
}

/* How long this one stands still. */
static uint64_t pause_ns(struct races *r, const struct stream *s)
{
	uint64_t us = RACE_PAUSE_US / 2 + race_random(r) % RACE_PAUSE_US;

	return (s->held ? us / 2 : us) * 1000;
}

static void stand_still(struct races *r, struct race_watch *w, uint64_t ns, const ucontext_t *u)
{
	uint64_t began = race_now_ns(), now = began, mask = 0;

	sys4(SYS_rt_sigprocmask, SIG_SETMASK, &u->uc_sigmask, &mask, sizeof(mask));
	while (now - began < ns && atomic_load(&w->phase) == RACE_ARMED) {
		struct timespec t = { 0, (long)(ns - (now - began)) };

		sys4(SYS_futex, &w->phase, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, RACE_ARMED, &t);
		now = race_now_ns();
	}
	/* Who met us is at work in our slot: a few microseconds, unless it lost the processor. */
	while (atomic_load(&w->phase) == RACE_HIT && race_now_ns() - began < ns + 5000000) {
		sys0(SYS_sched_yield);
	}
	sys4(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof(mask));
	atomic_fetch_add(&r->paused_ns, race_now_ns() - began);
	r->told->paused_us = atomic_load(&r->paused_ns) / 1000;
}

/* The guard is held, and is again when this returns; false: it could not be taken. */
static bool pause_at(struct races *r, struct call *c, struct race_watch *w, const ucontext_t *u)
{
	uint64_t ns = pause_ns(r, c->s);
	uint32_t expected = RACE_ARMED;

	race_count(&r->told->pauses);
	shim_leave(c);
	stand_still(r, w, ns, u);
	if (atomic_compare_exchange_strong(&w->phase, &expected, RACE_TAKEN)) {
		race_disarm(&w->event, false);
		race_watch_give_back(w);
	} else if (expected == RACE_DONE) {
		race_watch_give_back(w);
	} /* else it is late: race_expire gives it back */
	return shim_enter_with(c, c->caller, ROOM_EARLY);
}

static bool is_private(const struct stream *s, uintptr_t address, uintptr_t sp)
{
	return (address >= s->stack_low && address < s->stack_high) ||
	       (address >= sp - 256 && address < sp + (64 << 10));
}

/*
 * Two threads reached an instruction with the same address: worth a pause where one of them writes, without a lock. True where nobody
 * was seen to write: who does may come once a second. Any thread writes an entry; what two wrote at the same time is no harm.
 */
static bool note_user(struct races *r, const struct stream *s, uintptr_t address, uintptr_t site,
		      bool is_write)
{
	struct race_user *u = &r->user[address * 0x9e3779b97f4a7c15u >> 52];
	bool is_shared = u->address == address && u->stream != s->index;

	if (u->address != address) {
		*u = (struct race_user){ .address = address };
	}
	u->is_written = u->is_written || is_write;
	u->stream = s->index;
	if (is_shared && u->is_written && !s->held) {
		race_make_hot(r, site);
	}
	return is_shared && !u->is_written;
}

/* True: the guard is not held any more. `i`: the instruction that makes it, NULL = a function that is called. */
static bool watch_access(struct races *r, struct call *c, const struct code_registers *g,
			 const struct race_access *x, const struct code_instruction *i,
			 const ucontext_t *u)
{
	uint64_t now = race_now_ns();
	uint32_t touch = x->touch;
	struct race_watch *w;
	uintptr_t address;
	uint32_t bytes = piece_of(x->address, x->bytes < 8 ? (uint32_t)x->bytes : 8, &address);
	bool is_there, in_handler, is_pause, is_long;

	if (!x->address || is_private(c->s, x->address, g->r[4])) {
		race_count(&r->told->private_);
		return false;
	}
	is_long = note_user(r, c->s, x->address, g->ip, x->is_write) &&
		  race_random(r) % RACE_LONG_ONE_OF == 0;
	if (now < atomic_load(&r->next_watch_ns)) {
		return false;
	}
	is_pause = !is_long && (race_is_hot(r, g->ip) || race_random(r) % 3 == 0) &&
		   may_pause(r, c->s, now);
	w = race_watch_take(r, is_pause);
	if (!w && !is_pause && may_pause(r, c->s, now)) {
		is_pause = true;
		w = race_watch_take(r, true);
	}
	if (!w) {
		return false;
	}
	atomic_store(&r->next_watch_ns, now + 1000000000 / RACE_WATCHES_A_SECOND);
	w->spot.before = race_value_at(address, bytes, &is_there);
	if (!is_there) {
		race_count(&r->told->private_);
		race_watch_give_back(w);
		return false;
	}
	touch |= i ? race_look_around(r, i, g->ip) : 0;
	w->spot.first = side_of(c, g, touch, false, &in_handler, w->spot.ip);
	w->spot.number = atomic_fetch_add(&r->next_number, 1) + 1;
	w->spot.stream = c->s->index;
	w->spot.bytes = bytes;
	w->spot.address = address;
	w->spot.site = g->ip;
	w->is_pause = is_pause && !in_handler;
	w->until_ns = now + (is_long ? RACE_LONG_MS : RACE_RESIDENT_MS) * UINT64_C(1000000);
	w->spot.is_write = x->is_write;
	w->is_parked = false;
	race_record(c, w->spot.number, &w->spot.first, false);
	if (!race_watch_arm(r, w)) {
		return false;
	}
	if (w->is_pause) {
		return !pause_at(r, c, w, u);
	}
	race_count(&r->told->residents);
	return false;
}

/* What is called is seen when it is reached: a small function that nothing names, or one of libc that copies. */
static bool on_call(struct races *r, struct call *c, const struct code_registers *g,
		    const struct code_instruction *i, const uint8_t *code, const ucontext_t *u)
{
	struct race_access x;
	uintptr_t target;

	if (race_callee_access(r, i, g, &x)) {
		return watch_access(r, c, g, &x, NULL, u);
	}
	if (!i->target && i->flow == CODE_CALL) {
		target = code_called(code, i, g);
		if (i->access && !module_read(code_address(i, g), &target, sizeof(target))) {
			target = 0;
		}
		race_guide_call(r, target);
	}
	return false;
}

/* The thread is in front of an instruction that was chosen. True: the guard is not held any more. */
static bool reach(struct races *r, struct call *c, const struct code_registers *g,
		  const ucontext_t *u)
{
	uint8_t code[CODE_MOST_BYTES];
	struct code_instruction i;
	struct race_access x;

	race_count(&r->told->traps);
	if (!module_read(g->ip, code, sizeof(code))) {
		return false;
	}
	race_deep_original(code, g->ip, g->ip + sizeof(code));
	if (!code_decode(code, sizeof(code), g->ip, &i)) {
		return false;
	}
	if (i.flow == CODE_CALL || i.flow == CODE_JUMP) {
		return on_call(r, c, g, &i, code, u);
	}
	x = (struct race_access){ .address = code_address(&i, g),
				  .bytes = i.size,
				  .is_write = i.access & CODE_WRITES };
	x.touch = touch_of(&i, x.address);
	return i.access && !i.is_atomic && watch_access(r, c, g, &x, &i, u);
}

static bool on_site(struct races *r, struct call *c, const struct code_registers *g,
		    const ucontext_t *u, uint32_t generation)
{
	uintptr_t site = g->ip;

	if (atomic_load(&r->site_generation) != generation ||
	    !atomic_compare_exchange_strong(&r->site, &site, 0)) {
		race_count(&r->told->dropped);
		return false;
	}
	race_disarm(&r->site_event, true);
	atomic_store(&r->choose_ns, 0); /* the next one can be chosen */
	return reach(r, c, g, u);
}

/* ---- a watched location that is touched ---- */

/* The instruction that was made: the one in front of where the thread is. */
static uint32_t touch_behind(struct races *r, const struct code_registers *g)
{
	struct code_instruction i;
	uintptr_t pc;

	if (!race_before(g->ip, &i, &pc)) {
		return TRACE_TOUCH_UNKNOWN;
	}
	if (!i.access) {
		return i.is_string ? TRACE_TOUCH_UNKNOWN | TRACE_TOUCH_WIDE : TRACE_TOUCH_UNKNOWN;
	}
	return touch_of(&i, 0) |
	       race_look_around(r, &i, pc); /* its registers are gone: taken for aligned */
}

static void on_own_touch(struct races *r, struct call *c, struct race_watch *w,
			 const struct code_registers *g)
{
	uint32_t expected = RACE_ARMED;
	uintptr_t ip[RACE_NEAR_FRAMES];
	struct tf_touch t;
	bool in_handler;

	if (atomic_fetch_add(&w->own_hits, 1) + 1 >= RACE_OWN_HITS &&
	    atomic_compare_exchange_strong(&w->phase, &expected, RACE_TAKEN)) {
		race_disarm(&w->event, false);
		race_watch_park(r, w);
		race_watch_give_back(w);
		return;
	}
	t = side_of(c, g, touch_behind(r, g), true, &in_handler, ip);
	race_record(c, w->spot.number, &t, false);
}

static void on_touch(struct races *r, struct call *c, struct race_watch *w,
		     const struct code_registers *g, uint32_t generation, uintptr_t address)
{
	uint32_t expected = RACE_ARMED;
	uintptr_t ip[RACE_NEAR_FRAMES];
	struct tf_touch t;
	bool in_handler;

	/* What was hit before the watch moved here comes with the new data, but with its own address. */
	if (atomic_load(&w->generation) != generation || (address && address != w->spot.address)) {
		race_count(&r->told->dropped);
		return;
	}
	if (w->spot.stream == c->s->index) {
		if (!w->is_pause) {
			on_own_touch(r, c, w, g);
		}
		return;
	}
	if (!atomic_compare_exchange_strong(&w->phase, &expected, RACE_HIT)) {
		race_count(&r->told->dropped);
		return;
	}
	race_disarm(&w->event, false);
	t = side_of(c, g, touch_behind(r, g), true, &in_handler, ip);
	race_record(c, w->spot.number, &t, true);
	race_meet(r, w, &t, ip);
}

/* ---- the handler ---- */

/* The program's own: as if nobody had looked for it. */
static void pass_on(const siginfo_t *info)
{
	struct sigaction usual = { .sa_handler = SIG_DFL };

	if (shim && shim->races) {
		race_end(shim->races, TF_WATCH_SIGTRAP, 0);
	}
	real_sigaction(SIGTRAP, &usual, NULL);
	(void)info;
	sys3(SYS_tgkill, sys0(SYS_getpid), sys0(SYS_gettid), SIGTRAP);
}

/* Nobody may look at it now: the breakpoint goes, so that the thread does not come here again and again. */
static void drop(struct races *r, uint64_t data)
{
	race_count(&r->told->dropped);
	if (data >> 62 == RACE_SITE && atomic_exchange(&r->site, 0)) {
		race_disarm(&r->site_event, true);
	}
}

/* Does a trap interrupt the handling of another one on this thread? Not when a jump left that. */
static bool is_nested(const struct stream *s, uintptr_t sp)
{
	return s->trap_sp && sp < s->trap_sp;
}

static uint64_t thread_ns(void)
{
	struct timespec t;

	sys2(SYS_clock_gettime, CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void handle(struct races *r, struct call *c, uint64_t data, uintptr_t address,
		   const struct code_registers *g, const ucontext_t *u)
{
	bool left = false;

	switch (data >> 62) {
	case RACE_SAMPLE:
		on_sample(r, c);
		break;
	case RACE_SITE:
		left = on_site(r, c, g, u, (uint32_t)data);
		break;
	case RACE_WATCH:
		if ((data >> 56 & 63) < RACE_WATCHES) {
			on_touch(r, c, &r->watch[data >> 56 & 63], g, (uint32_t)data, address);
		}
		break;
	default: /* of race_deep.c */
		left = reach(r, c, g, u);
		break;
	}
	if (!left) {
		shim_leave(c);
	}
}

void race_on_trap(int signal, siginfo_t *info, void *context)
{
	struct races *r = shim ? shim->races : NULL;
	struct stream *s = shim_stream;
	struct code_registers g;
	ucontext_t *u = context;
	uint64_t data = 0, began;
	uint32_t flags = 0;
	bool first = true;
	struct call c;

	(void)signal;
	if (races_is_trap(info)) {
		__builtin_memcpy(&data, (const char *)info + DATA_AT, sizeof(data));
		__builtin_memcpy(&flags, (const char *)info + FLAGS_AT, sizeof(flags));
	} else if (!race_deep_trap(info, u, &first)) {
		pass_on(info);
		return;
	}
	if (!r || !r->told || !first) {
		return;
	}
	g = registers_of(u);
	if (!atomic_load(&r->on) || flags & IS_LATE || !s || !s->segment || !s->thread || s->busy ||
	    is_nested(s, g.r[4]) || !shim_enter_with(&c, caller_of(&g), ROOM_EARLY)) {
		drop(r, data);
		return;
	}
	began = thread_ns();
	c.s->trap_sp = g.r[4];
	handle(r, &c, data, (uintptr_t)info->si_addr, &g, u);
	s->trap_sp = 0;
	atomic_fetch_add(&r->spent_ns, thread_ns() - began);
	r->told->spent_us = atomic_load(&r->spent_ns) / 1000;
}
