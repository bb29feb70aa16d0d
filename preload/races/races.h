/* SPDX-License-Identifier: MIT */
/*
 * races.h - memory that two threads touch without order, caught by the processor's debug registers: what the parts share.
 *
 * An instruction is chosen near code that ran lately (race_choose.c) and gets an execution breakpoint; nothing of the host's text
 * is changed. The thread that reaches it knows the address it is about to touch (code.h); a data watchpoint goes there, for all
 * threads (race_trap.c). One third of the threads stand still for a moment in front of their access: whoever touches the location then
 * is ordered by nothing. The others run on, and whether what follows was ordered is for the analyzer, which knows all synchronisation.
 * After DataCollider (Erickson, Musuvathi, Burckhardt, Olynyk: Effective Data-Race Detection for the Kernel, OSDI 2010); resident
 * watches after CRSampler (Cai, Zhang, Yu, Zhu: FSE 2016).
 *
 * The events are the kernel's (race_event.c), with a synchronous SIGTRAP for each hit. They are opened by the first thread before it makes
 * the second one, and inherited; a forked child has none, and opens its own. One handler, raw system calls only; what interrupts one of
 * our hooks is dropped. Whatever stands in the way ends it with one reason, in TF_DEF_WATCHES.
 */
#ifndef THRUM_RACES_H
#define THRUM_RACES_H

#include "../shim.h"
#include "code.h"

#include <ucontext.h>

enum {
	RACE_WATCHES =
		2, /* of four registers: one more for the breakpoint, one is left to a debugger */
	RACE_EVENTS = RACE_WATCHES + 2,
	RACE_TRAP_CODE = 6,	   /* TRAP_PERF */
	RACE_SAMPLE_HZ = 200,	   /* of a thread's processor time */
	RACE_CHOOSE_MS = 2,	   /* not more often */
	RACE_LOOK_MS = 250,	   /* the same, for a debugger */
	RACE_SITE_MS = 3,	   /* an instruction that nobody reaches … */
	RACE_COLD_SITE_MS = 30,	   /* … one of four of them */
	RACE_RESIDENT_MS = 100,	   /* a watch without a pause */
	RACE_LONG_MS = 1200,	   /* the same, for a writer that comes once a second: … */
	RACE_LONG_ONE_OF = 4,	   /* … some of what several threads read and nobody writes */
	RACE_OWN_HITS = 4,	   /* of the thread that is watched, then the watch ends */
	RACE_PAUSE_US = 1000,	   /* half of it to one and a half */
	RACE_PAUSE_PER_MILLE = 20, /* of time, for each processor that may be in use */
	RACE_SPENT_PER_MILLE = 25, /* of processor time, in our handler */
	RACE_WATCHES_A_SECOND = 200,
	RACE_SMALL_STACK = 64 << 10,
	RACE_THREADS = 256, /* are made … */
	RACE_THREADS_A_SECOND = 500,
	RACE_FUNCTIONS = 512, /* that ran lately */
	RACE_STATICS = 256,
	RACE_LOOKED = 4096, /* functions that were looked through for that */
	RACE_LOOK_AT = 64,
	RACE_VARIABLES = 4096, /* that code which was looked through writes */
	RACE_VISITS = 8192,
	RACE_HOT = 16,
	RACE_PARKED = 32,
	RACE_CALLEES = 256,
	RACE_NEAR_FRAMES = 3, /* whose functions are looked through for atomic instructions */
	RACE_TEXT = 16384,    /* bytes of a function that are looked through */
};

/* Which event a trap is of; in the top bits of its data, then the slot, then the generation. */
enum race_event_kind { RACE_SAMPLE = 1, RACE_SITE = 2, RACE_WATCH = 3 };
#define RACE_DATA(kind, slot, generation) \
	((uint64_t)(kind) << 62 | (uint64_t)(slot) << 56 | (uint32_t)(generation))

enum race_phase {
	RACE_FREE,
	RACE_TAKEN, /* one thread fills it in, or empties it */
	RACE_ARMED,
	RACE_HIT, /* another thread is at work in it; the first one waits for that if it stands still */
	RACE_DONE,
};

/* What is watched, and who came first. */
struct race_spot {
	uint32_t number; /* of the watch, in the trace; 0 = none */
	uint32_t stream; /* index of the first thread's */
	uint32_t bytes;
	bool is_write;
	uintptr_t address, site;
	uint64_t before;
	struct tf_touch first;
	uintptr_t ip[RACE_NEAR_FRAMES]; /* of the first */
};

