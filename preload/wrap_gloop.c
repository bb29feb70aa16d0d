/* SPDX-License-Identifier: MIT */
/*
 * wrap_gloop.c - GLib's sources: their callback objects, and the steps of the rows that make them.
 */
#include "wrap_gloop.h"

#include <signal.h>
#include <sys/mman.h>

/* The head of a GSource, and what its maker gave it: layouts that GLib's headers fix. */
struct g_source_functions {
	void *prepare, *check, *dispatch, *finalize;
};
struct g_source {
	void *callback_data;
	const void *callback_functions;
	const struct g_source_functions *functions;
};

/* ---- the real functions ---- */

void *gloop_real(struct arch_caller caller, const char *name, void *usual)
{
	struct call call;
	void *real;

	if (!shim_enter_with(&call, caller, ROOM)) {
		return usual;
	}
	real = shim_resolve_for(caller.ip, name, usual);
	shim_leave(&call);
	return real;
}

bool gloop_enter(struct call *c, struct arch_caller caller)
{
	if (unlikely(!real_g_main_depth)) {
		shim_resolve_all();
	}
	if (!real_g_main_depth || !shim_enter_with(c, caller, ROOM_EARLY)) {
		return false;
	}
	c->stack = stack_id(c);
	return true;
}

/* ---- kinds ---- */

enum { KINDS_LEARNT = 16 };

/* Benign when two threads learn the same at once: it is there twice. */
static struct {
	_Atomic uintptr_t functions;
	uint32_t kind;
} learnt[KINDS_LEARNT];

static unsigned kind_of(const struct g_source *source)
{
	uintptr_t functions = (uintptr_t)source->functions, known;

	for (size_t i = 0; i < KINDS_LEARNT; i++) {
		known = atomic_load_explicit(&learnt[i].functions, memory_order_acquire);
		if (!known) {
			break;
		}
		if (known == functions) {
			return learnt[i].kind;
		}
	}
	return TRACE_TASK_G_SOURCE;
}

void gloop_learn(const void *source, unsigned kind)
{
	const struct g_source *s = source;

	if (!s || kind_of(s) != TRACE_TASK_G_SOURCE) {
		return;
	}
	for (size_t i = 0; i < KINDS_LEARNT; i++) {
		if (!atomic_load(&learnt[i].functions)) {
			learnt[i].kind = kind;
			atomic_store_explicit(&learnt[i].functions, (uintptr_t)s->functions,
					      memory_order_release);
			return;
		}
	}
}

/* ---- callback objects ---- */

enum { NESTED = 2 }; /* dispatches of one source inside each other: beyond, they go unrecorded */

struct dispatch {
	struct task_run run;
	void *thread;
	int depth; /* of GLib's dispatches, as it is before and after this one */
};

/*
 * What we give GLib in place of the callback object that it would make. It lives as long as GLib has a reference;
 * memory is type-stable and outlives a fork, as GLib's does.
 */
struct g_callback {
	void *function, *data; /* the host's; function NULL = the source has none */
	void (*notify)(void *);
	void *source;
	_Atomic int32_t references;
	bool once;
	uint8_t nested;
	void *dispatching; /* thread that took a reference to dispatch, and asks next */
	struct stream *stream;
	const uint8_t *returned_at; /* of stream: after the last RETURNED */
	struct dispatch dispatch[NESTED];
	struct g_callback *next;
};

enum { CHUNK_BYTES = 64 << 10, TAG_SHIFT = 48 };

/*
 * A stack without a lock, since a fork could leave a lock locked: the address of the first, and above it a count of the
 * takings, so that one which was taken and put back meanwhile is noticed.
 */
static _Atomic uint64_t free_callbacks;

static struct g_callback *callback_at(uint64_t word)
{
	return (struct g_callback *)(uintptr_t)(word & ((UINT64_C(1) << TAG_SHIFT) - 1));
}

static void callback_put(struct g_callback *callback)
{
	uint64_t head = atomic_load(&free_callbacks), with;

	do {
		callback->next = callback_at(head);
		with = (head >> TAG_SHIFT << TAG_SHIFT) | (uintptr_t)callback;
	} while (!atomic_compare_exchange_weak(&free_callbacks, &head, with));
}

/* SLOW: NULL = out of memory */
static struct g_callback *callback_take(void)
{
	uint64_t head = atomic_load(&free_callbacks), rest;
	struct g_callback *callback;
	long p;

