/* SPDX-License-Identifier: MIT */
/*
 * shim_boot.c - COLD to LIVE: the first hooked call or our constructor, whichever comes first;
 * again in a forked child.
 *
 * Other libraries' constructors may lock before ours runs, so nothing depends on it. A child of
 * fork finds `*shim` wiped by the kernel (MADV_WIPEONFORK): state COLD, no streams, no locks held;
 * the real functions and the options, which are not wiped, stay.
 */
#include "python/py.h"
#include "shim_races.h"
#include "shim_sanitizer.h"
#include "shim_task.h"
#include "steer/steer.h"

#include <sys/mman.h>

struct shim *shim;

static _Atomic uint32_t first_boot; /* 0 no, 1 under way, 2 done; not wiped */

static uint32_t first_pid; /* that booted this image; not wiped */

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

/*
 * follow_children=none: true in what the recorded process started. A forked child knows its image's first pid; a
 * program that libc itself started (system, popen) finds its parent's files in the directory.
 */
static bool is_unwanted_child(void)
{
	uint32_t pid = (uint32_t)sys0(SYS_getpid);

	if (!shim_options.follow_none) {
		return false;
	}
	return first_pid ? first_pid != pid
			 : directory_open(shim_options.dir) && region_parent_is_recorded();
}

static void boot_fails(void)
{
	atomic_store(&shim->state, SHIM_OFF);
	region_tell_parent();
}

void shim_child(void)
{
	uint32_t under_way = 1;

	/* Another thread was at the first boot, and is not here to finish it. */
	atomic_compare_exchange_strong(&first_boot, &under_way, 0);
	shim_stream = NULL;
	races_in_child();
	shim_boot();
}

/*
 * A run time of a sanitizer starts a program to find names for its reports; it gets our variables with the rest of the environment,
 * but is no part of what the user wants recorded.
 */
static bool is_symbolizer(void)
{
	char name[32] = { 0 };
	long got;
	int fd = first_pid ? -1 : proc_self_open("comm");

	if (fd < 0) {
		return false;
	}
	got = sys3(SYS_read, fd, name, sizeof(name) - 1);
	sys1(SYS_close, fd);
	return got > 0 && __builtin_memcmp(name, "llvm-symbolizer", 15) == 0 &&
	       directory_open(shim_options.dir) && region_parent_is_recorded();
}

/* All signals are blocked; `mask` is what the host had blocked. */
static void boot_image(uint64_t mask)
{
	bool is_first = !first_pid;

	shim->meta_stream = 0;
	task_new_image();
	if (is_unwanted_child() || is_symbolizer()) {
		shim_options.drop = true;
		atomic_store(&shim->state, SHIM_OFF);
		return;
	}
	if (!region_open(shim_options.dir)) {
		boot_fails();
		return;
	}
	if (!first_pid) {
		environment_learn(shim_library_name());
		fork_watch();
	}
	first_pid = shim->process->pid;
	bounded_boot();
	module_scan(NULL, 0);
	if (is_first) {
		sanitizer_learn();
	}
	uint32_t main_thread = thread_new(0, 0, TF_THREAD_MAIN, 0);

	if (!thread_attach(main_thread, TF_THREAD_MAIN, mask)) {
		boot_fails();
		return;
	}
	thread_register((uintptr_t)pthread_self(), main_thread, shim_stream);
	descriptor_scan();
	python_new_image();
	steer_arm();
	atomic_store(&shim->state, SHIM_LIVE);
}

void shim_boot(void)
{
	uint32_t expected = SHIM_COLD;
	uint64_t mask;

	if (!make_shim() || !shim_options.enabled ||
	    !atomic_compare_exchange_strong(&shim->state, &expected, SHIM_BOOTING)) {
		return;
	}
	mask = signals_off();
	boot_image(mask);
	signals_on(mask);
}

__attribute__((constructor)) static void on_load(void)
{
	shim_boot();
	if (shim && atomic_load(&shim->state) == SHIM_LIVE) {
		python_arm();
	}
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
	if (shim && atomic_load(&shim->state) == SHIM_LIVE && shim->stream_count == 1 &&
	    shim->process->pid == (uint32_t)sys0(SYS_getpid)) {
		/* No guard here: a handler that records would wait for region_lock for ever. */
		uint64_t mask = signals_off();

		region_trim();
		signals_on(mask);
	}
}
