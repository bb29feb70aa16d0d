/* SPDX-License-Identifier: MIT */
/*
 * wrap_memory.c - the ends of memory and of modules, where locks die without a call.
 *
 * free() is the one hot function here: a bit per page says whether a lock ever lived there,
 * everything else goes straight on.
 */
#include "shim_memory.h"
#include "shim_task.h"
#include "wrap.h"

#include <dlfcn.h>

/* ---- memory ---- */

static cold_call void retire(struct arch_caller caller, void *p, size_t bytes, unsigned why)
{
	struct call call;

	if (!shim_enter_with(&call, caller, ROOM_EARLY)) {
		return;
	}
	call.stack = 0;
	call.context = NULL;
	object_retire_range(&call, (uintptr_t)p, bytes, why);
	if (unlikely(task_watched)) {
		task_memory_gone(&call, (uintptr_t)p, bytes);
	}
	shim_leave(&call);
}

void memory_block_goes(struct arch_caller caller, uintptr_t block, size_t bytes)
{
	if (likely(shim) && unlikely(object_block_may_match(block, bytes)) &&
	    unlikely(object_range_may_match(block, bytes))) {
		retire(caller, (void *)block, bytes, TRACE_GONE_FREED);
	}
}

EXPORT void free(void *p)
{
	if (likely(shim) && p && real_malloc_usable_size) {
		size_t bytes = real_malloc_usable_size(p);

		if (unlikely(object_block_may_match((uintptr_t)p, bytes)) &&
		    unlikely(object_range_may_match((uintptr_t)p, bytes))) {
			retire(ARCH_CALLER(), p, bytes, TRACE_GONE_FREED);
		}
		if (unlikely(memory_gone != NULL)) {
			memory_gone((uintptr_t)p, bytes, ARCH_CALLER().ip);
		}
	}
	real_free(p);
}

EXPORT void *realloc(void *p, size_t n)
{
	size_t bytes = shim && p && real_malloc_usable_size ? real_malloc_usable_size(p) : 0;
	bool watch = bytes && object_range_may_match((uintptr_t)p, bytes);
	uintptr_t before = (uintptr_t)p;
	void *q;

	if (unlikely(memory_gone != NULL) && bytes) {
		memory_gone(before, bytes, ARCH_CALLER().ip); /* it may move */
	}
	q = real_realloc(p, n);

	if (watch && (uintptr_t)q != before && (q || !n)) {
		retire(ARCH_CALLER(), (void *)before, bytes, TRACE_GONE_FREED);
	}
	return q;
}

EXPORT int munmap(void *p, size_t n)
{
	if (shim && n && object_range_may_match((uintptr_t)p, n)) {
		retire(ARCH_CALLER(), p, n, TRACE_GONE_UNMAPPED);
	}
	if (unlikely(memory_gone != NULL)) {
		memory_gone((uintptr_t)p, n, ARCH_CALLER().ip);
	}
	int rc = real_munmap(p, n);

	if (shim) {
		identity_forget_mappings((uintptr_t)p, n);
	}
	return rc;
}

/* ---- modules ---- */

EXPORT int dlclose(void *h)
{
	struct module_range gone[16];
	struct call call;
	bool recorded = shim_enter(&call);
	uint32_t count;
	int rc;

	if (recorded) {
		shim_leave(&call);
	}
	rc = real_dlclose(h);
	if (!recorded) {
		return rc;
	}
	shim_reenter(&call);
	call.stack = 0;
	call.context = NULL;
	count = module_scan(gone, 16);
	if (count) {
		unwind_forget();
	}
	for (uint32_t i = 0; i < count && i < 16; i++) {
		shim_resolve_forget(gone[i].start, gone[i].end);
		object_retire_range(&call, gone[i].start, gone[i].end - gone[i].start,
				    TRACE_GONE_MODULE);
	}
	shim_leave(&call);
	return rc;
}

/*
 * dlopen looks at its caller (RUNPATH, $ORIGIN, namespace), so it must be entered by a jump with
 * the caller's return address still in place, and its end is not seen. Before it: look for new
 * modules at the next unknown address; and the wait slot says that this thread may be waiting for
 * the loader's lock. If a hooked call comes from inside (a constructor), the lock is evidently
 * ours: wait_outer then records that. It is recorded as a try, which holds but orders nothing.
 */
static const char loader_lock = 0;

static void note_dlopen(struct arch_caller caller)
{
	struct call call;

	shim_resolve_once();
	if (!shim || !shim_enter_with(&call, caller, ROOM_EARLY)) {
		return;
	}
	atomic_store(&shim->modules_stale, 1);
	call.stack = stack_id(&call);
	call.object = object_find(&call, &loader_lock, TRACE_OBJECT_LOADER);
	if (call.object) {
		wait_set(&call, TRACE_WAIT_LOCK, call.object->id, 0, 0, 0);
		call.s->dlopen_ip = caller.ip;
	}
	shim_leave(&call);
}

/*
 * SLOW: its end is not seen, and a deeper stack alone does not say that we run inside: the caller may have returned, and
 * called something deeper. While it lasts, its return address stays below where its caller's stack ended.
 */
static bool dlopen_lasts(const struct stream *s)
{
	uintptr_t there;

	return module_read(s->wait_sp - sizeof(there), &there, sizeof(there)) &&
	       there == s->dlopen_ip;
}

void wait_outer(struct call *c)
{
	struct stream *s = c->s;
	struct trace_wait *w = &s->segment->wait;
	struct object *loader = object_peek((uintptr_t)&loader_lock);
	bool is_loader = loader && w->kind == TRACE_WAIT_LOCK && w->object == loader->id;

	if (s->wait_sp > c->caller.sp && (!is_loader || dlopen_lasts(s))) {
		c->saved = true;
		c->outer = *w;
		c->outer_wait_sp = s->wait_sp;
		if (is_loader && atomic_load(&loader->owner) == 0) {
			emit_os_seq(s, TRACE_ACQUIRE_TRY, loader->id, w->stack,
				    lock_own(s, loader));
			s->held++;
		}
	} else if (is_loader && atomic_load(&loader->owner) == s->thread) {
		unlock_owned(c, loader, TRACE_OBJECT_LOADER);
	}
	__atomic_store_n(&w->kind, TRACE_WAIT_NONE, __ATOMIC_RELEASE);
}

/* Both are called with the arguments of their calls still in place. */
__attribute__((used)) static void *before_dlopen(const char *file, int flags)
{
	(void)file;
	shim_deep_binding |= flags & RTLD_DEEPBIND;
	note_dlopen(ARCH_CALLER_VIA());
	return (void *)real_dlopen;
}
__attribute__((used)) static void *before_dlmopen(long ns, const char *file, int flags)
{
	(void)ns;
	(void)file;
	shim_deep_binding |= flags & RTLD_DEEPBIND;
	note_dlopen(ARCH_CALLER_VIA());
	return (void *)real_dlmopen;
}

EXPORT __attribute__((naked)) void *dlopen(const char *f __attribute__((unused)),
					   int flags __attribute__((unused)))
{
	ARCH_JUMP_VIA(before_dlopen);
}
EXPORT __attribute__((naked)) void *dlmopen(long ns __attribute__((unused)),
					    const char *f __attribute__((unused)),
					    int flags __attribute__((unused)))
{
	ARCH_JUMP_VIA(before_dlmopen);
}