	while ((callback = callback_at(head))) {
		rest = (head >> TAG_SHIFT << TAG_SHIFT) + (UINT64_C(1) << TAG_SHIFT);
		rest |= (uintptr_t)__atomic_load_n(&callback->next, __ATOMIC_RELAXED);
		if (atomic_compare_exchange_weak(&free_callbacks, &head, rest)) {
			return callback;
		}
	}
	p = sys6(SYS_mmap, 0, CHUNK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		 0);
	if (p < 0 && p > -4096) {
		return NULL;
	}
	callback = (struct g_callback *)p;
	for (size_t i = 1; i < CHUNK_BYTES / sizeof(*callback); i++) {
		callback_put(&callback[i]);
	}
	return callback;
}

/* ---- dispatches ---- */

/* One that was left by longjmp, or an exception, is not inside its source's next. */
static void forget_left(struct g_callback *callback, int depth)
{
	while (callback->nested && callback->dispatch[callback->nested - 1].depth >= depth) {
		callback->nested--;
	}
}

static void dispatch_begins(struct arch_caller caller, struct g_callback *callback)
{
	int depth = G_REAL(caller, g_main_depth)();
	struct dispatch *d;

	forget_left(callback, depth);
	if (callback->nested == NESTED) {
		return;
	}
	d = &callback->dispatch[callback->nested];
	d->thread = __builtin_thread_pointer();
	d->depth = depth;
	task_called(&d->run, caller, callback->source, TRACE_TASK_G_SOURCE, 0, TASK_GOES_ON);
	callback->nested++;
}

static void dispatch_ends(struct arch_caller caller, struct g_callback *callback)
{
	struct dispatch *d = &callback->dispatch[callback->nested - 1];

	/* Not when the host destroys the source inside its callback: then GLib is in it still. */
	if (d->thread == __builtin_thread_pointer() && G_REAL(caller, g_main_depth)() <= d->depth) {
		callback->nested--;
		task_returned(&d->run, caller);
		callback->stream = shim_stream;
		callback->returned_at = shim_stream ? shim_stream->cursor : NULL;
	}
}

/* GLib dropped the last reference: the source is over, or has another callback. */
static void callback_over(struct arch_caller caller, struct g_callback *callback)
{
	void (*notify)(void *) = callback->notify;
	void *data = callback->data;
	struct call call;
	struct task *t;
	bool itself; /* its callback said so: nothing else happened since */

	if (shim_enter_with(&call, caller, ROOM_EARLY)) {
		itself = callback->stream == call.s && callback->returned_at == call.s->cursor;
		t = task_find(callback->source, TRACE_TASK_G_SOURCE);
		if (t && t->argument == callback) {
			call.stack = itself ? 0 : stack_id(&call);
			task_end(&call, t, itself ? TRACE_TASK_FINISHED : TRACE_TASK_CANCELLED);
		}
		shim_leave(&call);
	}
	callback_put(callback);
	if (notify) {
		notify(data);
	}
}

/* ---- what GLib calls ---- */

CALLS_BACK static int run_once(void *p)
{
	struct g_callback *callback = p;

	((void (*)(void *))(uintptr_t)callback->function)(callback->data);
	return 0; /* the source is over */
}

/* Only to dispatch. */
static void callback_ref(void *p)
{
	struct g_callback *callback = p;

	atomic_fetch_add_explicit(&callback->references, 1, memory_order_relaxed);
	callback->dispatching = __builtin_thread_pointer();
}

/* To dispatch, after ref; or in a search by data: that is to find no source without a callback. */
static void callback_get(void *p, void *source, void **ret_function, void **ret_data)
{
	struct g_callback *callback = p;
	bool dispatches = callback->dispatching == __builtin_thread_pointer();

	(void)source;
	*ret_function = callback->function;
	*ret_data = callback->function || dispatches ? callback->data : callback;
	if (dispatches) {
		callback->dispatching = NULL;
		if (callback->once) {
			*ret_function = (void *)(uintptr_t)run_once;
			*ret_data = callback;
		}
		dispatch_begins(ARCH_CALLER(), callback);
	}
}

static void callback_unref(void *p)
{
	struct g_callback *callback = p;

	if (callback->nested) {
		dispatch_ends(ARCH_CALLER(), callback);
	}
	if (atomic_fetch_sub(&callback->references, 1) == 1) {
		callback_over(ARCH_CALLER(), callback);
	}
}

static const struct {
	void (*ref)(void *);
	void (*unref)(void *);
	void (*get)(void *, void *, void **, void **);
} callback_functions = { callback_ref, callback_unref, callback_get };

/* ---- sources ---- */

/* HOT: its task; NULL = none, or it was another source's at this address. */
static struct task *task_of(const struct g_source *source)
{
	struct task *t = task_find(source, TRACE_TASK_G_SOURCE);