struct race_watch {
	struct kept_file event;
	_Atomic uint32_t phase; /* enum race_phase; a futex */
	_Atomic uint32_t generation;
	_Atomic uint32_t own_hits;
	bool is_pause, is_parked;
	uint64_t until_ns; /* a resident one */
	struct race_spot spot;
};

/* A location that its first thread touched again and again: to be watched once more while another thread runs. */
struct race_parked {
	struct race_spot spot;
	uint32_t rounds;
};

struct race_visit {
	uintptr_t site;
	uint32_t count;
	uint32_t not_before_ms;
};

/* A function that ran, or that one that ran calls, with instructions on variables of the program: where threads meet first of all. */
struct race_static {
	uintptr_t start;
	uint32_t choices;
};

struct race_function {
	_Atomic uintptr_t start, address; /* in it: where a thread was, or what follows a call */
	uint32_t choices;
};

/* What is to be watched of an access that is about to be made. */
struct race_access {
	uintptr_t address;
	uint64_t bytes;
	uint32_t touch; /* enum trace_touch */
	bool is_write;
};

/* The function of libc that a call in the program leads to, when it is one that touches the memory it is given; see race_callee.c. */
struct race_callee {
	uintptr_t target;
	uint32_t row; /* 0 = none of those */
};

struct race_user {
	uintptr_t address;
	uint32_t stream; /* of the thread that was about to touch it last */
	bool is_written;
};

struct races {
	_Atomic uint32_t on;
	struct tf_def_watches *told; /* in the trace */
	struct kept_file sampler, site_event;
	struct race_watch watch[RACE_WATCHES];
	unsigned watches, processors;
	/* the breakpoint */
	_Atomic uintptr_t site; /* 0 = none */
	_Atomic uint32_t site_generation;
	uint64_t site_until_ns;
	uint64_t look_ns; /* for a debugger: not before */
	/* time */
	uint64_t began_ns;
	_Atomic uint64_t choose_ns, next_watch_ns; /* not before */
	_Atomic uint64_t paused_ns, spent_ns;
	_Atomic uint32_t next_number, seed, threads;
	uint64_t counted_ns;	   /* when the newest 256 threads had been made */
	_Atomic uint32_t choosing; /* what follows, and `text`, belong to the thread that set it */
	uint32_t own_seed;
	uint32_t parked_at;
	struct race_parked parked[RACE_PARKED];
	struct race_visit visit[RACE_VISITS];
	uint8_t text[RACE_TEXT];
	struct race_function function[RACE_FUNCTIONS];
	/* race_static.c */
	struct race_static statics[RACE_STATICS];
	uint32_t static_count;
	uint32_t static_chosen; /* the breakpoint is in this one; from 1 */
	uintptr_t looked[RACE_LOOKED], written[RACE_VARIABLES];
	struct {
		uintptr_t start;
		uint32_t levels;
	} look_at[RACE_LOOK_AT];
	uint32_t look_at_count, look_from;
	struct race_callee callee[RACE_CALLEES];
	struct race_user user[4096];
	_Atomic uint32_t hot_at;
	_Atomic uintptr_t hot[RACE_HOT]; /* instructions of threads that met: to be paused at */
};

/* ---- race_event.c ---- */

/* SLOW: a sampler, a breakpoint or a watchpoint of this thread and all it makes; -errno. */
int race_open_sampler(struct kept_file *ret);
int race_open_breakpoint(struct kept_file *ret);
int race_open_watchpoint(struct kept_file *ret);
/* SLOW: `bytes` 0 = execution; else 1 2 4 8 aligned, and `writes`: only those. False: the event is gone. */
bool race_arm(const struct kept_file *event, uintptr_t address, uint32_t bytes, bool writes,
	      uint64_t data);
bool race_disarm(const struct kept_file *event, bool is_breakpoint);
void race_switch_sampler(const struct kept_file *sampler, bool on);

/* ---- race_boot.c ---- */

/* SLOW: is a debugger attached? It sees each trap as a signal of the program's. */
bool race_is_traced(void);

/* ---- race_choose.c ---- */

/* SLOW, guard held: a stack that ran lately. */
void race_guide(struct races *r, const uintptr_t *ip, uint32_t frames);
void race_guide_call(struct races *r,
		     uintptr_t target); /* the same of one function that is called now */
/* SLOW, guard held: what took too long is given up, and a new instruction is chosen when it is time. */
void race_choose(struct races *r, uint32_t stream); /* of this thread */
bool race_is_scope(uintptr_t address);		    /* SLOW: code whose instructions are chosen */
/* SLOW: an instruction of threads that met, to be paused at. */
void race_make_hot(struct races *r, uintptr_t site);
bool race_is_hot(struct races *r, uintptr_t site);
/* SLOW, by the thread that chooses: into r->text, the function around `address`, or of a long one what follows it. */
struct race_text {
	uintptr_t start, end;
};
bool race_read_text(struct races *r, uintptr_t address, struct race_text *ret);
/* SLOW, by the thread that chooses: an instruction of the whole function around `address`; 0 = none, or it is not understood to its end. */
uintptr_t race_choose_in(struct races *r, uintptr_t address, uint64_t now_ns);

