/* SPDX-License-Identifier: MIT */
/*
 * test_unwind.c - the recorder's stack walk against libunwind's, frame by frame, on the stacks that
 * are hard to walk.
 *
 * shim_unwind.c is compiled in; the module table it asks is made here from dl_iterate_phdr.
 */
#include "../../preload/shim.h"

#define UNW_LOCAL_ONLY
#include <alloca.h>
#include <libunwind.h>
#include <link.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

TRAMPOLINE void not_a_trampoline(void);
TRAMPOLINE void not_a_trampoline(void)
{
}

/* ---- what the walk asks for ---- */

struct shim *shim;

struct question {
	uintptr_t address;
	struct module *answer;
	bool found;
};

static int visit(struct dl_phdr_info *info, size_t bytes, void *context)
{
	struct question *q = context;
	struct module m = { .bias = info->dlpi_addr, .start = UINTPTR_MAX };

	(void)bytes;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		uintptr_t start = info->dlpi_addr + p->p_vaddr;

		if (p->p_type == PT_LOAD) {
			m.start = start < m.start ? start : m.start;
			m.end = start + p->p_memsz > m.end ? start + p->p_memsz : m.end;
		} else if (p->p_type == PT_GNU_EH_FRAME) {
			m.eh_frame_hdr = start;
		}
	}
	if (q->address < m.start || q->address >= m.end) {
		return 0;
	}
	*q->answer = m;
	q->found = true;
	return 1;
}

const struct module *module_find(uintptr_t address)
{
	static struct module m;
	struct question q = { address, &m, false };

	dl_iterate_phdr(visit, &q);
	return q.found ? &m : NULL;
}

bool module_is_code(uintptr_t address, bool *ret_may_be)
{
	*ret_may_be = false;
	return module_find(address) != NULL;
}

bool module_read(uintptr_t from, void *to, size_t bytes)
{
	memcpy(to, (const void *)from, bytes);
	return true;
}

/* ---- the comparison ---- */

enum { MOST = 64 };
static unsigned compared, deepest;
static bool bounded;
static volatile int in_handler;

/* Both walks from this function's caller outwards. */
static __attribute__((noinline)) void probe(void)
{
	struct arch_caller caller = ARCH_CALLER();
	uintptr_t ip[MOST], slot[MOST];
	struct signal_frame signal;
	uint32_t n = unwind(caller, bounded ? caller.sp - 64 : 0, bounded ? UINTPTR_MAX : 0, ip,
			    slot, MOST, &signal);
	unw_context_t context;
	unw_cursor_t cursor;
	unw_word_t expected;
	uint32_t i = 0, handler_frames = 0;

	unw_getcontext(&context);
	unw_init_local(&cursor, &context);
	while (i < n && unw_step(&cursor) > 0) {
		if (!handler_frames && unw_is_signal_frame(&cursor) > 0) {
			handler_frames = i; /* libunwind says it of the interrupted frame */
		}
		unw_get_reg(&cursor, UNW_REG_IP, &expected);
		if (!expected) {
			break;
		}
		assert_int_equal(ip[i], expected);
		assert_int_equal(*(uintptr_t *)slot[i], expected);
		i++;
	}
	assert_int_equal(i, n); /* as deep as libunwind at least up to our cap, and no deeper */
	assert_true(n >= 4);
	assert_int_equal(signal.frames, handler_frames);
	assert_int_equal(signal.frames != 0, in_handler != 0);
	compared++;
	deepest = n > deepest ? n : deepest;
}

static __attribute__((noinline)) int recursion(int n)
{
	volatile char *room = alloca(8 + n % 5 * 24);

	room[0] = (char)n;
	if (n == 0) {
		probe();
		return room[0];
	}
	return recursion(n - 1) + room[0];
}

static __attribute__((noinline)) int realigned(int n)
{
	volatile char big[128] __attribute__((aligned(64)));
	volatile char *room = alloca(16 + n);

	big[0] = room[0] = 1;
	probe();
	return big[0] + room[0];
}

static int compare(const void *a, const void *b)
{
	if (compared < 1000) {
		probe();
	}
	return *(const int *)a - *(const int *)b;
}

static void on_signal(int number)
{
	(void)number;
	in_handler++;
	probe();
	in_handler--;
}

/* A handler inside a handler: the innermost one counts. */
static void on_outer_signal(int number)
{
	(void)number;
	in_handler++;
	recursion(2);
	raise(SIGUSR1);
	in_handler--;
}

/* Ends in a jump: the handler itself has no frame. */
static void on_signal_tail(int number)
{
	(void)number;
	__asm__ volatile("" ::: "memory");
	probe();
}

static void walk_in_handlers(void)
{
	stack_t alternate = { .ss_sp = malloc(1 << 16), .ss_size = 1 << 16 },
		off = { .ss_flags = SS_DISABLE };
	struct sigaction a = { .sa_handler = on_outer_signal };

	signal(SIGUSR1, on_signal);
	raise(SIGUSR1);
	kill(getpid(), SIGUSR1);
	sigaction(SIGUSR2, &a, NULL);
	raise(SIGUSR2);
	signal(SIGHUP, on_signal_tail);
	in_handler++;
	raise(SIGHUP);
	in_handler--;
	if (!bounded) { /* the bounds of the alternate stack are not those of the thread's */
		sigaltstack(&alternate, NULL);
		a.sa_flags = SA_ONSTACK;
		sigaction(SIGUSR2, &a, NULL);
		raise(SIGUSR2);
		sigaltstack(&off, NULL);
	}
	free(alternate.ss_sp);
}

static void *in_thread(void *p)
{
	recursion(3);
	return p;
}

static void walk_all(void)
{
	int numbers[] = { 5, 3, 9, 1, 7, 2 };
	pthread_t t;

	for (int i = 0; i < 30; i++) {
		recursion(i);
		realigned(i);
	}
	qsort(numbers, 6, sizeof(numbers[0]), compare);
	walk_in_handlers();
	pthread_create(&t, NULL, in_thread, NULL);
	pthread_join(t, NULL);
}

static void test_walk_equals_libunwind_on_a_known_stack(void **state)
{
	(void)state;
	bounded = true;
	walk_all();
	assert_true(compared > 60);
	assert_true(deepest > 30);
}

static void test_walk_equals_libunwind_on_an_unknown_stack(void **state)
{
	(void)state;
	bounded = false;
	unwind_forget();
	compared = 0;
	walk_all();
	assert_true(compared > 60);
}

static void test_function_start_is_found(void **state)
{
	(void)state;
	assert_int_equal(unwind_function((uintptr_t)recursion + 8), (uintptr_t)recursion);
	assert_int_equal(unwind_function(16), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_walk_equals_libunwind_on_a_known_stack),
		cmocka_unit_test(test_walk_equals_libunwind_on_an_unknown_stack),
		cmocka_unit_test(test_function_start_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
