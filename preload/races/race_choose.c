/* SPDX-License-Identifier: MIT */
/*
 * race_choose.c - which instruction is to be watched next.
 *
 * Programs have many thousands of instructions that touch memory, and few matter: so the choice is among functions that ran lately,
 * as samples of the processor's time and the stacks of recent lock calls show them, and what these call directly. A function is
 * looked through anew each time (some microseconds); an instruction that was reached is left alone for a while, longer each time.
 */
#include "races.h"

#include "../shim_races.h"

enum {
	TRIES = 8,
	LEVELS = 2,
	FIRST_REST_MS = 5,
	MOST_DOUBLINGS = 8,
	HOT_VISITS = 8,
	SOON_BYTES = 128
};

/* ---- the guide ---- */

bool race_is_scope(uintptr_t address)
{
	const struct module *m = module_known(address);

	return m && m->is_program;
}

/*
 * Functions, not samples: a small one that is called often takes little of the time, and is where threads meet as likely as in a large
 * one. Any thread that samples may write an entry; one that two write at the same time is still a place in code that ran.
 */
static void guide_one(struct races *r, uintptr_t address)
{
	struct race_function *f;
	uintptr_t start, end;

	if (!race_is_scope(address) || !unwind_bounds(address + 1, &start, &end)) {
		return;
	}
	f = &r->function[start * 0x9e3779b97f4a7c15u >> 55];
	if (atomic_load_explicit(&f->start, memory_order_relaxed) != start) {
		f->choices = 0;
		atomic_store_explicit(&f->start, start, memory_order_relaxed);
	}
	atomic_store_explicit(&f->address, address, memory_order_relaxed);
}

void race_guide_call(struct races *r, uintptr_t target)
{
	guide_one(r, target);
}

void race_guide(struct races *r, const uintptr_t *ip, uint32_t frames)
{
	guide_one(r, ip[0] - 1); /* where it was interrupted: see unwind_from */
	for (uint32_t i = 1; i < frames && i < 10; i++) {
		guide_one(r, ip[i]);
	}
}

void race_make_hot(struct races *r, uintptr_t site)
{
	if (race_is_scope(site) && !race_is_hot(r, site)) {
		uint32_t at = atomic_fetch_add_explicit(&r->hot_at, 1, memory_order_relaxed);

		atomic_store_explicit(&r->hot[at % RACE_HOT], site, memory_order_relaxed);
	}
}

bool race_is_hot(struct races *r, uintptr_t site)
{
	for (int i = 0; i < RACE_HOT; i++) {
		if (atomic_load_explicit(&r->hot[i], memory_order_relaxed) == site) {
			return true;
		}
	}
	return false;
}

uint32_t race_next_random(struct races *r)
{
	uint32_t x = r->own_seed;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	r->own_seed = x;
	return x;
}

uintptr_t race_recent_call(struct races *r)
{
	uint32_t streams = shim->stream_count;
	const struct stream *s = streams ? shim->streams[race_next_random(r) % streams + 1] : NULL;

	for (int i = 0; s && i < 16; i++) {
		uint32_t n = race_next_random(r);
		const struct context *x =
			&s->contexts[n % CONTEXT_SETS][n >> 16 & (CONTEXT_WAYS - 1)];
		const struct depot_entry *e = __atomic_load_n(&x->stack, __ATOMIC_ACQUIRE);

		if (e && e->frames) {
			return e->ip[(n >> 20) % e->frames];
		}
	}
	return 0;
}

/* Of some functions that ran, one that was chosen least. 0 = none. */
static uintptr_t recent_function(struct races *r)
{
	struct race_function *best = NULL;
	unsigned seen = 0;

	for (unsigned n = race_next_random(r), i = 0; i < RACE_FUNCTIONS && seen < 4; i++) {
		struct race_function *f = &r->function[(n + i) % RACE_FUNCTIONS];

		if (atomic_load_explicit(&f->address, memory_order_relaxed)) {
			seen++;
			best = !best || f->choices < best->choices ? f : best;
		}
	}
	if (!best) {
		return 0;
	}
	best->choices++;
	return atomic_load_explicit(&best->address, memory_order_relaxed);
}

/* ---- in a function ---- */

