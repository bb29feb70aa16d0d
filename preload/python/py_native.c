/* SPDX-License-Identifier: MIT */
/*
 * py_native.c - the interpreter's own pthread mutexes, condition variables and semaphores: the GIL, and the locks inside of its files,
 * imports and queues. They are most of what a Python program does at libc, and say nothing of the program.
 *
 * The interpreter's module reaches libc through slots that the loader filled in. There libc's functions are put in the place of ours: what
 * it does is not even looked at, and no other module pays for the question. An extension module has slots of its own. Its semaphores go
 * the same way where the locks of the program are seen at their methods; a wait at one of them still shows in the wait slot of its
 * thread, without an object: who posts it is not known, so nothing is concluded from it.
 *
 * Not where the interpreter is a part of a larger program: then its module has locks of others too.
 */
#include "py.h"

#include "../wrap.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>

struct native {
	const char *name;
	void **real;
	void *ours; /* NULL = the real one */
	void *hook; /* what every other module calls */
};

static bool wait_before(struct call *c, struct arch_caller caller, unsigned mode)
{
	if (!shim_enter_with(c, caller, ROOM)) {
		return false;
	}
	if (c->s->segment->wait.kind != TRACE_WAIT_NONE) {
		shim_leave(c); /* it is known what for */
		return false;
	}
	c->stack = stack_id(c);
	wait_set(c, TRACE_WAIT_CALL, 0, TRACE_CALL_INTERPRETER, mode, 0);
	shim_leave(c);
	return true;
}

static void wait_after(struct call *c)
{
	shim_reenter(c);
	wait_clear(c);
	shim_leave(c);
}

static int native_sem_wait(sem_t *s)
{
	struct call call;
	bool noted = arch_sem_value(s) == 0 && wait_before(&call, ARCH_CALLER(), 0);
	int rc = real_sem_wait(s);

	if (noted) {
		wait_after(&call);
	}
	return rc;
}

static int native_sem_timedwait(sem_t *s, const struct timespec *t)
{
	struct call call;
	bool noted = arch_sem_value(s) == 0 && wait_before(&call, ARCH_CALLER(), TRACE_MODE_TIMED);
	int rc = real_sem_timedwait(s, t);

	if (noted) {
		wait_after(&call);
	}
	return rc;
}

static int native_sem_clockwait(sem_t *s, clockid_t c, const struct timespec *t)
{
	struct call call;
	bool noted = arch_sem_value(s) == 0 && wait_before(&call, ARCH_CALLER(), TRACE_MODE_TIMED);
	int rc = real_sem_clockwait(s, c, t);

	if (noted) {
		wait_after(&call);
	}
	return rc;
}

#define ROW(name) { #name, (void **)&real_##name, NULL, (void *)name },
#define ROW_OURS(name, ours) { #name, (void **)&real_##name, (void *)ours, (void *)name },

static const struct native mutexes[] = {
	/* clang-format off */
	ROW(pthread_mutex_init)
	ROW(pthread_mutex_destroy)
	ROW(pthread_mutex_lock)
	ROW(pthread_mutex_trylock)
	ROW(pthread_mutex_unlock)
	ROW(pthread_cond_init)
	ROW(pthread_cond_destroy)
	ROW(pthread_cond_signal)
	ROW(pthread_cond_broadcast)
	ROW(pthread_cond_wait)
	ROW_OURS(pthread_cond_timedwait, py_gil_timedwait)
	/* clang-format on */
};

static const struct native semaphores[] = {
	/* clang-format off */
	ROW(sem_init)
	ROW(sem_destroy)
	ROW(sem_trywait)
	ROW(sem_post)
	ROW_OURS(sem_wait, native_sem_wait)
	ROW_OURS(sem_timedwait, native_sem_timedwait)
	ROW_OURS(sem_clockwait, native_sem_clockwait)
	/* clang-format on */
};

/* The slot may lie where the loader took the right to write away again. */
static void write_slot(uintptr_t *slot, void *value)
{
	const ElfW(Ehdr) *head = (const void *)py.module_start;
	const ElfW(Phdr) *p = (const void *)(py.module_start + head->e_phoff);
	uintptr_t page = (uintptr_t)slot & ~(uintptr_t)4095, bias = py.bias;

	for (unsigned i = 0; i < head->e_phnum; i++) {
		uintptr_t from = bias + p[i].p_vaddr, to = from + p[i].p_memsz;

		if (p[i].p_type == PT_GNU_RELRO && (uintptr_t)slot >= (from & ~(uintptr_t)4095) &&
		    (uintptr_t)slot < (to & ~(uintptr_t)4095)) {
			if (sys3(SYS_mprotect, page, 4096, PROT_READ | PROT_WRITE) < 0) {
				return;
			}
			__atomic_store_n(slot, (uintptr_t)value, __ATOMIC_RELEASE);
			sys3(SYS_mprotect, page, 4096, PROT_READ);
			return;
		}
	}
	__atomic_store_n(slot, (uintptr_t)value, __ATOMIC_RELEASE);
}

/* Its slot is filled, or its first call will fill it: in both cases the call comes to us now. */
static void put(const struct native *row, size_t rows, bool hook)
{
	for (size_t i = 0; i < rows; i++) {
		void *value = hook ? row[i].hook : row[i].ours ? row[i].ours : *row[i].real;
		uintptr_t *slot = shim_resolve_slot(py.module_start, row[i].name);

		if (slot && value && *slot != (uintptr_t)value) {
			write_slot(slot, value);
		}
	}
}

static bool begins(const char *text, const char *with)
{
	while (*with && *text == *with) {
		text++;
		with++;
	}
	return !*with;
}

/* What was started may be a script, whose first line names the interpreter. */
static void program_name(char *name, size_t room)
{
	long n = sys4(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", name, (long)room - 1);

	if (n > 0) {
		name[n] = 0;
	} else {
		links_program(name, room);
	}
}

/* Is the module nothing but the interpreter? By the name of its file. */
static bool is_interpreter(void)
{
	char name[512];
	const char *base = name;

	name[0] = 0;
	for (const struct link_map *m = _r_debug.r_map; m; m = m->l_next) {
		if (m->l_addr == py.bias) {
			if (m->l_name && m->l_name[0]) {
				size_t n = 0;

				for (; m->l_name[n] && n + 1 < sizeof(name); n++) {
					name[n] = m->l_name[n];
				}
				name[n] = 0;
			} else {
				program_name(name, sizeof(name));
			}
			break;
		}
	}
	for (const char *p = name; *p; p++) {
		base = *p == '/' ? p + 1 : base;
	}
	return begins(base, "python") || begins(base, "libpython");
}

void py_native_mutexes(void)
{
	shim_resolve_once();
	py.is_own_module = is_interpreter();
	if (py.is_own_module) {
		put(mutexes, sizeof(mutexes) / sizeof(mutexes[0]), false);
	}
}

void py_native_semaphores(bool recorded)
{
	if (py.is_own_module) {
		put(semaphores, sizeof(semaphores) / sizeof(semaphores[0]), recorded);
	}
}
