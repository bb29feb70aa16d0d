/* SPDX-License-Identifier: MIT */
/*
 * shim_thread.c - which thread this is, what it writes to, and the slow way into a hook.
 *
 * A stream (ring segment plus caches) belongs to one thread at a time. It is handed back when the
 * thread is known to be over: by the join that collected it, or by a look whether its kernel id is
 * gone. Until then C++ thread_local and key destructors, which run after the start routine, still
 * record.
 */
#include "shim_emit.h"
#include "shim_races.h"
#include "shim_sanitizer.h"

#include <errno.h>
#include <sys/resource.h>

__thread struct stream *shim_stream __attribute__((tls_model("initial-exec")));

/* ---- handles ---- */

static struct thread_entry **thread_bucket(uintptr_t handle)
{
	return &shim->threads[(handle * 0x9e3779b97f4a7c15u) >> 52];
}

struct thread_entry *thread_find(uintptr_t handle)
{
	struct thread_entry *e;

	spin_lock(&shim->thread_lock);
	for (e = *thread_bucket(handle); e && e->handle != handle; e = e->next) {
	}
	spin_unlock(&shim->thread_lock);
	return e;
}

/* Both the creator and the new thread register: its own word counts (it gives `s`), else the newest id of a handle. */
void thread_register(uintptr_t handle, uint32_t id, struct stream *s)
{
	struct thread_entry **bucket = thread_bucket(handle), *e;

	spin_lock(&shim->thread_lock);
	for (e = *bucket; e && e->handle != handle; e = e->next) {
	}
	if (!e) {
		spin_unlock(&shim->thread_lock);
		e = shim_alloc(sizeof(*e));
		if (!e) {
			return;
		}
		e->handle = handle;
		spin_lock(&shim->thread_lock);
		e->next = *bucket;
		*bucket = e;
	}
	/*
	 * A thread that registers itself (it has a stream) is whom the handle means now. Its creator may
	 * come late, when the handle means a newer one already. Ids are given out before the real
	 * pthread_create: of two creators, the one with the lower id may have got the handle later, when
	 * the other's thread was joined.
	 */
	if (bounded_thread_is_newer(id, e->id) ||
	    (e->id != id && (s || atomic_load(&e->state) == THREAD_JOINED))) {
		e->id = id;
		e->stream = NULL;
		atomic_store(&e->state, THREAD_LIVE);
	}
	if (s && e->id == id) {
		e->stream = s;
	}
	spin_unlock(&shim->thread_lock);
}

uint32_t thread_new(uint32_t parent, uint32_t stack, uint32_t flags, uintptr_t routine)
{
	struct tf_def_thread def = { .def.type = TF_DEF_THREAD,
				     .parent = parent,
				     .stack = stack,
				     .flags = flags,
				     .start_routine = routine,
				     .ticks = arch_ticks() };

	region_calibrate();
	return bounded_thread_define(&def);
}

/* ---- streams ---- */

static void stream_begin_chunk(struct stream *s)
{
	struct tf_segment *g = s->segment;

	g->thread = s->thread;
	g->base_ticks = s->last_ticks = arch_ticks();
	g->base_mono_ns = region_mono_ns();
	s->last_object = 0;
	s->order_key = s->index;
	s->committed = (_Atomic uint32_t *)&g->committed;
	s->payload = s->cursor = (uint8_t *)g + TF_SEGMENT_HEADER_BYTES;
	s->limit = (uint8_t *)g + TF_SEGMENT_BYTES;
}

static struct stream *stream_new(uint32_t thread, uint32_t tid)
{
	struct stream *s = shim_pages(sizeof(*s));
	struct tf_segment *g = s ? region_new_segment() : NULL;

