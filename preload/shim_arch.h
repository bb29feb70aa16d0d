/* SPDX-License-Identifier: MIT */
/*
 * shim_arch.h - everything of x86-64 Linux with glibc that the shim relies on, in one place.
 *
 * System calls without libc (no errno, no cancellation), the cycle counter, the registers a stack
 * walk starts from, the layout of a signal frame, and peeks at glibc's lock words (layout seen
 * unchanged from glibc 2.17 to 2.41). Safety class of all of it: ANY.
 */
#ifndef THRUM_SHIM_ARCH_H
#define THRUM_SHIM_ARCH_H

#if !defined(__x86_64__) || !defined(__linux__)
#error "thrum's recorder knows x86-64 Linux only: add a shim_arch.h for this one"
#endif

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>

static inline long sys6(long n, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}
#define sys0(n) sys6(n, 0, 0, 0, 0, 0, 0)
#define sys1(n, a) sys6(n, (long)(a), 0, 0, 0, 0, 0)
#define sys2(n, a, b) sys6(n, (long)(a), (long)(b), 0, 0, 0, 0)
#define sys3(n, a, b, c) sys6(n, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define sys4(n, a, b, c, d) sys6(n, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)

/* Unfenced on purpose (10 ns against 19): no order is ever derived from it. */
static inline uint64_t arch_ticks(void)
{
	uint32_t lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return ((uint64_t)hi << 32 | lo) >> 4; /* TF_TICK_SHIFT */
}

/*
 * Where a wrapper was called from. Must be expanded in the wrapper itself:
 * __builtin_frame_address(0) makes the compiler keep a frame pointer there, so that [rbp] is the
 * caller's rbp and rbp + 16 its stack pointer after the return.
 */
struct arch_caller {
	uintptr_t ip; /* return address into the caller */
	uintptr_t sp; /* the caller's stack pointer after the return: the wrapper's CFA */
	uintptr_t bp; /* the caller's frame pointer register */
};
#define ARCH_CALLER()                                             \
	(struct arch_caller)                                      \
	{                                                         \
		.ip = (uintptr_t)__builtin_return_address(0),     \
		.sp = (uintptr_t)__builtin_frame_address(0) + 16, \
		.bp = *(uintptr_t *)__builtin_frame_address(0)    \
	}

/* Was the call that returns to `ip` one by name, directly or through the table of imports? Else it went through a pointer. */
static inline bool arch_is_call_by_name(uintptr_t ip)
{
	const uint8_t *code = (const uint8_t *)ip;

	return code[-5] == 0xe8 || (code[-6] == 0xff && code[-5] == 0x15);
}

/*
 * Body of a naked function of up to three arguments: asks `before` for an address and jumps there,
 * arguments and stack as found.
 */
#define ARCH_JUMP_VIA(before)                                          \
	__asm__("push %rdi\n\tpush %rsi\n\tpush %rdx\n\tcall " #before \
		"\n\tpop %rdx\n\tpop %rsi\n\tpop %rdi\n\tjmp *%rax")

/*
 * In `before`: the caller of the naked function, beyond its three pushes and our own return
 * address.
 */
#define ARCH_CALLER_VIA()                                           \
	(struct arch_caller)                                        \
	{                                                           \
		.ip = ((uintptr_t *)__builtin_frame_address(0))[5], \
		.sp = (uintptr_t)__builtin_frame_address(0) + 48,   \
		.bp = *(uintptr_t *)__builtin_frame_address(0)      \
	}

/*
 * Body of a naked syscall(number, ...): SYS_futex jumps to `futex`, SYS_seccomp to seccomp_call (wrap_privilege.c),
 * SYS_io_uring_enter to uring_call (wrap_uring.c), SYS_close to close_call (wrap_descriptor.c), everything else to what `next` holds, all
 * arguments and the stack as found, so that vfork and clone return where they must. `resolve` fills `next`
 * the first time.
 */
#define ARCH_SYSCALL_ENTRY(futex, next, resolve)                           \
	__asm__("mov " #next "(%rip), %r11\n\t"                            \
		"test %r11, %r11\n\t"                                      \
		"jz 2f\n"                                                  \
		"1:\tcmp $202, %rdi\n\t" /* SYS_futex */                   \
		"je " #futex "\n\t"                                        \
		"cmp $317, %rdi\n\t" /* SYS_seccomp */                     \
		"je seccomp_call\n\t"                                      \
		"cmp $426, %rdi\n\t" /* SYS_io_uring_enter */              \
		"je uring_call\n\t"                                        \
		"cmp $3, %rdi\n\t" /* SYS_close */                         \
		"je close_call\n\t"                                        \
		"jmp *%r11\n"                                              \
		"2:\tpush %rdi\n\tpush %rsi\n\tpush %rdx\n\tpush %rcx\n\t" \
		"push %r8\n\tpush %r9\n\tpush %rax\n\t"                    \
		"call " #resolve "\n\tmov %rax, %r11\n\t"                  \
		"pop %rax\n\tpop %r9\n\tpop %r8\n\tpop %rcx\n\t"           \
		"pop %rdx\n\tpop %rsi\n\tpop %rdi\n\tjmp 1b")

