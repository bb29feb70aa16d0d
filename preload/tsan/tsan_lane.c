/* SPDX-License-Identifier: MIT */
/*
 * tsan_lane.c - what a thread writes its records to: getting a lane, a chunk, and what a reader must know before a record.
 */
#include "tsan.h"

__thread struct lane *lane_now __attribute__((tls_model("initial-exec")));
struct world *world;
struct tm_header *tsan_header;
uint32_t tsan_whole = WHOLE;

extern __typeof__(thrum_memory_attach) thrum_memory_attach __attribute__((weak));
extern __typeof__(thrum_memory_pages) thrum_memory_pages __attribute__((weak));
extern __typeof__(thrum_memory_chunk) thrum_memory_chunk __attribute__((weak));
extern __typeof__(thrum_memory_header) thrum_memory_header __attribute__((weak));
extern __typeof__(thrum_memory_listen) thrum_memory_listen __attribute__((weak));

/* Of every thread that records nothing. Shared: what is counted in it means nothing. */
static struct lane lane_off;
static struct tm_record scratch[64];

/* ---- memory changes hands ---- */

static void end_fine(uintptr_t start, uintptr_t end)
{
	for (uintptr_t p = start & ~(uintptr_t)15; p < end; p += 16) {
		++*generation_fine(p);
	}
}

void generation_end(uintptr_t start, size_t bytes)
{
	enum { BLOCK = 1 << 16 };
	uintptr_t end = start + bytes;
	uintptr_t low = (start + BLOCK - 1) & ~(uintptr_t)(BLOCK - 1);
	uintptr_t high = end & ~(uintptr_t)(BLOCK - 1);

	if (low >= high || end < start) {
		end_fine(start, end);
		return;
	}
	end_fine(start, low);
	for (uintptr_t p = low, n = 0; p < high && n < COARSE; p += BLOCK, n++) {
		++*generation_coarse(p);
	}
	end_fine(high, end);
}

/* HOT: of libthrum.so's hooks of free, realloc and munmap. */
static void on_gone(uintptr_t start, size_t bytes, uintptr_t pc)
{
	struct lane *t = lane_now;

	if (t && t->on && code_is_watched(pc)) {
		access_range(start, bytes, TM_WRITE | TM_FREE, pc, CALLER_SP());
	}
	if (t) {
		epoch_next(t);
	}
	generation_end(start, bytes);
}

/* HOT: this thread is about to make another: hook guard held. */
static void on_thread(void)
{
	struct lane *t = lane_now;

	atomic_store(&world->threaded, 1);
	if (t && t->events) {
		t->on = !t->ignored;
		t->syncs = true;
	} else {
		lane_now = NULL; /* of the parent, when we are a forked child */
	}
}

/* ---- lanes ---- */

static bool world_begin(void)
{
	struct world *w;

	if (world) {
		return true;
	}
	w = thrum_memory_pages(sizeof(*w));
	if (!w) {
		return false;
	}
	/* Two threads at a time: one world is enough, the other's pages are never touched. */
	if (__sync_bool_compare_and_swap(&world, NULL, w)) {
		tsan_whole = thrum_memory_header()->mode == TM_FULL ? UINT32_MAX : WHOLE;
		thrum_memory_listen(on_gone, on_thread);
	}
	return true;
}

static struct lane *lane_of(struct memory_thread *who)
{
	struct lane *t = *who->slot;

	if (!t) {
		t = thrum_memory_pages(sizeof(*t));
		if (!t) {
			return NULL;
		}
		t->id = __atomic_add_fetch(&tsan_header->lanes, 1, __ATOMIC_RELAXED);
		*who->slot = t;
	}
	return t;
}

static void lane_set(struct lane *t, const struct memory_thread *who)
{
	/* A new lane's pages are zeros, and stay untouched until a place is met. */
	if (atomic_fetch_add(&world->threads, 1) < OWN_COUNTS && t->chunk) {
		for (unsigned i = 0; i < PC_SETS; i++) {
			t->places[i][0] = t->places[i][1] = (struct place){ 0 };
		}
	}
	for (unsigned i = 0; i < SEEN; i++) {
		t->seen[i].address = 0;
	}
	t->who = *who;
	t->depth = t->valid = t->told = t->ignored = 0;
	t->announced = false;
	t->position = UINT64_MAX;
	t->events = who->events;
	epoch_next(t);
	if (who->is_main) {
		atomic_store(&world->first, t);
	} else {
		struct lane *first = atomic_load(&world->first);

		/* What a thread before us left on the same stack was another's. */
		if (who->stack_low) {
			uintptr_t high = (uintptr_t)pthread_self();

			high = high > who->stack_high && high - who->stack_high < 1u << 28
				       ? high
				       : who->stack_high;
			generation_end(who->stack_low, high - who->stack_low);
		}
		atomic_store(&world->threaded, 1);
		if (first && first->events) {
			first->syncs = true;
			first->on = !first->ignored;
		}
	}
	t->on = t->syncs = atomic_load(&world->threaded) != 0 && !tsan_header->flags;
}