	if (!g) {
		return NULL;
	}
	s->thread = thread;
	s->tid = tid;
	spin_lock(&shim->thread_lock);
	s->index = shim->stream_count < 65535 ? ++shim->stream_count : 0;
	if (s->index) {
		shim->streams[s->index] = s;
	}
	spin_unlock(&shim->thread_lock);
	if (!s->index) {
		return NULL;
	}
	s->segment = g;
	g->stream = s->index;
	if (!bounded_stream_new(s)) {
		stream_begin_chunk(s);
		__atomic_store_n(&g->kind, TF_SEGMENT_STREAM, __ATOMIC_RELEASE);
	}
	return s;
}

/*
 * A child that was forked in a signal handler returns into a hook that its parent had entered: the stream of that
 * hook was wiped, and what the hook still writes, with its parent's numbers in it, goes nowhere.
 */
static void stream_to_nowhere(struct stream *s)
{
	if (!s->segment) {
		s->segment = shim_pages(TF_SEGMENT_BYTES);
	}
	if (s->segment) {
		s->payload = s->cursor = (uint8_t *)s->segment + TF_SEGMENT_HEADER_BYTES;
		s->limit = (uint8_t *)s->segment + TF_SEGMENT_BYTES;
		s->committed = (void *)&s->segment->committed;
	}
}

/* The segment is full: out to the file, then the same memory starts the next chunk. A kill anywhere between leaves
 * the chunk in the map, in the file, or in both; readers take the fuller one. */
void shim_seal(struct stream *s)
{
	struct tf_segment *g = s->segment;

	if (unlikely(!s->index)) {
		stream_to_nowhere(s);
		return;
	}
	if (unlikely(atomic_load(&shim->state) == SHIM_OFF)) { /* perhaps no system call is safe */
		__atomic_fetch_add(&shim->process->lost_chunks, 1, __ATOMIC_RELAXED);
		__atomic_store_n(&g->committed, 0, __ATOMIC_RELEASE);
		s->cursor = (uint8_t *)g + TF_SEGMENT_HEADER_BYTES;
		return;
	}
	if (s->bounded && s->bounded->ring && bounded_next_slot(s)) {
		return;
	}
	region_write(g);
	region_calibrate();
	races_turn(s);
	__atomic_store_n(&g->committed, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&g->chunk, g->chunk + 1, __ATOMIC_RELEASE);
	if (!s->bounded || !bounded_next_slot(s)) {
		stream_begin_chunk(s);
	}
}

/*
 * Detached and foreign threads nobody joins: take back what belongs to kernel ids that are gone. A
 * join may be faster and the stream live again, under another thread id, before we come to it.
 */
static void scavenge(void)
{
	uint32_t count = shim->stream_count;

	for (uint32_t i = 1; i <= count; i++) {
		struct stream *s = shim->streams[i];
		uint32_t thread, tid;

		if (!s || s == shim_stream) {
			continue;
		}
		spin_lock(&shim->thread_lock);
		thread = s->thread;
		tid = s->tid;
		spin_unlock(&shim->thread_lock);
		if (thread && sys3(SYS_tgkill, shim->process->pid, tid, 0) == -3) { /* ESRCH */
			thread_reclaim(s, thread);
			bounded_thread_over(thread, false);
		}
	}
}

/* Nobody joins the main thread, which the kernel keeps to the end. */
static bool is_in_destructors(const struct stream *s)
{
	return s && s != shim_stream && s->ended && s->thread && s->tid != shim->process->pid &&
	       sys3(SYS_tgkill, shim->process->pid, s->tid, 0) == 0;
}

static bool any_is_in_destructors(void)
{
	for (uint32_t i = 1; i <= shim->stream_count; i++) {
		if (is_in_destructors(shim->streams[i])) {
			return true;
		}
	}
	return false;
}

/* A thread that has only just ended is gone in a moment: that is worth the wait, or the end of none that nobody joins would be told. */
void threads_tell_ending(struct call *c)
{
	enum { PATIENCE_NS = 20000000 };
	uint64_t until;

	if (!atomic_load(&shim->ended_streams)) {
		return;
	}
	until = region_mono_ns() + PATIENCE_NS;
	while (any_is_in_destructors() && region_mono_ns() < until) {
		sys0(SYS_sched_yield);
	}
	for (uint32_t i = 1; i <= shim->stream_count; i++) {
		if (is_in_destructors(shim->streams[i])) {
			emit_plain(c->s, TRACE_JOIN, 3, shim->streams[i]->thread, c->stack,
				   encode_zigzag(EBUSY));
		}
	}
}