	return t && t->argument && t->argument == source->callback_data ? t : NULL;
}

/*
 * SLOW: the object to give GLib for this source, and its task: the one before goes on with the new callback. NULL = out of
 * memory.
 */
static struct g_callback *callback_for(struct call *c, struct g_source *source,
				       const struct gloop_source *what, struct task **ret_task)
{
	struct g_callback *callback = callback_take();
	struct task *t = task_of(source);

	if (callback && !t) {
		t = task_new(c, source, what->kind, 0);
		if (!t) {
			callback_put(callback);
			callback = NULL;
		}
	}
	if (!callback) {
		return NULL;
	}
	*callback = (struct g_callback){ .function = what->function,
					 .data = what->data,
					 .notify = (void (*)(void *))(uintptr_t)what->notify,
					 .source = source,
					 .references = 1,
					 .once = what->once };
	t->argument = callback;
	task_set_callback(t, 0, what->function ? what->function : source->functions->dispatch);
	*ret_task = t;
	return callback;
}

static void set_callback(struct arch_caller caller, void *source, struct g_callback *callback)
{
	G_REAL(caller, g_source_set_callback_indirect)(source, callback, &callback_functions);
}

bool gloop_add(struct call *c, void *source, const struct gloop_source *what, void *context,
	       unsigned *ret_id)
{
	void *loop = context ? context : G_REAL(c->caller, g_main_context_default)();
	struct g_callback *callback;
	struct task *t;

	gloop_learn(source, what->kind);
	if (what->priority != G_OWN_PRIORITY) {
		G_REAL(c->caller, g_source_set_priority)(source, what->priority);
	}
	shim_reenter(c);
	callback = callback_for(c, source, what, &t);
	if (callback) {
		task_arm(c, t, task_loop(c, loop, G_LOOP_KIND), what->once);
	}
	shim_leave(c);
	if (callback) {
		set_callback(c->caller, source, callback);
		*ret_id = G_REAL(c->caller, g_source_attach)(source, context);
	}
	G_REAL(c->caller, g_source_unref)(source);
	return callback != NULL;
}

/* What GLib takes; it complains of the others. */
static bool gloop_signal_is_known(int number)
{
	return number == SIGHUP || number == SIGINT || number == SIGTERM || number == SIGUSR1 ||
	       number == SIGUSR2 || number == SIGWINCH;
}

void *gloop_context(void *loop)
{
	if (!real_g_main_loop_get_context) {
		shim_resolve_all();
	}
	return loop && real_g_main_loop_get_context ? real_g_main_loop_get_context(loop) : NULL;
}

#include "../spec/primitives/gloop.def"

EXPORT void g_source_set_callback(void *s, void *f, void *p, void *n)
{
	struct arch_caller caller = ARCH_CALLER();
	struct g_callback *callback = NULL;
	struct call call;
	struct task *t;

	if (s && f && gloop_enter(&call, caller)) {
		callback = callback_for(
			&call, s,
			&(struct gloop_source){
				.kind = kind_of(s), .function = f, .data = p, .notify = n },
			&t);
		shim_leave(&call);
	}
	if (callback) {
		set_callback(caller, s, callback);
	} else {
		G_REAL(caller, g_source_set_callback)(s, f, p, n);
	}
}

EXPORT unsigned g_source_attach(void *s, void *c)
{
	struct arch_caller caller = ARCH_CALLER();
	struct g_callback *callback = NULL;
	struct g_source *source = s;
	struct call call;
	struct task *t;
	void *loop;

	if (s && gloop_enter(&call, caller)) {
		shim_leave(&call);
		loop = c ? c : G_REAL(caller, g_main_context_default)();
		shim_reenter(&call);
		t = task_of(source);
		if (!source->callback_functions && source->functions->dispatch) {
			callback = callback_for(&call, source,
						&(struct gloop_source){ .kind = kind_of(s) }, &t);
		}
		if (t) {
			task_arm(&call, t, task_loop(&call, loop, G_LOOP_KIND), false);
		}
		shim_leave(&call);
		if (callback) {
			set_callback(caller, s, callback);
		}
	}
	return G_REAL(caller, g_source_attach)(s, c);
}

EXPORT void g_source_set_ready_time(void *s, int64_t t)
{
	struct arch_caller caller = ARCH_CALLER();
	struct task *task;
	struct call call;

	if (s && gloop_enter(&call, caller)) {
		task = task_of(s);
		if (task && t >= 0) {
			task_arm(&call, task, 0, false);
		}
		shim_leave(&call);
	}
	G_REAL(caller, g_source_set_ready_time)(s, t);
}
