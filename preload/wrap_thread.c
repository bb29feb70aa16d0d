/* SPDX-License-Identifier: MIT */
/*
 * wrap_thread.c - threads: who made whom, who waits for whose end, and the trampoline every thread
 * starts in.
 */
#include "wrap_thread.h"

#include "python/py.h"
#include "shim_memory.h"
#include "shim_races.h"
#include "steer/steer.h"

#include <sys/resource.h>

#define RESULT(rc) (rc)

/* ---- creation ---- */

static struct thread_start *start_new(void)
{
	struct thread_start *s;

	spin_lock(&shim->thread_lock);
	s = shim->free_starts;
	if (s) {
		shim->free_starts = s->next;
	}
	spin_unlock(&shim->thread_lock);
	return s ? s : shim_alloc(sizeof(*s));
}

static void start_free(struct thread_start *s)
{
	spin_lock(&shim->thread_lock);
	s->next = shim->free_starts;
	shim->free_starts = s;
	spin_unlock(&shim->thread_lock);
}

static size_t stack_bytes_of(const pthread_attr_t *a)
{
	struct rlimit limit = { 0 };
	size_t bytes = 0;

	if (a && real_pthread_attr_getstacksize && real_pthread_attr_getstacksize(a, &bytes) == 0 &&
	    bytes) {
		return bytes;
	}
	sys4(SYS_prlimit64, 0, RLIMIT_STACK, NULL, &limit);
	return limit.rlim_cur && limit.rlim_cur < (1u << 30) ? limit.rlim_cur : 8u << 20;
}

struct thread_start *create_before(struct call *c, const pthread_attr_t *a, uintptr_t routine,
				   uint32_t *ret_flags)
{
	struct thread_start *start = start_new();
	int detached = PTHREAD_CREATE_JOINABLE;

	if (!start) {
		c->s->segment->lost++;
		shim_leave(c);
		return NULL;
	}
	if (unlikely(memory_thread != NULL)) {
		memory_thread();
	}
	if (a && real_pthread_attr_getdetachstate) {
		real_pthread_attr_getdetachstate(a, &detached);
	}
	c->stack = stack_id(c);
	*ret_flags = detached == PTHREAD_CREATE_DETACHED ? TF_THREAD_DETACHED : 0;
	/* A thread of the interpreter's: it looks after the end itself, and its function says nothing. */
	if (python_starts(routine)) {
		start->id = thread_new(c->s->thread, c->stack, TF_THREAD_DETACHED, 0);
	} else {
		start->id = thread_new(c->s->thread, c->stack, *ret_flags, routine);
	}
	start->stack_bytes = stack_bytes_of(a);
	races_before_thread(c->s, start->stack_bytes);
	emit_plain(c->s, TRACE_CREATE, 3, start->id, c->stack, 0);
	shim_leave(c);
	return start;
}

void create_after(struct call *c, struct thread_start *start, uint32_t id, uint32_t flags,
		  const pthread_t *handle, int rc)
{
	uintptr_t value;

	shim_reenter(c);
	if (rc) {
		emit_plain(c->s, TRACE_CREATE_FAILED, 2, id, encode_zigzag(rc), 0);
		start_free(start);
	} else if (!(flags & TF_THREAD_DETACHED) &&
		   module_read((uintptr_t)handle, &value, sizeof(value))) {
		/*
		 * Read through the kernel: the new thread may have freed the memory that the handle
		 * lies in.
		 */
		thread_register(value, id, NULL);
	}
	shim_leave(c);
}

/*
 * Locks on the stack of a thread that is over, and in its thread-local storage, which glibc puts above
 * the stack, below the thread's handle. Another thread's will lie there next.
 */
static void retire_span(struct call *c, uintptr_t start, uintptr_t end)
{
	if (end > start && end - start < 1u << 30 && object_range_may_match(start, end - start)) {
		object_retire_range(c, start, end - start, TRACE_GONE_STACK);
	}
}

/* A detached thread that had this stack before us was collected by nobody. */
static void retire_before_us(void)
{
	struct call call;

	if (shim_enter(&call)) {
		retire_span(&call, call.s->stack_high, (uintptr_t)pthread_self());
		shim_leave(&call);
	}
}

