/* SPDX-License-Identifier: MIT */
/*
 * memory_races.c - races in a memory trace (thrum run --races=record): two accesses of one location, one of them a write, that nothing
 * orders. One finding for each pair of places.
 *
 * What is unordered in the trace was unordered in the run: `observed`. Which locks each side held is said as a hint. Bounded mode keeps
 * no order: nothing is looked at there.
 */
#include "../checker.h"
#include "../fasttrack.h"
#include "../memory_blocks.h"
#include "../memory_replay.h"
#include "memory_meeting.h"
#include "memory_proofs.h"
#include "memory_race_proofs.h"

#include <stdlib.h>
#include <string.h>

enum {
	CACHE = 1024,
	FRAMES = 64,
	RACES_MOST = 1000,     /* pairs of places; more is not read by anyone */
	WORDS_MOST = 1u << 25, /* 2 GiB of cells */
};

/* Where an access is made: a place is one with its stack. */
struct place {
	uint32_t stack; /* node */
	uint32_t next;	/* with the same hash */
	uint64_t pc;
	uint8_t flags; /* enum tm_access */
	uint64_t time_ns;
};

struct race {
	uint64_t old_pc,
		now_pc; /* the smaller first: a pair has one finding, whichever side came first */
	struct fasttrack_access old, now;
	uint64_t word;
	struct memory_block block; /* bytes 0 = none known */
	uint64_t count;
};

struct state {
	struct analysis *a;
	struct trace_memory *memory;
	struct memory_replay *replay;
	struct happens_before *hb;
	struct fasttrack *ft;
	struct memory_blocks *blocks;
	struct place *place; /* owned; 0 is none */
	size_t place_count, place_capacity;
	uint32_t *bucket; /* owned */
	size_t bucket_count;
	uint32_t cache[CACHE];
	struct race *race; /* owned */
	size_t race_count, race_capacity;
	size_t newest;		   /* that was seen again */
	struct recorded *recorded; /* owned */
};

