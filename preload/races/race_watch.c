/* SPDX-License-Identifier: MIT */
/*
 * race_watch.c - a watch from free to free: taken, armed, met, parked, expired.
 *
 * A watch goes from one thread to the other by its phase:
 *
 *    FREE -> TAKEN -> ARMED -> HIT -> DONE -> FREE      hit by another thread
 *                     ARMED -> TAKEN -> FREE            by the first one again and again, or nobody
 */
#include "races.h"

#include "../shim_emit.h"
#include "../shim_races.h"

#include <linux/futex.h>

enum { PARKED_MS = 8, ROUNDS = 4 };

/* Watches that stay for long leave the first register to those that do not. */
struct race_watch *race_watch_take(struct races *r, bool is_pause)
{
	for (unsigned i = !is_pause && r->watches > 1; i < r->watches; i++) {
		uint32_t expected = RACE_FREE;

		if (atomic_compare_exchange_strong(&r->watch[i].phase, &expected, RACE_TAKEN)) {
			return &r->watch[i];
		}
	}
	return NULL;
}

/* All of the watch is filled in. */
bool race_watch_arm(struct races *r, struct race_watch *w)
{
	uint32_t expected = RACE_ARMED;

	atomic_store(&w->own_hits, 0);
	atomic_store(&w->phase, RACE_ARMED);
	atomic_fetch_or(&races_armed, 1u << (w - r->watch));
	if (race_arm(&w->event, w->spot.address, w->spot.bytes, !w->spot.is_write,
		     RACE_DATA(RACE_WATCH, w - r->watch, atomic_load(&w->generation)))) {
		return true;
	}
	if (atomic_compare_exchange_strong(&w->phase, &expected, RACE_TAKEN)) {
		race_watch_give_back(w);
	}
	race_end(r, TF_WATCH_NO_REGISTERS, 0);
	return false;
}

void race_watch_give_back(struct race_watch *w)
{
	atomic_fetch_and(&races_armed, ~(1u << (w - shim->races->watch)));
	atomic_fetch_add(&w->generation, 1);
	atomic_store(&w->phase, RACE_FREE);
}

uint64_t race_value_at(uintptr_t address, uint32_t bytes, bool *ret_there)
{
	uint64_t value = 0;

	*ret_there = module_read(address, &value, bytes);
	return value;
}

/* Where two threads run in turns, the second one comes long after: see race_watch_parked. Lost when somebody is at work there. */
void race_watch_park(struct races *r, const struct race_watch *w)
{
	struct race_parked *p;

	if (w->is_parked || atomic_exchange(&r->choosing, 1)) {
		return;
	}
	p = &r->parked[r->parked_at++ % RACE_PARKED];
	*p = (struct race_parked){ .spot = w->spot };
	atomic_store(&r->choosing, 0);
}

void race_watch_parked(struct races *r, uint32_t stream, uint64_t now_ns)
{
	uint32_t start = race_random(r);

	for (uint32_t i = 0; i < RACE_PARKED; i++) {
		struct race_parked *p = &r->parked[(start + i) % RACE_PARKED];
		struct race_watch *w;

		if (!p->spot.number || p->spot.stream == stream ||
		    !(w = race_watch_take(r, false))) {
			continue;
		}
		w->spot = p->spot;
		w->is_pause = false;
		w->is_parked = true;
		w->until_ns = now_ns + PARKED_MS * UINT64_C(1000000);
		if (++p->rounds == ROUNDS) {
			p->spot.number = 0;
		}
		race_watch_arm(r, w);
		return;
	}
}

void race_meet(struct races *r, struct race_watch *w, const struct tf_touch *t, const uintptr_t *ip)
{
	/* Nothing that callers do can order what meets during a pause: there they tell only whether the two are atomic themselves. */
	uint32_t near = w->is_pause ? 1 : RACE_NEAR_FRAMES;
	struct tf_def_conflict def = { .def.type = TF_DEF_CONFLICT };
	bool is_there;

	race_count(&r->told->conflicts);
	def.watch = w->spot.number;
	def.address = w->spot.address;
	def.bytes = w->spot.bytes;
	def.before = w->spot.before;
	def.after = race_value_at(w->spot.address, w->spot.bytes, &is_there);
	def.flags = (w->is_pause ? TF_CONFLICT_PAUSED : 0) |
		    (is_there && def.after != def.before ? TF_CONFLICT_CHANGED : 0);
	def.side[0] = w->spot.first;
	def.side[0].touch |= race_look_near(r, w->spot.ip, near);
	def.side[1] = *t;
	def.side[1].touch |= race_look_near(r, ip, near);
	region_define(&def.def, sizeof(def), NULL, 0, NULL, 0);
	if (!w->is_pause) {
		race_make_hot(r, w->spot.site);
		race_watch_give_back(w);
		return;
	}
	atomic_store(&w->phase, RACE_DONE);
	sys3(SYS_futex, &w->phase, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1);
}

void race_expire(struct races *r, uint64_t now_ns)
{
	for (unsigned i = 0; i < r->watches; i++) {
		struct race_watch *w = &r->watch[i];
		uint32_t phase = atomic_load(&w->phase);

		if ((phase == RACE_ARMED || phase == RACE_DONE) && now_ns > w->until_ns &&
		    atomic_compare_exchange_strong(&w->phase, &phase, RACE_TAKEN)) {
			race_disarm(&w->event, false);
			race_watch_give_back(w);
		}
	}
}