void thread_reclaim(struct stream *s, uint32_t thread)
{
	spin_lock(&shim->thread_lock);
	if (s->thread == thread) {
		if (s->ended) {
			atomic_fetch_sub(&shim->ended_streams, 1);
		}
		s->thread = 0;
		s->segment->thread_now = 0;
		s->segment->wait.kind = TRACE_WAIT_NONE;
		s->next_free = shim->free_streams;
		shim->free_streams = s;
	}
	spin_unlock(&shim->thread_lock);
}

static struct stream *stream_take(uint32_t thread, uint32_t tid)
{
	struct stream *s;

	if (!shim->free_streams && (atomic_load(&shim->ended_streams) >= 4 ||
				    (shim->stream_count >= 64 && shim->next_thread % 64 == 0))) {
		scavenge();
	}
	spin_lock(&shim->thread_lock);
	s = shim->free_streams;
	if (s) {
		shim->free_streams = s->next_free;
		s->thread =
			thread; /* both at once: scavenge must not see the one without the other */
		s->tid = tid;
	}
	spin_unlock(&shim->thread_lock);
	return s ? s : stream_new(thread, tid);
}

static void find_stack(struct stream *s, uint32_t flags)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	struct rlimit limit = { 0 };

	s->stack_low = s->stack_high = 0;
	if (!module_mapping(here, &s->stack_low, &s->stack_high)) {
		/* No /proc: the program's stack is known all the same, others are read through the kernel. */
		s->stack_high = flags & TF_THREAD_MAIN ? links_stack_top(here) : 0;
		if (!s->stack_high) {
			return;
		}
	}
	if (flags & TF_THREAD_MAIN) { /* grows down as far as the limit */
		sys4(SYS_prlimit64, 0, RLIMIT_STACK, NULL, &limit);
		uint64_t room = limit.rlim_cur > (1u << 30) ? 1u << 30 : limit.rlim_cur;

		s->stack_low = s->stack_high > room ? s->stack_high - room : 0;
	}
}

/*
 * There was no room for this thread's stream. It stays unrecorded then, and is counted: one that
 * came in later, between a lock and its unlock, would look like a fault of the host.
 */
static __thread bool left_out __attribute__((tls_model("initial-exec")));

bool thread_attach(uint32_t id, uint32_t flags, uint64_t mask)
{
	uint32_t tid = (uint32_t)sys0(SYS_gettid);
	struct stream *s = stream_take(id, tid);

	left_out = !s;
	if (!s) {
		__atomic_fetch_add(&shim->process->lost_events, 1, __ATOMIC_RELAXED);
		return false;
	}
	s->busy = 1;
	s->ended = 0;
	s->exiting = s->trampolined = 0;
	atomic_store(&s->stack_lowest, UINTPTR_MAX);
	s->epoch++; /* contexts of the thread before us hold no more: its stack may be unmapped */
	s->held = s->read_held_count = 0;
	s->python_held = 0;
	s->once_count = 0;
	s->task = 0;
	s->callback_count = 0;
	s->blocks = 0;
	s->event_base = s->ev_loop = NULL;
	s->event_depth = 0;
	s->loop_code = 0;
	s->wait_sp = 0;
	s->trap_sp = 0;
	s->scheduling = 0;
	if (s->bounded) {
		bounded_thread_begin(s);
	}
	s->segment->thread_now = id;
	s->segment->tid_now = s->tid;
	if (flags) {
		find_stack(s, flags);
	}
	if ((size_t)(s->limit - s->cursor) < ROOM_EARLY) {
		shim_seal(s);
	}
	emit_plain(s, TRACE_THREAD_BEGIN, 1, id, 0, 0);
	if (unlikely(tsan.thread)) {
		struct tf_def_tid def = { .def.type = TF_DEF_TID, .thread = id, .tid = tid };

		region_define(&def.def, sizeof(def), NULL, 0, NULL, 0);
	}
	signal_attach(s, flags, mask);
	shim_stream = s;
	s->busy = 0;
	return true;
}