/* A signal came before the trampoline, and its handler passed for a thread that nobody made. */
static void disown_early_handler(void)
{
	struct stream *s = shim_stream;

	if (s && s->segment && s->thread && (size_t)(s->limit - s->cursor) >= ROOM) {
		emit_plain(s, TRACE_THREAD_END, 1, 0, 0, 0);
		shim_stream = NULL;
		thread_reclaim(s, s->thread);
	}
}

struct thread_start thread_started(struct thread_start *start, uintptr_t frame)
{
	struct thread_start copy = *start;
	uint64_t mask = signals_off();

	disown_early_handler();
	if (thread_attach(copy.id, 0, mask)) {
		shim_stream->trampolined = 1;
		shim_stream->stack_high = frame + 16;
		shim_stream->stack_low = shim_stream->stack_high - copy.stack_bytes;
		thread_register((uintptr_t)pthread_self(), copy.id, shim_stream);
		retire_before_us();
	}
	start_free(start);
	signals_on(mask);
	return copy;
}

void thread_over(unsigned how)
{
	struct stream *s = shim_stream;
	struct call call;

	if (!s || !shim_enter(&call)) {
		return;
	}
	s = call.s;
	s->segment->wait.kind = TRACE_WAIT_NONE;
	if (unlikely(steer_is_on)) {
		steer_thread_over(s);
	}
	if (!s->ended) {
		emit_plain(s, TRACE_THREAD_END, 1, how, 0, 0);
		s->ended = 1;
		atomic_fetch_add(&shim->ended_streams, 1);
	}
	shim_leave(&call);
}

TRAMPOLINE static void *trampoline(void *p)
{
	struct thread_start start = thread_started(p, (uintptr_t)__builtin_frame_address(0));
	__pthread_unwind_buf_t unwind_buffer;
	void *result;

	if (cancel_push(&unwind_buffer)) {
		thread_over(shim_stream && shim_stream->exiting ? 1 : 2);
		cancel_continue(&unwind_buffer);
	}
	result = start.routine.pthread(start.argument);
	cancel_pop(&unwind_buffer);
	thread_over(0);
	return result;
}

EXPORT int pthread_create(pthread_t *restrict t, const pthread_attr_t *restrict a,
			  void *(*f)(void *), void *restrict p)
{
	struct thread_start *start;
	uintptr_t routine = (uintptr_t)f;
	struct call call;
	uint32_t flags, id;
	int rc;

	if (!shim_enter(&call)) {
		return real_pthread_create(t, a, f, p);
	}
	if (unlikely(tsan.linked_in) && !sanitizer_thread(&routine, p)) {
		shim_leave(&call);
		return real_pthread_create(t, a, f, p);
	}
	start = create_before(&call, a, routine, &flags);
	if (!start) {
		return real_pthread_create(t, a, f, p);
	}
	start->routine.pthread = f;
	start->argument = p;
	id = start->id;
	rc = real_pthread_create(t, a, trampoline, start);
	create_after(&call, start, id, flags, t, rc);
	return rc;
}

/* ---- ends ---- */

uint32_t thread_id_of(struct call *c, uintptr_t handle)
{
	struct thread_entry *e = thread_find(handle);

	(void)c;
	return e ? e->id : 0;
}

void join_before(struct call *c, uintptr_t handle, unsigned mode, uint32_t *ret_id)
{
	c->stack = stack_id(c);
	*ret_id = thread_id_of(c, handle);
	if (!(mode & TRACE_MODE_TRY)) {
		wait_set(c, TRACE_WAIT_JOIN, 0, *ret_id, mode, arch_ticks());
		if (c->s->held || task_is_awaited(c->s, c->caller.sp)) {
			emit_osa_seq(c->s, TRACE_BLOCK, 0, c->stack, TRACE_CALL_JOIN, 0);
		}
	}
	shim_leave(c);
}

void join_after(struct call *c, uintptr_t handle, unsigned mode, uint32_t id, int rc)
{
	struct thread_entry *e;
	bool over = false;

	shim_reenter(c);
	if (!(mode & TRACE_MODE_TRY)) {
		wait_clear(c);
		if (c->s->held || task_is_awaited(c->s, c->caller.sp)) {
			emit_plain(c->s, TRACE_UNBLOCK, 2, TRACE_CALL_JOIN, encode_zigzag(rc), 0);
		}
	}
	e = thread_find(handle);
	if (!id && e) {
		id = e->id; /* it had not registered when we began to wait */
	}
	if (rc == 0 && e && e->id == id) {
		struct stream *s = e->stream;

		atomic_store(&e->state, THREAD_JOINED);
		if (s && s->thread == id && s != c->s) {
			uintptr_t lowest = atomic_load(&s->stack_lowest);

			retire_span(c, lowest < s->stack_high ? lowest : s->stack_high, handle);
			e->stream = NULL;
			thread_reclaim(s, id);
		}
		over = s && s->thread != id;
	}
	emit_plain(c->s, TRACE_JOIN, 3, id, c->stack, encode_zigzag(rc));
	if (over) {
		bounded_thread_over(id, true); /* last: its id may mean another one from now on */
	}
	shim_leave(c);
}