cold_call struct lane *lane_begin(void)
{
	struct memory_thread who = { 0 };
	struct lane *t;
	bool never = !thrum_memory_attach;

	if (never || !thrum_memory_attach(&who, &never)) {
		if (never) {
			lane_now = &lane_off;
		}
		return &lane_off;
	}
	__atomic_store_n(&tsan_header, thrum_memory_header(), __ATOMIC_RELEASE);
	if (!world_begin() || !(t = lane_of(&who))) {
		return lane_now = &lane_off;
	}
	lane_set(t, &who);
	return lane_now = t;
}

cold_call struct tm_record *lane_grow(struct lane *t, unsigned n)
{
	struct tm_chunk *chunk = NULL, *old;
	uint32_t units;
	size_t bytes;

	if (t->growing || !t->events || n > sizeof(scratch) / sizeof(scratch[0])) {
		return scratch; /* a signal handler in the middle of this */
	}
	t->growing = true;
	units = t->chunk ? t->units * 2 : 1;
	units = units < TM_UNITS_MOST ? units : TM_UNITS_MOST;
	chunk = thrum_memory_chunk(t->id, t->chunk ? t->number + 1 : 0, units);
	if (!chunk) {
		__atomic_fetch_add(&tsan_header->lost, n, __ATOMIC_RELAXED);
		t->on = t->syncs = false;
		t->next = t->end = NULL;
		t->growing = false;
		return scratch;
	}
	/* A handler that comes between counts in one of the two. */
	old = t->chunk;
	bytes = (size_t)t->units * TM_UNIT_BYTES;
	t->chunk = chunk;
	atomic_signal_fence(memory_order_seq_cst);
	if (old) {
		sys2(SYS_munmap, old, bytes);
	}
	t->number = chunk->number;
	t->units = units;
	t->next = (struct tm_record *)(chunk + 1) + n;
	t->end = (struct tm_record *)((uint8_t *)chunk + (size_t)units * TM_UNIT_BYTES);
	atomic_signal_fence(memory_order_seq_cst);
	t->growing = false;
	return (struct tm_record *)(chunk + 1);
}

/* ---- what a reader must know ---- */

static void announce(struct lane *t)
{
	struct tm_record *r = reserve(t, 3);

	t->announced = true;
	record_put(r, TM_A(TM_THREAD, 0, t->who.thread),
		   (uint64_t)t->who.stream << 32 | t->who.tid);
	record_put(r + 1, TM_A(TM_DEPTH, 0, 0), 0);
	record_put(r + 2, TM_A(TM_STACK, 0, t->who.stack_low), t->who.stack_high);
	t->told = t->valid = 0;
}

static void tell_frames(struct lane *t, uint32_t depth)
{
	while (t->valid < depth) {
		uint32_t n = depth - t->valid < 32 ? depth - t->valid : 32, first = t->valid;
		struct tm_record *r = reserve(t, n);

		for (uint32_t i = 0; i < n; i++) {
			record_put(r + i, TM_A(TM_FRAME, 0, first + i), t->stack[first + i].pc);
		}
		t->valid = first + n;
		t->told = first + n;
	}
	if (t->told != depth) {
		record_put(reserve(t, 1), TM_A(TM_DEPTH, 0, depth), 0);
		t->told = depth;
	}
}

cold_call void lane_context(struct lane *t, uintptr_t sp)
{
	uint64_t events = *t->events;
	uint32_t depth;

	while (t->depth && t->depth <= DEPTH && sp - t->stack[t->depth - 1].sp - 1 < STACK_SPAN) {
		t->depth--; /* left by a longjmp */
	}
	t->valid = t->valid < t->depth ? t->valid : t->depth;
	if (unlikely(!t->announced)) {
		announce(t);
	}
	if (t->position != events) {
		t->position = events;
		epoch_next(t);
		record_put(reserve(t, 1), TM_A(TM_POSITION, 0, events), 0);
	}
	depth = t->depth < DEPTH ? t->depth : DEPTH;
	if (t->valid != depth || t->told != depth) {
		tell_frames(t, depth);
	}
}

struct place *place_find(struct lane *t, uintptr_t pc)
{
	struct place *set = t->places[(pc ^ pc >> 12) % PC_SETS], *p = &set[1];

	if (p->pc == (uint32_t)pc) {
		return p;
	}
	p = set[0].count <= set[1].count ? &set[0] : &set[1];
	*p = (struct place){ .pc = (uint32_t)pc };
	return p;
}