static void *checked(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

/* ---- places ---- */

static size_t place_hash(uint32_t stack, uint64_t pc, unsigned flags)
{
	return (size_t)((pc ^ (uint64_t)stack << 17 ^ (uint64_t)flags << 50) *
				UINT64_C(0x9e3779b97f4a7c15) >>
			24);
}

static void rehash(struct state *s)
{
	free(s->bucket);
	s->bucket_count *= 4;
	s->bucket = checked(calloc(s->bucket_count, sizeof(*s->bucket)));
	for (uint32_t i = 1; i < s->place_count; i++) {
		struct place *p = &s->place[i];
		uint32_t *b = &s->bucket[place_hash(p->stack, p->pc, p->flags) % s->bucket_count];

		p->next = *b;
		*b = i;
	}
}

static uint32_t place_lookup_or_add(struct state *s, const struct memory_moment *at,
				    const struct trace_memory_item *i, unsigned flags)
{
	size_t hash = place_hash(i->stack, i->pc, flags);
	uint32_t *cached = &s->cache[hash % CACHE], *b;
	const struct place *p = &s->place[*cached];

	if (p->pc == i->pc && p->stack == i->stack && p->flags == flags && *cached)
		return *cached;
	b = &s->bucket[hash % s->bucket_count];
	for (uint32_t n = *b; n; n = s->place[n].next)
		if (s->place[n].pc == i->pc && s->place[n].stack == i->stack &&
		    s->place[n].flags == flags)
			return *cached = n;
	if (s->place_count == s->place_capacity) {
		s->place_capacity *= 2;
		s->place = checked(realloc(s->place, s->place_capacity * sizeof(*s->place)));
	}
	s->place[s->place_count] = (struct place){ .stack = i->stack,
						   .next = *b,
						   .pc = i->pc,
						   .flags = (uint8_t)flags,
						   .time_ns = at->time_ns };
	*b = (uint32_t)s->place_count++;
	if (s->place_count > s->bucket_count) {
		rehash(s);
	}
	return *cached = (uint32_t)s->place_count - 1;
}

/* ---- what the replay says ---- */

static void on_event(void *cookie, const struct trace_event *e)
{
	struct state *s = cookie;

	happens_before_apply(s->hb, e);
	fasttrack_moved(s->ft);
	recorded_event(s->recorded, e);
}

static void on_item(void *cookie, const struct memory_moment *at, const struct trace_memory_item *i)
{
	struct state *s = cookie;
	unsigned flags;

	recorded_item(s->recorded, at, i);
	switch (i->kind) {
	case TM_ACCESS:
	case TM_SYNC:
		flags = i->kind == TM_SYNC ? i->access_flags : i->flags;
		if (memory_blocks_is_benign(s->blocks, i->address, i->generation))
			return;
		fasttrack_touch(s->ft, at->thread, i->address, i->bytes, i->generation,
				(flags & TM_WRITE ? FASTTRACK_WRITES : 0) |
					(flags & TM_ATOMIC ? FASTTRACK_ATOMIC : 0),
				place_lookup_or_add(s, at, i, flags), at->set);
		break;
	case TM_FENCE:
		happens_before_fence(s->hb, at->thread, i->flags & TM_ACQUIRE,
				     i->flags & TM_RELEASE);
		fasttrack_moved(s->ft);
		break;
	default:
		memory_blocks_note(s->blocks, at, i);
		break;
	}
}

static void on_release(void *cookie, const struct memory_moment *at,
		       const struct trace_memory_item *i)
{
	struct state *s = cookie;

	if (i->flags & TM_RELEASE)
		happens_before_release_at(s->hb, at->thread, i->address);
	else
		happens_before_may_release_at(s->hb, at->thread, i->address);
	fasttrack_moved(s->ft);
	recorded_release(s->recorded, at, i);
}

static void on_acquire(void *cookie, const struct memory_moment *at,
		       const struct trace_memory_item *i)
{
	struct state *s = cookie;

	if (i->flags & TM_ACQUIRE)
		happens_before_acquire_at(s->hb, at->thread, i->address);
	else
		happens_before_may_acquire_at(s->hb, at->thread, i->address);
	fasttrack_moved(s->ft);
	recorded_acquire(s->recorded, at, i);
}

static void on_gap(void *cookie)
{
	struct state *s = cookie;

	happens_before_gap(s->hb, 1);
	fasttrack_moved(s->ft);
	recorded_gap(s->recorded);
}

static void on_soon(void *cookie, uint64_t address, uint16_t generation)
{
	struct state *s = cookie;

	fasttrack_prefetch(s->ft, address, generation);
}

/* ---- races ---- */

static bool is_of(const struct race *r, uint64_t x, uint64_t y)
{
	return (r->old_pc == x && r->now_pc == y) || (r->old_pc == y && r->now_pc == x);
}

static void on_race(void *cookie, uint64_t word, uint16_t generation,
		    const struct fasttrack_access *old, const struct fasttrack_access *now)
{
	struct state *s = cookie;
	uint64_t x = s->place[old->place].pc, y = s->place[now->place].pc;

	/* Under one lock that excludes both, they cannot have met: then something is missing that would order them. */
	if (model_sets_exclude(s->a->model, old->set, now->set))
		return;
	if (s->newest < s->race_count && is_of(&s->race[s->newest], x, y)) {
		s->race[s->newest].count++;
		return;
	}
	for (size_t i = 0; i < s->race_count; i++)
		if (is_of(&s->race[i], x, y)) {
			s->newest = i;
			s->race[i].count++;
			return;
		}
	if (s->race_count == RACES_MOST)
		return;
	if (s->race_count == s->race_capacity) {
		s->race_capacity = s->race_capacity ? s->race_capacity * 2 : 16;
		s->race = checked(realloc(s->race, s->race_capacity * sizeof(*s->race)));
	}
	s->race[s->race_count++] = (struct race){
		.old_pc = x,
		.now_pc = y,
		.old = *old,
		.now = *now,
		.word = word,
		.block = memory_blocks_find(s->blocks, word, generation),
		.count = 1,
	};
}

/* ---- findings ---- */

static struct memory_side side_of(struct state *s, const struct fasttrack_access *x)
{
	const struct place *p = &s->place[x->place];
	struct memory_side side = { .thread = x->thread,
				    .node = p->stack,
				    .pc = p->pc,
				    .flags = p->flags,
				    .bytes = (uint32_t)__builtin_popcount(x->bytes),
				    .writes = x->writes,
				    .time_ns = p->time_ns };
	uint32_t count;
	const uint32_t *set = model_get_set(s->a->model, x->set, &count);

	for (uint32_t i = 0; i < count && side.held_count < MEMORY_HELD; i++)
		side.held[side.held_count++] = MODEL_SET_OBJECT(set[i]);
	return side;
}

static void report(struct state *s, const struct race *r)
{
	unsigned both = r->old.bytes & r->now.bytes;
	struct memory_meeting m = { .side = { side_of(s, &r->now), side_of(s, &r->old) },
				    .address = r->word + (both ? (unsigned)__builtin_ctz(both) : 0),
				    .block = r->block,
				    .index = (uint32_t)(r - s->race),
				    .count = r->count };

	if (!m.block.bytes)
		m.stack_owner = memory_blocks_stack_owner(s->blocks, r->word);
	analysis_commit(s->a, memory_meeting_tell(s->a, s->memory, &m, CONFIDENCE_OBSERVED));
}

/* Of a pair that is known as observed, the other order adds nothing. */
static bool is_known(void *cookie, uint64_t x, uint64_t y)
{
	const struct state *s = cookie;

	for (size_t i = 0; i < s->race_count; i++)
		if (is_of(&s->race[i], x, y))
			return true;
	return false;
}

/* ---- the checker ---- */

static void *memory_races_begin(struct analysis *a)
{
	const struct trace_process *p = a->process;
	struct memory_sink sink = { .event = on_event,
				    .item = on_item,
				    .release = on_release,
				    .acquire = on_acquire,
				    .gap = on_gap,
				    .soon = on_soon };
	struct trace_memory *memory;
	struct diag diag;
	struct state *s;

	if (a->run || !p->memory_path || p->flags & TF_PROCESS_BOUNDED ||
	    !(analysis_wants(a, RULE_DATA_RACE) || analysis_wants(a, RULE_LOCK_ORDER_INVERSION)) ||
	    trace_memory_open(p->memory_path, &memory, &diag))
		return NULL;
	s = checked(calloc(1, sizeof(*s)));
	s->a = a;
	s->memory = memory;
	s->hb = happens_before_new(p);
	s->ft = fasttrack_new(s->hb, WORDS_MOST, on_race, s);
	s->blocks = memory_blocks_new();
	s->place_capacity = s->bucket_count = 1024;
	s->place = checked(calloc(s->place_capacity, sizeof(*s->place)));
	s->bucket = checked(calloc(s->bucket_count, sizeof(*s->bucket)));
	s->place_count = 1;
	sink.cookie = s;
	s->recorded = recorded_new(p, memory);
	s->replay = memory_replay_new(p, memory, &sink);
	return s;
}

static void memory_races_on_event(void *state, struct analysis *a, const struct trace_event *e,
				  const struct model_step *step)
{
	struct state *s = state;
	uint32_t set = 0;

	if (!s)
		return;
	if (step->thread && step->thread->held_count)
		set = model_intern_set(a->model, step->thread, 0);
	memory_replay_event(s->replay, e, set);
}

static void memory_races_finish(void *state, struct analysis *a)
{
	struct state *s = state;

	if (!s)
		return;
	s->a = a;
	memory_replay_finish(s->replay);
	for (size_t i = 0; i < s->race_count && analysis_wants(a, RULE_DATA_RACE); i++)
		report(s, &s->race[i]);
	if (analysis_wants(a, RULE_LOCK_ORDER_INVERSION))
		memory_proofs_tell(a, s->memory, s->recorded);
	if (analysis_wants(a, RULE_DATA_RACE))
		memory_race_proofs_tell(
			a, s->memory, s->recorded,
			&(struct memory_known){ s, is_known, s->blocks, (uint32_t)s->race_count });
}

static void memory_races_release(void *state)
{
	struct state *s = state;

	if (!s)
		return;
	memory_replay_free(s->replay);
	recorded_free(s->recorded);
	fasttrack_free(s->ft);
	happens_before_free(s->hb);
	memory_blocks_free(s->blocks);
	trace_memory_free(s->memory);
	free(s->place);
	free(s->bucket);
	free(s->race);
	free(s);
}

const struct checker checker_memory_races = {
	.name = "memory_races",
	.consumes = CHECKER_ALL,
	.begin = memory_races_begin,
	.on_event = memory_races_on_event,
	.finish = memory_races_finish,
	.release = memory_races_release,
};
