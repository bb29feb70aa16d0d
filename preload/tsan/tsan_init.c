/* SPDX-License-Identifier: MIT */
/*
 * tsan_init.c - which code is compiled with -fsanitize=thread, and where the real functions are. Safety class BOOT, but
 * code_is_watched.
 */
#define _GNU_SOURCE
#include "tsan.h"

#include <dlfcn.h>
#include <link.h>

enum { WATCHED = 256 };

/* By this libthrum.so knows us among the modules, whatever the name of the file: our frames are not the program's. */
EXPORT const char thrum_tsan_is_here = 1;

/* Text of modules that called __tsan_init, in the order in which they came. Entries are only added. */
static struct {
	uintptr_t start, bytes;
} watched[WATCHED];
static _Atomic unsigned watched_count;
static _Atomic bool is_adding;

bool code_is_watched(uintptr_t pc)
{
	unsigned n = atomic_load_explicit(&watched_count, memory_order_acquire);

	for (unsigned i = 0; i < n; i++) {
		if (pc - watched[i].start < watched[i].bytes) {
			return true;
		}
	}
	return false;
}

static int add_module(struct dl_phdr_info *info, size_t size, void *pc)
{
	unsigned n = atomic_load(&watched_count);

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		uintptr_t start = info->dlpi_addr + p->p_vaddr;

		if (p->p_type != PT_LOAD || !(p->p_flags & PF_X) ||
		    (uintptr_t)pc - start >= p->p_memsz) {
			continue;
		}
		if (n < WATCHED) {
			watched[n].start = start;
			watched[n].bytes = p->p_memsz;
			atomic_store_explicit(&watched_count, n + 1, memory_order_release);
		}
		return 1;
	}
	return 0;
}

/* Called from a constructor of every object file that was compiled so, and by clang from .preinit_array: no libc yet. */
EXPORT void __tsan_init(void)
{
	uintptr_t pc = CALLER_PC();

	if (code_is_watched(pc)) {
		return;
	}
	while (atomic_exchange(
		&is_adding,
		true)) { /* two threads that dlopen: the loader lets one at a time call constructors */
		__builtin_ia32_pause();
	}
	if (!code_is_watched(pc)) {
		dl_iterate_phdr(add_module, (void *)pc);
	}
	atomic_store(&is_adding, false);
}

void *tsan_real(const char *name, const char *version)
{
	static __thread bool inside __attribute__((tls_model("initial-exec")));
	void *found;

	if (inside) { /* the loader's own search uses it */
		return NULL;
	}
	inside = true;
	found = *version ? dlvsym(RTLD_NEXT, name, version) : NULL;
	found = found ? found : dlsym(RTLD_NEXT, name);
	inside = false;
	return found;
}