#define JOIN(name, mode, params, args)                         \
	EXPORT int name params                                 \
	{                                                      \
		struct call call;                              \
		uint32_t id;                                   \
		int rc;                                        \
                                                               \
		if (!shim_enter(&call)) {                      \
			return real_##name args;               \
		}                                              \
		join_before(&call, (uintptr_t)t, mode, &id);   \
		rc = real_##name args;                         \
		join_after(&call, (uintptr_t)t, mode, id, rc); \
		return rc;                                     \
	}

JOIN(pthread_join, 0, (pthread_t t, void **r), (t, r))
JOIN(pthread_tryjoin_np, TRACE_MODE_TRY, (pthread_t t, void **r), (t, r))
JOIN(pthread_timedjoin_np, TRACE_MODE_TIMED, (pthread_t t, void **r, const struct timespec *w),
     (t, r, w))
JOIN(pthread_clockjoin_np, TRACE_MODE_TIMED,
     (pthread_t t, void **r, clockid_t c, const struct timespec *w), (t, r, c, w))

void detach_after(struct call *c, uint32_t id, int rc)
{
	shim_reenter(c);
	emit_plain(c->s, TRACE_DETACH, 3, id, c->stack, encode_zigzag(rc));
	shim_leave(c);
}

/*
 * The thread may end, and its handle be given out again, as soon as the real call is made: look it
 * up before.
 */
EXPORT int pthread_detach(pthread_t t)
{
	struct call call;
	uint32_t id;
	int rc;

	if (!shim_enter(&call)) {
		return real_pthread_detach(t);
	}
	call.stack = stack_id(&call);
	id = thread_id_of(&call, (uintptr_t)t);
	shim_leave(&call);
	rc = real_pthread_detach(t);
	detach_after(&call, id, rc);
	return rc;
}

EXPORT int pthread_cancel(pthread_t t)
{
	struct call call;

	if (shim_enter(&call)) {
		call.stack = stack_id(&call);
		emit_plain(call.s, TRACE_CANCEL, 3, thread_id_of(&call, (uintptr_t)t), call.stack,
			   0);
		shim_leave(&call);
	}
	return real_pthread_cancel(t);
}

/* The main thread, and threads that no hooked call made, have no trampoline to end in. */
void exit_before(struct call *c)
{
	struct stream *s = c->s;

	c->stack = stack_id(c);
	s->exiting = 1;
	emit_plain(s, TRACE_EXIT, 1, c->stack, 0, 0);
	if (!s->trampolined && !s->ended) {
		if (unlikely(steer_is_on)) {
			steer_thread_over(s);
		}
		emit_plain(s, TRACE_THREAD_END, 1, 1, 0, 0);
		s->ended = 1;
		atomic_fetch_add(&shim->ended_streams, 1);
	}
	shim_leave(c);
}

EXPORT void pthread_exit(void *r)
{
	struct call call;

	if (shim_enter(&call)) {
		exit_before(&call);
	}
	real_pthread_exit(r);
	__builtin_unreachable();
}

EXPORT int pthread_setname_np(pthread_t t, const char *n)
{
	struct call call;

	if (shim_enter(&call)) {
		struct tf_def_name def = { .def.type = TF_DEF_NAME,
					   .bytes = (uint32_t)__builtin_strlen(n) };

		def.thread = thread_id_of(&call, (uintptr_t)t);
		def.bytes = def.bytes > 255 ? 255 : def.bytes;
		if (def.thread) {
			region_define(&def.def, sizeof(def), n, def.bytes, "", 1);
			emit_plain(call.s, TRACE_NAME, 1, def.thread, 0, 0);
		}
		shim_leave(&call);
	}
	return real_pthread_setname_np(t, n);
}
