/* SPDX-License-Identifier: MIT */
/*
 * shim_real.h - one typed pointer per hooked function, named real_NAME, expanded from
 * spec/primitives/.
 *
 * Each points to a stub until shim_resolve_all has run: the stub resolves and calls on. A function
 * that no loaded library has keeps a stub that answers ENOSYS. Included by shim.h only.
 */
#ifndef THRUM_SHIM_REAL_H
#define THRUM_SHIM_REAL_H

#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>

struct addrinfo;
struct epoll_event;
struct hostent;
struct iovec;

/* The prototypes of the hooks themselves: some have none in any header. */
#define PRIM(shape, kind, ret, name, params, args, object, mode, doc) \
	extern ret(*real_##name) params;                              \
	ret name params;
#include "../spec/primitives/all.def"
#undef PRIM

#define NEED(ret, name, params) extern ret(*real_##name) params;
#include "../spec/needed.def"
#undef NEED

/*
 * Not hooked, but called by us through the same resolver: cancellation clean-up without unwinder
 * tables.
 */
struct __jmp_buf_tag;
extern void (*real___pthread_register_cancel)(__pthread_unwind_buf_t *);
extern void (*real___pthread_unregister_cancel)(__pthread_unwind_buf_t *);
extern void (*real___pthread_unwind_next)(__pthread_unwind_buf_t *);
extern size_t (*real_malloc_usable_size)(void *);
extern int (*real_sem_getvalue)(sem_t *, int *);
extern int (*real_pthread_attr_getdetachstate)(const pthread_attr_t *, int *);
extern int (*real_pthread_attr_getstacksize)(const pthread_attr_t *, size_t *);
/* The next one after ours: see wrap_sanitizer.c. NULL without AddressSanitizer. */
extern const char *(*real___asan_default_options)(void);
const char *__asan_default_options(void);
/* The same of ThreadSanitizer: wrap_report.c. */
extern const char *(*real___tsan_default_options)(void);
extern void (*real___tsan_on_report)(void *);
const char *__tsan_default_options(void);
void __tsan_on_report(void *report);

#endif