/* SLOW, by the thread that chooses. */
uint32_t race_next_random(struct races *r);
bool race_is_rested(struct races *r, uintptr_t site, uint64_t now_ns);
uintptr_t race_recent_call(
	struct races *r); /* a frame of a stack that a hooked call came from lately; 0 = none */

/* ---- race_static.c: by the thread that chooses, SLOW ---- */

/* Looks through a few functions more. */
void race_static_look(struct races *r);
/* An instruction on a variable of the program in one of those, 0 = none. */
uintptr_t race_static_choose(struct races *r, uint64_t now_ns);
/* Nobody reached it. */
void race_static_is_cold(struct races *r);

/* ---- race_around.c ---- */

/* SLOW: enum trace_touch bits of what is around instruction `i` at `pc`; takes the room it needs from `r`. */
uint32_t race_look_around(struct races *r, const struct code_instruction *i, uintptr_t pc);
/* SLOW: TRACE_TOUCH_NEAR_ATOMIC where the functions of these frames, or what they call directly, have atomic instructions. */
uint32_t race_look_near(struct races *r, const uintptr_t *ip, uint32_t frames);

/* ---- race_deep.c ---- */

void race_deep_begin(struct races *r); /* SLOW */
/* SLOW, by the thread that chooses: plants some. */
void race_deep_turn(struct races *r, uint64_t now_ns);
/* ANY: a trap of ours? Then the thread is in front of the instruction again, which is back; `ret_first`: by this thread. */
bool race_deep_trap(const siginfo_t *info, ucontext_t *u, bool *ret_first);
/* SLOW: in a copy of text, the bytes that belong there. */
void race_deep_original(uint8_t *text, uintptr_t start, uintptr_t end);
void race_deep_in_child(void); /* at once */
/* SLOW: the instruction that ends at `ip`, by what belongs there. */
bool race_before(uintptr_t ip, struct code_instruction *ret, uintptr_t *ret_pc);

/* ---- race_callee.c ---- */

/* SLOW, by the thread that chooses: does this direct call lead to a function of libc that touches what its arguments point to? */
bool race_is_callee(struct races *r, uintptr_t target);
/* SLOW: what the call `i`, which the thread is in front of, is about to touch: one of its arguments. */
bool race_callee_access(struct races *r, const struct code_instruction *i,
			const struct code_registers *g, struct race_access *ret);

/* ---- race_watch.c ---- */

/* SLOW: one that is free, now TAKEN; NULL = none is. */
struct race_watch *race_watch_take(struct races *r, bool is_pause);
/* SLOW: all of it is filled in; false: there is no register for it, and it is given back. */
bool race_watch_arm(struct races *r, struct race_watch *w);
void race_watch_give_back(struct race_watch *w); /* ANY: its phase is the caller's */
/* SLOW: where the first thread touches it again and again: to be watched when another one runs. */
void race_watch_park(struct races *r, const struct race_watch *w);
/* ANY: 0 and false where it is not readable any more. */
uint64_t race_value_at(uintptr_t address, uint32_t bytes, bool *ret_there);
/* ANY */
static inline void race_count(uint32_t *what)
{
	__atomic_fetch_add(what, 1, __ATOMIC_RELAXED);
}
/* SLOW, guard held: this thread touched what `w` watches, set its phase to HIT, disarmed it. `ip`: RACE_NEAR_FRAMES. */
void race_meet(struct races *r, struct race_watch *w, const struct tf_touch *t,
	       const uintptr_t *ip);
/* SLOW, by the thread that chooses: watches what another thread than `stream` touched often, now that this one runs. */
void race_watch_parked(struct races *r, uint32_t stream, uint64_t now_ns);
/* SLOW: a resident watch that is over. */
void race_expire(struct races *r, uint64_t now_ns);

/* ---- race_trap.c ---- */

void race_record(struct call *c, uint32_t number, const struct tf_touch *t, bool is_other);
void race_on_trap(int signal, siginfo_t *info, void *context);

/* ---- race_boot.c ---- */

/* ANY: ends it for good; the reason is written once. */
void race_end(struct races *r, uint32_t why, uint32_t detail);
uint64_t race_now_ns(void);
uint32_t race_random(struct races *r);

#endif