bool race_read_text(struct races *r, uintptr_t address, struct race_text *ret)
{
	if (!race_is_scope(address) || !unwind_bounds(address + 1, &ret->start, &ret->end)) {
		return false;
	}
	if (ret->end - ret->start > RACE_TEXT) {
		ret->start = address;
		ret->end = ret->end - address > RACE_TEXT ? address + RACE_TEXT : ret->end;
	}
	if (!module_read(ret->start, r->text, ret->end - ret->start)) {
		return false;
	}
	race_deep_original(r->text, ret->start, ret->end);
	return true;
}

/* What follows `address`, where a thread was or will come back to, is likely to be reached soon. */
static void go_to(struct races *r, struct race_text *t, uintptr_t address)
{
	uintptr_t end = t->end - address > SOON_BYTES ? address + SOON_BYTES : t->end;

	__builtin_memmove(r->text, r->text + (address - t->start), end - address);
	t->start = address;
	t->end = end;
}

static struct race_visit *visit_of(struct races *r, uintptr_t site)
{
	return &r->visit[site * 0x9e3779b97f4a7c15u >> 51];
}

static uint32_t ms_of(const struct races *r, uint64_t ns)
{
	return (uint32_t)((ns - r->began_ns) / 1000000);
}

bool race_is_rested(struct races *r, uintptr_t site, uint64_t now_ns)
{
	const struct race_visit *v = visit_of(r, site);

	return v->site != site || ms_of(r, now_ns) >= v->not_before_ms;
}

static void note_visit(struct races *r, uintptr_t site, uint64_t now_ns)
{
	struct race_visit *v = visit_of(r, site);
	uint32_t doublings;

	if (v->site != site) {
		*v = (struct race_visit){ .site = site };
		__atomic_fetch_add(&r->told->sites, 1, __ATOMIC_RELAXED);
	}
	doublings = v->count / (race_is_hot(r, site) ? HOT_VISITS : 1);
	v->not_before_ms =
		ms_of(r, now_ns) +
		(FIRST_REST_MS << (doublings < MOST_DOUBLINGS ? doublings : MOST_DOUBLINGS));
	v->count++;
}

/* Thread-local and stack memory is nobody else's; what a library function's address is read from never changes. */
static bool is_candidate(const struct code_instruction *i)
{
	return i->access && i->size && !i->is_atomic && !i->segment && i->flow == CODE_NEXT &&
	       i->base != 4 && !(i->base == 5 && i->index == CODE_NO_REGISTER);
}

/*
 * Whom it calls is seen when it is reached: a small function that nothing names, a method or a callback; or one of libc that copies, which
 * may be the last thing that a function does.
 */
static bool is_call_of_interest(struct races *r, const struct race_text *t,
				const struct code_instruction *i)
{
	if (i->segment || (i->flow != CODE_CALL && i->flow != CODE_JUMP)) {
		return false;
	}
	if (!i->target) {
		return i->flow == CODE_CALL;
	}
	return (i->target < t->start || i->target >= t->end) && race_is_callee(r, i->target);
}

/* One of the candidates of that text, each as likely as the other, rested ones first; and of the direct calls. 0 = none. */
static uintptr_t look_through(struct races *r, const struct race_text *t, uint64_t now_ns,
			      uintptr_t *ret_callee)
{
	uint32_t rested = 0, all = 0, callees = 0;
	uintptr_t chosen = 0, tired = 0;
	struct code_instruction i;

	*ret_callee = 0;
	for (uintptr_t pc = t->start; pc < t->end; pc += i.length) {
		if (!code_decode(r->text + (pc - t->start), t->end - pc, pc, &i)) {
			break;
		}
		if (is_call_of_interest(r, t, &i) && race_is_rested(r, pc, now_ns) &&
		    race_next_random(r) % ++rested == 0) {
			chosen = pc;
		} else if (is_candidate(&i)) {
			if (race_is_rested(r, pc, now_ns) && race_next_random(r) % ++rested == 0) {
				chosen = pc;
			}
			if (race_next_random(r) % ++all == 0) {
				tired = pc;
			}
		}
		if (i.flow == CODE_CALL && i.target && race_is_scope(i.target) &&
		    race_next_random(r) % ++callees == 0) {
			*ret_callee = i.target;
		}
	}
	return chosen ? chosen : tired;
}

static uintptr_t choose_near(struct races *r, uintptr_t address, uint64_t now_ns)
{
	uint32_t levels = race_next_random(r) & 1 ? 0 : 1 + (race_next_random(r) % LEVELS);
	uintptr_t chosen = 0, callee;
	struct race_text t;

	if (!race_read_text(r, address, &t)) {
		return 0;
	}
	if (race_next_random(r) & 1) {
		go_to(r, &t, address);
	}
	chosen = look_through(r, &t, now_ns, &callee);
	for (; levels && callee && race_read_text(r, callee, &t); levels--) {
		uintptr_t deeper = look_through(r, &t, now_ns, &callee);

		chosen = deeper ? deeper : chosen;
	}
	return chosen;
}

