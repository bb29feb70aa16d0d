/* SPDX-License-Identifier: MIT */
/*
 * shim_boot.c - COLD to LIVE: the first hooked call or our constructor, whichever comes first;
 * again in a forked child.
 *
 * Other libraries' constructors may lock before ours runs, so nothing depends on it. A child of
 * fork finds `*shim` wiped by the kernel (MADV_WIPEONFORK): state COLD, no streams, no locks held;
 * the real functions and the options, which are not wiped, stay.
 */
#include "shim_emit.h"

#include <sys/mman.h>

struct shim *shim;

static _Atomic uint32_t first_boot; /* 0 no, 1 under way, 2 done; not wiped */

static bool make_shim(void)
{
	uint32_t expected = 0;

	if (atomic_load(&first_boot) == 2) {
		return shim != NULL;
	}
	if (!atomic_compare_exchange_strong(&first_boot, &expected, 1)) {
		return false; /* another thread boots: its events count, ours pass unrecorded until it is done */
	}
	shim_resolve_all();
	options_read();
	if (shim_options.enabled) {
		shim = shim_pages(sizeof(struct shim));
	}
	atomic_store(&first_boot, 2);
	return shim != NULL;
}

void shim_boot(void)
{
	uint32_t expected = SHIM_COLD;

	if (!make_shim() ||
	    !atomic_compare_exchange_strong(&shim->state, &expected, SHIM_BOOTING)) {
		return;
	}
	shim->meta_stream = 0;
	if (!region_open(shim_options.dir)) {
		atomic_store(&shim->state, SHIM_OFF);
		return;
	}
	module_scan(NULL, 0);
	uint32_t main_thread = thread_new(0, 0, TF_THREAD_MAIN, 0);

	if (!thread_attach(main_thread, TF_THREAD_MAIN)) {
		atomic_store(&shim->state, SHIM_OFF);
		return;
	}
	thread_register((uintptr_t)pthread_self(), main_thread, shim_stream);
	atomic_store(&shim->state, SHIM_LIVE);
}

__attribute__((constructor)) static void on_load(void)
{
	shim_boot();
}

/*
 * exit() or a return from main. Threads may still run and record; this only says how the process
 * went.
 */
__attribute__((destructor)) static void on_exit_(void)
{
	if (shim && atomic_load(&shim->state) == SHIM_LIVE && !shim->process->exit_kind) {
		shim->process->exit_kind = TRACE_EXIT_DESTRUCTORS;
	}
}