/* ---- the slow way in ---- */

/* First event of a thread that no hooked call made. */
static bool attach_foreign(void)
{
	uint64_t mask;
	uint32_t id;
	bool attached;

	if (left_out) {
		__atomic_fetch_add(&shim->process->lost_events, 1, __ATOMIC_RELAXED);
		return false;
	}
	mask = signals_off();
	id = thread_new(0, 0, TF_THREAD_FOREIGN, 0);
	attached = thread_attach(id, TF_THREAD_FOREIGN, mask);
	if (attached) {
		thread_register((uintptr_t)pthread_self(), id, shim_stream);
	}
	signals_on(mask);
	return attached;
}

/*
 * Frames that held locks have returned: what lies below the caller's stack pointer is no lock any
 * more.
 */
static void retire_popped(struct call *c)
{
	struct stream *s = c->s;
	uintptr_t lowest = atomic_load(&s->stack_lowest);

	if (c->caller.sp >= s->stack_low && c->caller.sp < s->stack_high) {
		atomic_store(&s->stack_lowest,
			     c->caller.sp); /* first: another thread may see a new one meanwhile */
		object_retire_range(c, lowest, c->caller.sp - lowest, TRACE_GONE_STACK);
	}
}

/*
 * Did the call that holds the guard, or that is muted, go away behind our back? A longjmp, an exception
 * or a cancellation takes its frame off the stack: then we are above it, or its return address is not
 * where it was.
 */
static bool busy_is_stale(const struct stream *s, uintptr_t sp)
{
	if (sp >= s->busy_sp && sp >= s->stack_low && sp < s->stack_high) {
		return true;
	}
	return s->busy == BUSY_MUTED && s->muted_ip && s->busy_sp > s->stack_low &&
	       s->busy_sp < s->stack_high && *(const uintptr_t *)(s->busy_sp - 8) != s->muted_ip;
}

bool shim_enter_slow(struct call *c)
{
	struct stream *s;

	if (unlikely(!shim || atomic_load(&shim->state) != SHIM_LIVE)) {
		if (shim && atomic_load(&shim->state) != SHIM_COLD) {
			if (shim->process && atomic_load(&shim->state) == SHIM_OFF) {
				__atomic_fetch_add(&shim->process->lost_events, 1,
						   __ATOMIC_RELAXED);
			}
			return false;
		}
		shim_stream = NULL; /* of the parent, when we are a forked child */
		shim_boot();
		if (!shim || atomic_load(&shim->state) != SHIM_LIVE) {
			return false;
		}
	}
	if ((!shim_stream || !shim_stream->segment) && !attach_foreign()) {
		return false;
	}
	s = shim_stream;
	if (unlikely(s->busy >= BUSY_VFORK)) {
		if (s->busy == BUSY_OFF) {
			__atomic_fetch_add(&shim->process->lost_events, 1, __ATOMIC_RELAXED);
			return false;
		}
		if (vfork_child_runs(c, s)) {
			return false;
		}
	}
	if (s->busy && !busy_is_stale(s, c->caller.sp)) {
		if (s->busy == BUSY_MUTED) {
			return false;
		}
		/* A signal handler inside a hook (one that longjmp left behind is stale): its whole run passes
		 * unrecorded, locks and unlocks alike. */
		__atomic_fetch_add(&shim->process->nested_events, 1, __ATOMIC_RELAXED);
		return false;
	}
	s->busy = 1;
	s->busy_sp = c->caller.sp;
	atomic_signal_fence(memory_order_seq_cst);
	if ((size_t)(s->limit - s->cursor) < ROOM_EARLY) {
		shim_seal(s);
	}
	c->s = s;
	if (c->caller.sp > atomic_load(&s->stack_lowest)) {
		retire_popped(c);
	}
	return true;
}
