/* SPDX-License-Identifier: MIT */
/*
 * shim_memory.h - who listens when memory goes: libthrum_tsan.so, through tsan/memory_link.h. For the hooks of free and munmap.
 */
#ifndef THRUM_SHIM_MEMORY_H
#define THRUM_SHIM_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/* NULL = nobody. HOT; called before the memory is given back, with the return address of the call. */
extern void (*memory_gone)(uintptr_t start, size_t bytes, uintptr_t pc);
/* NULL = nobody. HOT; by a thread that is about to make another, guard held. */
extern void (*memory_thread)(void);

#endif
