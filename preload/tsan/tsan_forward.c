/* SPDX-License-Identifier: MIT */
/*
 * tsan_forward.c - functions that glibc has in several versions. A program that was linked with ThreadSanitizer's own library names them
 * without a version, since that library has none; the loader then takes the oldest, of another meaning or layout. So they are defined
 * here, and go on to the version that a program of today means. (glibc 2.36, its list compared with that of gcc 12's libtsan.so.2.)
 *
 * Each is entered and left by a jump: arguments, stack and return address as found. Safety class ANY, but for the first call of each.
 */
#include "tsan.h"

struct forward {
	void *real;
	const char *name, *version;
};

__attribute__((used)) static void *forward_find(struct forward *f)
{
	void *real = __atomic_load_n(&f->real, __ATOMIC_ACQUIRE);

	if (!real) {
		real = tsan_real(f->name, f->version);
		__atomic_store_n(&f->real, real, __ATOMIC_RELEASE);
	}
	return real;
}

#define FORWARD(function, since)                                                            \
	__attribute__((used)) static struct forward forward_##function = { NULL, #function, \
									   since };         \
	EXPORT void forward_to_##function(void) __asm__(#function);                         \
	__attribute__((naked)) void forward_to_##function(void)                             \
	{                                                                                   \
		__asm__("mov forward_" #function "(%rip), %r11\n\t"                         \
			"test %r11, %r11\n\t"                                               \
			"jz 1f\n\t"                                                         \
			"jmp *%r11\n"                                                       \
			"1:\tpush %rdi\n\tpush %rsi\n\tpush %rdx\n\tpush %rcx\n\t"          \
			"push %r8\n\tpush %r9\n\tsub $8, %rsp\n\t"                          \
			"lea forward_" #function "(%rip), %rdi\n\t"                         \
			"call forward_find\n\tmov %rax, %r11\n\t"                           \
			"add $8, %rsp\n\tpop %r9\n\tpop %r8\n\tpop %rcx\n\tpop %rdx\n\t"    \
			"pop %rsi\n\tpop %rdi\n\tjmp *%r11");                               \
	}

FORWARD(pthread_cond_init, "GLIBC_2.3.2")
FORWARD(pthread_cond_destroy, "GLIBC_2.3.2")
FORWARD(pthread_cond_signal, "GLIBC_2.3.2")
FORWARD(pthread_cond_broadcast, "GLIBC_2.3.2")
FORWARD(pthread_cond_wait, "GLIBC_2.3.2")
FORWARD(pthread_cond_timedwait, "GLIBC_2.3.2")
FORWARD(posix_spawn, "GLIBC_2.15")
FORWARD(posix_spawnp, "GLIBC_2.15")
FORWARD(realpath, "GLIBC_2.3")
FORWARD(regexec, "GLIBC_2.3.4")
FORWARD(glob, "GLIBC_2.27")
FORWARD(glob64, "GLIBC_2.27")
FORWARD(fmemopen, "GLIBC_2.22")
FORWARD(sched_getaffinity, "GLIBC_2.3.4")
FORWARD(pthread_attr_getaffinity_np, "GLIBC_2.34")
FORWARD(pthread_kill, "GLIBC_2.34")
FORWARD(pthread_sigmask, "GLIBC_2.32")
FORWARD(lgamma, "GLIBC_2.23")
FORWARD(lgammaf, "GLIBC_2.23")
FORWARD(lgammal, "GLIBC_2.23")