/* DWARF register numbers. */
#define ARCH_DWARF_BP 6
#define ARCH_DWARF_SP 7
#define ARCH_DWARF_RA 16

/*
 * Offsets from the stack pointer in __restore_rt to the interrupted registers:
 * ucontext_t.uc_mcontext.gregs.
 */
#define ARCH_SIGFRAME_BP (40 + 10 * 8)
#define ARCH_SIGFRAME_SP (40 + 15 * 8)
#define ARCH_SIGFRAME_IP (40 + 16 * 8)

/* Peeks: a racy look that only decides how much is recorded, never what is true. */
static inline bool arch_mutex_is_locked(const pthread_mutex_t *m)
{
	return __atomic_load_n(&m->__data.__lock, __ATOMIC_RELAXED) != 0;
}
static inline uint32_t arch_mutex_attributes(const pthread_mutex_t *m)
{
	return (uint32_t)m->__data.__kind & (3 | 16 | 32 | 64 | 128);
}
/* Kernel ids of the holders, as the locks' memory says; 0 = it does not say. */
static inline uint32_t arch_mutex_owner(const pthread_mutex_t *m)
{
	return (uint32_t)__atomic_load_n(&m->__data.__owner, __ATOMIC_RELAXED) & 0x3fffffff;
}
static inline uint32_t arch_rwlock_writer(const pthread_rwlock_t *l)
{
	return (uint32_t)__atomic_load_n(&l->__data.__cur_writer, __ATOMIC_RELAXED);
}
static inline bool arch_rwlock_is_write_locked(const pthread_rwlock_t *l)
{
	return __atomic_load_n(&l->__data.__cur_writer, __ATOMIC_RELAXED) != 0;
}
static inline bool arch_rwlock_is_locked(const pthread_rwlock_t *l)
{
	return __atomic_load_n(&l->__data.__readers, __ATOMIC_RELAXED) >> 3 != 0 ||
	       arch_rwlock_is_write_locked(l);
}
static inline uint32_t arch_rwlock_attributes(const pthread_rwlock_t *l)
{
	return l->__data.__flags | (l->__data.__shared ? 128u : 0);
}
static inline bool arch_spin_is_locked(const pthread_spinlock_t *l)
{
	return __atomic_load_n(l, __ATOMIC_RELAXED) != 1;
}
static inline uint32_t arch_sem_value(const sem_t *s)
{
	/* struct new_sem: 64-bit atomic, value in the low half */
	return (uint32_t)__atomic_load_n((const uint64_t *)(const void *)s, __ATOMIC_RELAXED);
}
static inline bool arch_sem_is_shared(const sem_t *s)
{
	return ((const uint32_t *)(const void *)s)[2] != 0; /* new_sem.private: 0 or LLL_SHARED */
}
/* struct pthread_barrier since glibc 2.25: in, current_round, count, shared, out */
static inline uint32_t arch_barrier_count(const pthread_barrier_t *b)
{
	return ((const uint32_t *)(const void *)b)[2];
}
static inline bool arch_barrier_is_shared(const pthread_barrier_t *b)
{
	return ((const uint32_t *)(const void *)b)[3] != 0;
}
static inline bool arch_cond_is_shared(const pthread_cond_t *c)
{
	return __atomic_load_n(&c->__data.__wrefs, __ATOMIC_RELAXED) & 1;
}
/*
 * Destroyed, and the memory not written since? glibc leaves a mark in a mutex (kind -1) and in a
 * condition variable (bit 2 of the waiters' word); std::mutex and std::condition_variable are born
 * without a call, so a missing mark means a new object. A read-write lock has no mark, and may be born
 * by a static initialiser too: there we leave one, in a word that glibc uses for nothing, while the
 * memory is still the caller's of destroy. The others cannot be born without a call.
 */
static inline bool arch_mutex_is_destroyed(const pthread_mutex_t *m)
{
	return m->__data.__kind == -1;
}
static inline bool arch_cond_is_destroyed(const pthread_cond_t *c)
{
	return __atomic_load_n(&c->__data.__wrefs, __ATOMIC_RELAXED) & 4;
}
static inline void arch_rwlock_mark_destroyed(pthread_rwlock_t *l)
{
	l->__data.__pad4 = 0x6d757268;
}
static inline bool arch_rwlock_is_destroyed(const pthread_rwlock_t *l)
{
	return l->__data.__pad4 == 0x6d757268;
}
static inline bool arch_barrierattr_is_shared(const pthread_barrierattr_t *a)
{
	return a && *(const int *)(const void *)a != PTHREAD_PROCESS_PRIVATE;
}
static inline bool arch_once_is_done(const void *control)
{
	return __atomic_load_n((const int *)control, __ATOMIC_ACQUIRE) == 2;
}
static inline bool arch_guard_is_done(const void *guard)
{
	return __atomic_load_n((const char *)guard, __ATOMIC_ACQUIRE) != 0;
}

#endif
