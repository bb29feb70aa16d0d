/* SPDX-License-Identifier: MIT */
/*
 * race_boot.c - whether memory is watched in this process, and the end of it.
 */
#include "races.h"

#include "../shim_races.h"
#include "../shim_sanitizer.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <time.h>

enum { KERNEL = 6 << 16 | 4 }; /* from which on the interface has no known defects */

/* Neither is wiped by a fork: a child closes its parent's events, and has its handler. */
static int inherited[RACE_EVENTS] = { -1, -1, -1, -1 };
static bool has_handler;
static bool is_read; /* SIGTRAP, from a descriptor */

uint64_t race_now_ns(void)
{
	struct timespec t;

	sys2(SYS_clock_gettime, CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

uint32_t race_random(struct races *r)
{
	uint32_t x = atomic_fetch_add_explicit(&r->seed, 0x9e3779b9, memory_order_relaxed);

	x = (x ^ x >> 16) * 0x85ebca6b;
	x = (x ^ x >> 13) * 0xc2b2ae35;
	return x ^ x >> 16;
}

/* ---- reasons not to ---- */

static uint32_t parse_version(const char *s)
{
	uint32_t number[2] = { 0, 0 };

	for (int i = 0; i < 2; i++) {
		while (*s >= '0' && *s <= '9') {
			number[i] = number[i] * 10 + (uint32_t)(*s++ - '0');
		}
		s += *s == '.';
	}
	return number[0] << 16 | (number[1] & 0xffff);
}

bool race_is_traced(void)
{
	static const char key[] = "TracerPid:\t";
	char text[1024];
	int fd = proc_self_open("status");
	long n = fd < 0 ? 0 : sys3(SYS_read, fd, text, sizeof(text) - 1);

	if (fd >= 0) {
		sys1(SYS_close, fd);
	}
	for (long i = 0; i + (long)sizeof(key) < n; i++) {
		if (!__builtin_memcmp(text + i, key, sizeof(key) - 1)) {
			return text[i + (long)sizeof(key) - 1] != '0';
		}
	}
	return false;
}

static uint32_t find_reason(const struct stream *s, size_t stack_bytes, uint32_t *ret_detail)
{
	struct utsname name;
	struct sigaction old;

	*ret_detail = 0;
	if (python_frames) {
		return TF_WATCH_PYTHON;
	}
	if (shim_has_sanitizer()) {
		return TF_WATCH_SANITIZER;
	}
	if (s->tid != (uint32_t)sys0(SYS_getpid)) {
		return TF_WATCH_LATE;
	}
	if (stack_bytes < RACE_SMALL_STACK) {
		return TF_WATCH_SMALL_STACKS;
	}
	if (is_read || real_sigaction(SIGTRAP, NULL, &old) || old.sa_handler != SIG_DFL) {
		return TF_WATCH_SIGTRAP;
	}
	if (sys1(SYS_uname, &name) == 0) {
		*ret_detail = parse_version(name.release);
		if (*ret_detail < KERNEL && !shim_options.races_forced) {
			return TF_WATCH_OLD_KERNEL;
		}
		*ret_detail = 0;
	}
	return race_is_traced() ? TF_WATCH_TRACED : TF_WATCH_ON;
}

/* ---- the beginning ---- */

static unsigned count_processors(void)
{
	unsigned long set[128] = { 0 };
	long bytes = sys3(SYS_sched_getaffinity, 0, sizeof(set), set);
	unsigned count = 0;

	for (long i = 0; i < bytes / (long)sizeof(set[0]); i++) {
		count += (unsigned)__builtin_popcountl(set[i]);
	}
	return count ? count : 1;
}

static uint32_t open_events(struct races *r, uint32_t *ret_detail)
{
	int error = race_open_sampler(&r->sampler);

	error = error ? error : race_open_breakpoint(&r->site_event);
	while (!error && r->watches < RACE_WATCHES) {
		error = race_open_watchpoint(&r->watch[r->watches].event);
		r->watches += !error;
	}
	if (!r->watches) {
		*ret_detail = (uint32_t)-error;
		return error == -ENOSPC ? TF_WATCH_NO_REGISTERS : TF_WATCH_REFUSED;
	}
	return TF_WATCH_ON;
}

static struct kept_file *event_of(struct races *r, unsigned i)
{
	return i == 0 ? &r->sampler : i == 1 ? &r->site_event : &r->watch[i - 2].event;
}

static void close_events(struct races *r)
{
	for (unsigned i = 0; i < RACE_EVENTS; i++) {
		int fd = atomic_exchange(&event_of(r, i)->fd, -1);

		inherited[i] = -1;
		if (fd >= 0 && shim_fd_is_event(fd, event_of(r, i)->ino)) {
			sys1(SYS_close, fd);
		}
	}
}

static bool take_signal(void)
{
	struct sigaction a = { .sa_sigaction = race_on_trap,
			       .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK };

	__builtin_memset(&a.sa_mask, 0xff, sizeof(a.sa_mask));
	has_handler = real_sigaction(SIGTRAP, &a, NULL) == 0;
	return has_handler;
}

static void give_signal_back(void)
{
	struct sigaction usual = { .sa_handler = SIG_DFL };

	if (has_handler) {
		has_handler = false;
		real_sigaction(SIGTRAP, &usual, NULL);
	}
}

static void begin(struct stream *s, size_t stack_bytes)
{
	struct tf_def_watches def = { .def.type = TF_DEF_WATCHES, .rate = RACE_SAMPLE_HZ };
	struct races *r = shim_pages(sizeof(*r));

	if (!r) {
		return;
	}
	for (unsigned i = 0; i < RACE_EVENTS; i++) {
		atomic_store(&event_of(r, i)->fd, -1);
	}
	def.state = find_reason(s, stack_bytes, &def.detail);
	if (def.state == TF_WATCH_ON) {
		def.state = open_events(r, &def.detail);
	}
	if (def.state == TF_WATCH_ON && !take_signal()) {
		def.state = TF_WATCH_SIGTRAP;
	}
	def.slots = r->watches;
	r->told = region_define(&def.def, sizeof(def), NULL, 0, NULL, 0);
	shim->races = r;
	if (def.state != TF_WATCH_ON || !r->told) {
		close_events(r);
		give_signal_back();
		return;
	}
	r->processors = count_processors();
	r->began_ns = race_now_ns();
	r->own_seed = (uint32_t)r->began_ns | 1;
	atomic_store(&r->seed, (uint32_t)(r->began_ns >> 8));
	for (unsigned i = 0; i < RACE_EVENTS; i++) {
		inherited[i] = atomic_load(&event_of(r, i)->fd);
	}
	atomic_store(&r->on, 1);
	if (shim_options.races_deep) {
		race_deep_begin(r);
	}
	race_switch_sampler(&r->sampler, true);
}

/* Each thread that is made inherits the events, which takes as long as making it: not in a program that makes many. */
static bool makes_many(struct races *r)
{
	uint32_t made = atomic_fetch_add(&r->threads, 1) + 1;
	uint64_t now;

	if (made % RACE_THREADS) {
		return false;
	}
	now = race_now_ns();
	made = now - r->counted_ns < RACE_THREADS * UINT64_C(1000000000) / RACE_THREADS_A_SECOND;
	r->counted_ns = now;
	return made;
}

void races_before_thread(struct stream *s, size_t stack_bytes)
{
	if (shim_options.races_off) {
		return;
	}
	if (!shim->races) {
		begin(s, stack_bytes);
	} else if (atomic_load(&shim->races->on)) {
		if (stack_bytes < RACE_SMALL_STACK) {
			races_end(TF_WATCH_SMALL_STACKS);
		} else if (makes_many(shim->races)) {
			races_end(TF_WATCH_SLOW);
		}
	}
}

/* ---- the end ---- */

void race_end(struct races *r, uint32_t why, uint32_t detail)
{
	if (!atomic_exchange(&r->on, 0)) {
		return;
	}
	atomic_store(&races_armed, 0);
	races_deep_end(TF_DEEP_OVER);
	r->told->detail = detail;
	__atomic_store_n(&r->told->state, why, __ATOMIC_RELEASE);
	race_switch_sampler(&r->sampler, false);
	race_disarm(&r->site_event, true);
	for (unsigned i = 0; i < r->watches; i++) {
		race_disarm(&r->watch[i].event, false);
	}
}

void races_end(uint32_t why)
{
	if (shim && shim->races && atomic_load(&shim->races->on)) {
		race_end(shim->races, why, 0);
		close_events(shim->races);
	} /* The handler stays: a trap may be on its way to another thread, and would end the process. */
}

bool races_keep_handler(void (*handler)(int))
{
	if (!has_handler) {
		return false;
	}
	if (handler == SIG_DFL) {
		return true;
	}
	races_end(TF_WATCH_SIGTRAP);
	give_signal_back();
	return false;
}

bool races_keep_action(const struct sigaction *a, struct sigaction *o)
{
	if (!races_keep_handler(a ? a->sa_handler : SIG_DFL)) {
		return false;
	}
	if (o) {
		*o = (struct sigaction){ .sa_handler = SIG_DFL };
	}
	return true;
}

/* ---- signals that are taken without a handler ---- */

enum { TRAP = SIGTRAP - 1 };

static bool has_trap(const sigset_t *set)
{
	uint64_t word;

	return module_read((uintptr_t)set, &word, sizeof(word)) && word >> TRAP & 1;
}

bool races_may_trap(const sigset_t *set)
{
	return has_handler && has_trap(set);
}

bool races_is_trap(const siginfo_t *info)
{
	return info->si_signo == SIGTRAP && info->si_code == RACE_TRAP_CODE;
}

void races_take_traps(void)
{
	static const struct timespec now = { 0, 0 };
	const uint64_t set = UINT64_C(1) << TRAP;
	siginfo_t info;

	/* Another's goes back; it may be one of two, and sooner than it was. */
	while (has_handler &&
	       sys4(SYS_rt_sigtimedwait, &set, &info, &now, sizeof(set)) == SIGTRAP) {
		if (!races_is_trap(&info)) {
			sys4(SYS_rt_tgsigqueueinfo, sys0(SYS_getpid), sys0(SYS_gettid), SIGTRAP,
			     &info);
			return;
		}
	}
}

void races_before_exec(void)
{
	uint64_t mask = 0;

	if (has_handler) {
		sys4(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &mask, sizeof(mask));
		if (mask >> TRAP & 1) {
			races_end(TF_WATCH_SIGTRAP);
			races_take_traps();
		}
	}
}

void races_keep_from(const sigset_t *set)
{
	if (has_trap(set)) {
		races_end(TF_WATCH_SIGTRAP);
		races_take_traps();
		is_read = true;
	}
}

void races_in_child(void)
{
	race_deep_in_child();
	for (unsigned i = 0; i < RACE_EVENTS; i++) {
		if (inherited[i] >= 0) {
			sys1(SYS_close, inherited[i]);
			inherited[i] = -1;
		}
	}
	atomic_store(&races_armed, 0);
	give_signal_back();
}

void races_turn(const struct stream *s)
{
	if (shim->races && atomic_load(&shim->races->on)) {
		race_choose(shim->races, s->index);
	}
}

struct kept_file *races_file(unsigned i)
{
	return shim->races && i < RACE_EVENTS ? event_of(shim->races, i) : NULL;
}
