/* SPDX-License-Identifier: MIT */
/* wrap_thread.h - the bodies that pthread_* and thrd_* thread calls share. */
#ifndef THRUM_WRAP_THREAD_H
#define THRUM_WRAP_THREAD_H

#include "wrap.h"

struct thread_start {
	union {
		void *(*pthread)(void *);
		int (*c11)(void *);
	} routine;
	void *argument;
	size_t stack_bytes;
	uint32_t id;
	struct thread_start *next;
};

/* SLOW: guard held on entry, open on return. NULL: create the thread unrecorded. */
struct thread_start *create_before(struct call *c, const pthread_attr_t *a, uintptr_t routine,
				   uint32_t *ret_flags);
void create_after(struct call *c, struct thread_start *start, uint32_t id, uint32_t flags,
		  const pthread_t *handle, int rc);

/* In the new thread: takes what is needed out of `start`, which it gives back. */
struct thread_start thread_started(struct thread_start *start, uintptr_t frame);
void thread_over(unsigned how);

void join_before(struct call *c, uintptr_t handle, unsigned mode, uint32_t *ret_id);
void join_after(struct call *c, uintptr_t handle, unsigned mode, uint32_t id, int rc);
void exit_before(struct call *c);
void detach_after(struct call *c, uint32_t id, int rc);
uint32_t thread_id_of(struct call *c, uintptr_t handle);

#endif