uintptr_t race_choose_in(struct races *r, uintptr_t address, uint64_t now_ns)
{
	struct code_instruction i;
	uintptr_t start, end, pc, chosen, callee;
	struct race_text t;

	if (!race_is_scope(address) || !unwind_bounds(address + 1, &start, &end) ||
	    end - start > RACE_TEXT || !race_read_text(r, start, &t)) {
		return 0;
	}
	for (pc = start; pc < end; pc += i.length) {
		if (!code_decode(r->text + (pc - start), end - pc, pc, &i)) {
			return 0;
		}
	}
	chosen = pc == end ? look_through(r, &t, now_ns, &callee) : 0;
	if (chosen) {
		note_visit(r, chosen, now_ns);
	}
	return chosen;
}

/* ---- the breakpoint ---- */

static void set_site(struct races *r, uintptr_t site, uint64_t now_ns)
{
	uint32_t generation = atomic_fetch_add(&r->site_generation, 1) + 1;

	note_visit(r, site, now_ns);
	__atomic_fetch_add(&r->told->choices, 1, __ATOMIC_RELAXED);
	r->site_until_ns = now_ns + (race_next_random(r) % 4 ? RACE_SITE_MS : RACE_COLD_SITE_MS) *
					    UINT64_C(1000000);
	atomic_store(&r->site, site);
	if (!race_arm(&r->site_event, site, 0, false, RACE_DATA(RACE_SITE, 0, generation))) {
		race_end(r, TF_WATCH_NO_REGISTERS, 0);
	}
}

static bool has_free_watch(const struct races *r)
{
	for (unsigned i = 0; i < r->watches; i++) {
		if (atomic_load(&r->watch[i].phase) == RACE_FREE) {
			return true;
		}
	}
	return false;
}

static void choose_one(struct races *r, uint64_t now_ns)
{
	r->static_chosen = 0;
	for (int i = 0; i < TRIES; i++) {
		uint32_t n = race_next_random(r);
		uintptr_t address, site;

		site = n & 1 ? atomic_load_explicit(&r->hot[n >> 8 & (RACE_HOT - 1)],
						    memory_order_relaxed)
			     : 0;
		if (site && race_is_rested(r, site, now_ns)) {
			set_site(r, site, now_ns);
			return;
		}
		site = n & 2 ? race_static_choose(r, now_ns) : 0;
		if (!site) {
			address = n & 12 ? recent_function(r) : race_recent_call(r);
			site = address ? choose_near(r, address, now_ns) : 0;
		}
		if (site) {
			set_site(r, site, now_ns);
			return;
		}
	}
}

static bool is_spent(const struct races *r, uint64_t now_ns)
{
	return atomic_load(&r->spent_ns) >
	       (now_ns - r->began_ns) / 1000 * RACE_SPENT_PER_MILLE + 5000000;
}

void race_choose(struct races *r, uint32_t stream)
{
	uint64_t now = race_now_ns();
	uintptr_t site = atomic_load(&r->site);

	if (now < atomic_load(&r->choose_ns) || atomic_exchange(&r->choosing, 1)) {
		return;
	}
	atomic_store(&r->choose_ns, now + RACE_CHOOSE_MS * UINT64_C(1000000));
	race_expire(r, now);
	if (now > r->look_ns) {
		r->look_ns = now + RACE_LOOK_MS * UINT64_C(1000000);
		if (race_is_traced()) {
			race_end(r, TF_WATCH_TRACED, 0);
		}
	}
	if (site && now > r->site_until_ns && atomic_compare_exchange_strong(&r->site, &site, 0)) {
		race_disarm(&r->site_event, true);
		race_static_is_cold(r);
		site = 0;
	}
	if (atomic_load(&r->on)) {
		race_watch_parked(r, stream, now);
	}
	if (atomic_load(&r->on) && !is_spent(r, now)) {
		race_static_look(r);
		if (!site && has_free_watch(r)) {
			choose_one(r, now);
		}
	}
	if (unlikely(atomic_load(&races_deep)) && !is_spent(r, now)) {
		race_deep_turn(r, now);
	}
	atomic_store(&r->choosing, 0);
}
