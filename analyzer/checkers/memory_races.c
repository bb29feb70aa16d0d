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
#include "memory_proofs.h"

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
	struct recorded *recorded; /* owned; NULL = nothing is to be proven */
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
	if (s->recorded)
		recorded_event(s->recorded, e);
}

static void on_item(void *cookie, const struct memory_moment *at, const struct trace_memory_item *i)
{
	struct state *s = cookie;
	unsigned flags;

	if (s->recorded)
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
	if (s->recorded)
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
	if (s->recorded)
		recorded_acquire(s->recorded, at, i);
}

static void on_gap(void *cookie)
{
	struct state *s = cookie;

	happens_before_gap(s->hb, 1);
	fasttrack_moved(s->ft);
	if (s->recorded)
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

/* The access itself, then the calls that lead there; the shadow stack ends with what called the first watched function. */
static uint32_t stack_of(struct state *s, uint32_t node, uint64_t pc)
{
	uint64_t ip[FRAMES];

	ip[0] = pc;
	return trace_process_add_stack(s->a->process, ip,
				       1 + trace_memory_stack(s->memory, node, ip + 1, FRAMES - 1));
}

static unsigned first_byte(unsigned bytes)
{
	return bytes ? (unsigned)__builtin_ctz(bytes) : 0;
}

static const char *access_words(struct state *s, const struct fasttrack_access *x)
{
	unsigned flags = s->place[x->place].flags, bytes = (unsigned)__builtin_popcount(x->bytes);

	return analysis_printf(s->a, "%s%s%u byte%s%s",
			       flags & TM_FREE	   ? "frees memory: "
			       : flags & TM_ATOMIC ? "atomically "
						   : "",
			       flags & TM_FREE				    ? ""
			       : (flags & (TM_READ | TM_WRITE)) == TM_READ  ? "reads "
			       : (flags & (TM_READ | TM_WRITE)) == TM_WRITE ? "writes "
									    : "reads and writes ",
			       bytes, bytes == 1 ? "" : "s",
			       flags & TM_VPTR	    ? " (pointer to virtual functions)"
			       : flags & TM_LIBRARY ? " by a function of libc"
						    : "");
}

static void add_access(struct state *s, struct finding *f, uint32_t object, uint64_t address,
		       const struct fasttrack_access *x)
{
	const struct place *p = &s->place[x->place];
	uint32_t count, held[32];
	const uint32_t *set = model_get_set(s->a->model, x->set, &count);
	struct finding_stack *fs;

	count = count < 32 ? count : 32;
	for (uint32_t i = 0; i < count; i++)
		held[i] = MODEL_SET_OBJECT(set[i]);
	fs = analysis_add_stack(s->a, f, ROLE_ACCESSES, x->thread, 0, stack_of(s, p->stack, p->pc),
				p->time_ns, held, count);
	fs->lock = object;
	fs->access = (struct finding_access){ .address = address,
					      .bytes = (uint32_t)__builtin_popcount(x->bytes),
					      .reads = p->flags & TM_READ,
					      .writes = p->flags & (TM_WRITE | TM_FREE),
					      .is_atomic = p->flags & TM_ATOMIC };
	fs->note = access_words(s, x);
}

/* What the location is, as a part of the finding; its name, of a global, comes with the symbols. */
static uint32_t add_location(struct state *s, struct finding *f, const struct race *r)
{
	uint32_t id = (uint32_t)s->a->process->object_count + (uint32_t)(r - s->race);
	struct finding_lock *l = finding_add_lock(s->a->findings, f, id);
	uint32_t thread = r->block.bytes ? 0 : memory_blocks_stack_owner(s->blocks, r->word);

	l->kind = TRACE_OBJECT_VARIABLE;
	l->address = r->word + first_byte(r->old.bytes & r->now.bytes);
	if (r->block.bytes) {
		l->word = "heap block";
		l->name = analysis_printf(s->a, "of %llu bytes, at +%llu",
					  (unsigned long long)r->block.bytes,
					  (unsigned long long)(l->address - r->block.address));
		l->first_seen_stack = stack_of(s, r->block.stack, r->block.pc);
	} else if (thread) {
		l->word = "variable";
		l->name = analysis_printf(s->a, "on the stack of %s",
					  analysis_thread_label(s->a, thread));
	}
	return id;
}

static const char *locks_hint(const struct race *r)
{
	if (!r->old.set && !r->now.set)
		return "Neither held a lock.";
	if (!r->old.set || !r->now.set)
		return "One of them held a lock, the other none.";
	return "They held different locks, or shared one.";
}

static void report(struct state *s, const struct race *r)
{
	struct finding *f = analysis_begin(s->a, RULE_DATA_RACE, CONFIDENCE_OBSERVED);
	bool reads = !r->old.writes || !r->now.writes;
	uint32_t id;

	f->count = r->count;
	f->is_compiled_in = true;
	analysis_add_thread(s->a, f, r->now.thread);
	analysis_add_thread(s->a, f, r->old.thread);
	id = add_location(s, f, r);
	add_access(s, f, id, finding_find_lock(f, id)->address, &r->now);
	add_access(s, f, id, finding_find_lock(f, id)->address, &r->old);
	f->title = analysis_printf(s->a, "{thread:%u} and {thread:%u} %s {lock:%u} unordered",
				   r->now.thread, r->old.thread,
				   reads ? "read and write" : "both write", id);
	f->message = analysis_printf(
		s->a,
		"{thread:%u} and {thread:%u} access {lock:%u}, %s, and nothing orders the two: no lock, join, "
		"atomic operation or other hand-over lies between them. %s",
		r->now.thread, r->old.thread, id, reads ? "one of them to write" : "both to write",
		locks_hint(r));
	analysis_commit(s->a, f);
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
	if (analysis_wants(a, RULE_LOCK_ORDER_INVERSION))
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
	if (s->recorded)
		memory_proofs_tell(a, s->memory, s->recorded);
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
