/* SPDX-License-Identifier: MIT */
/*
 * wrap_shared.c - mappings that move, or that another one replaces: the locks in them move or end.
 *
 * mremap moves what it finds at the old place; whether that was shared memory makes no difference.
 */
#include "wrap.h"

#include <stdarg.h>
#include <sys/mman.h>

static cold_call void retire(struct arch_caller caller, uintptr_t start, size_t bytes)
{
	struct call call;

	if (!shim_enter_with(&call, caller, ROOM_EARLY)) {
		return;
	}
	call.stack = 0;
	call.context = NULL;
	object_retire_range(&call, start, bytes, TRACE_GONE_UNMAPPED);
	shim_leave(&call);
}

static cold_call void replaced(struct arch_caller caller, void *p, size_t n)
{
	if (object_range_may_match((uintptr_t)p, n)) {
		retire(caller, (uintptr_t)p, n);
	}
	identity_forget_mappings((uintptr_t)p, n);
}

EXPORT void *mmap(void *p, size_t n, int prot, int flags, int fd, off_t o)
{
	void *q;

	if (likely(!(flags & MAP_FIXED)) || !shim || !n) {
		return real_mmap(p, n, prot, flags, fd, o);
	}
	replaced(ARCH_CALLER(), p, n);
	q = real_mmap(p, n, prot, flags, fd, o);
	identity_forget_mappings((uintptr_t)p, n);
	return q;
}

EXPORT void *mmap64(void *p, size_t n, int prot, int flags, int fd, off_t o)
{
	void *q;

	if (likely(!(flags & MAP_FIXED)) || !shim || !n) {
		return real_mmap64(p, n, prot, flags, fd, o);
	}
	replaced(ARCH_CALLER(), p, n);
	q = real_mmap64(p, n, prot, flags, fd, o);
	identity_forget_mappings((uintptr_t)p, n);
	return q;
}

/* After it: what lay in the old range lies in the new one, as far as that reaches. */
static void moved(struct arch_caller caller, uintptr_t from, size_t old_bytes, uintptr_t to,
		  size_t bytes)
{
	size_t stays = old_bytes < bytes ? old_bytes : bytes;
	struct call call;

	identity_forget_mappings(from, old_bytes);
	identity_forget_mappings(to, bytes);
	if (!object_range_may_match(from, old_bytes) ||
	    !shim_enter_with(&call, caller, ROOM_EARLY)) {
		return;
	}
	call.stack = 0;
	call.context = NULL;
	if (bytes < old_bytes) {
		object_retire_range(&call, from + bytes, old_bytes - bytes, TRACE_GONE_UNMAPPED);
	}
	if (from != to) {
		object_move_range(from, stays, to);
	}
	shim_leave(&call);
}

EXPORT void *mremap(void *p, size_t o, size_t n, int flags, ...)
{
	typedef void *mremap5(void *, size_t, size_t, int, void *);
	void *fixed = NULL, *q;
	va_list list;

	if (flags & MREMAP_FIXED) {
		va_start(list, flags);
		fixed = va_arg(list, void *);
		va_end(list);
	}
	shim_resolve_once();
	if (shim && fixed && n) {
		replaced(ARCH_CALLER(), fixed, n);
	}
	q = ((mremap5 *)real_mremap)(p, o, n, flags, fixed);
	if (shim && q != MAP_FAILED && o) { /* o = 0: a second mapping of the same, nothing moved */
		moved(ARCH_CALLER(), (uintptr_t)p, o, (uintptr_t)q, n);
	}
	return q;
}

EXPORT int shmdt(const void *p)
{
	struct mapping m = { .start = 0 };
	struct call call;
	bool known = false;
	int rc;

	if (shim && object_range_may_match((uintptr_t)p, 1) && shim_enter(&call)) {
		known = module_mapping_of((uintptr_t)p, &m) && m.start == (uintptr_t)p;
		call.stack = 0;
		call.context = NULL;
		if (known) {
			object_retire_range(&call, m.start, m.end - m.start, TRACE_GONE_UNMAPPED);
		}
		shim_leave(&call);
	}
	rc = real_shmdt(p);
	if (shim) {
		identity_forget_mappings((uintptr_t)p, known ? m.end - m.start : 1);
	}
	return rc;
}
