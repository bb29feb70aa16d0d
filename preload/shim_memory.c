/* SPDX-License-Identifier: MIT */
/*
 * shim_memory.c - what libthrum_tsan.so needs of us: the file PID.N.memory, the calling thread's place in its stream, and when memory
 * goes. The records themselves are that library's: nothing here knows them.
 *
 * The file is opened anew for each chunk: no descriptor is kept of it. Chunks are allocated before they are mapped, as segments are.
 */
#include "shim.h"

#include "../trace/trace_memory_format.h"
#include "shim_memory.h"
#include "tsan/memory_link.h"

#include <fcntl.h>
#include <sys/mman.h>

void (*memory_gone)(uintptr_t start, size_t bytes, uintptr_t pc);
void (*memory_thread)(void);

EXPORT struct tm_header *thrum_memory_header(void)
{
	return shim ? shim->memory : NULL;
}

EXPORT void *thrum_memory_pages(size_t bytes)
{
	return shim_pages(bytes);
}

EXPORT void thrum_memory_listen(void (*gone)(uintptr_t start, size_t bytes, uintptr_t pc),
				void (*thread)(void))
{
	memory_gone = gone;
	memory_thread = thread;
}

static int open_file(int flags)
{
	int parent = directory_get(), fd;

	if (parent < 0) {
		return parent;
	}
	fd = (int)sys4(SYS_openat, parent, shim->memory_name, flags | O_RDWR | O_CLOEXEC, 0600);
	directory_put(parent);
	return fd;
}

/* SLOW: guard held. The file, and its definition. */
static void begin(void)
{
	struct tf_def_memory def = { .def.type = TF_DEF_MEMORY,
				     .version = TM_MAJOR << 16 | TM_MINOR,
				     .mode = shim_options.memory == MEMORY_FULL ? TM_FULL
										: TM_SAMPLED };
	struct tm_header *h;
	int fd;

	region_name(shim->memory_name, sizeof(shim->memory_name), ".memory");
	fd = open_file(O_CREAT | O_EXCL);
	h = fd >= 0 ? region_map(fd, 0, TM_HEADER_BYTES) : NULL;
	if (fd >= 0) {
		sys1(SYS_close, fd);
	}
	if (!h) {
		return;
	}
	h->major = TM_MAJOR;
	h->minor = TM_MINOR;
	h->header_bytes = TM_HEADER_BYTES;
	h->unit_bytes = TM_UNIT_BYTES;
	h->buckets = TM_BUCKETS;
	h->mode = def.mode;
	h->max_bytes = shim_options.max_size;
	__builtin_memcpy(h->magic, TM_MAGIC, 8);
	region_define(&def.def, sizeof(def), NULL, 0, NULL, 0);
	__atomic_store_n(&shim->memory, h, __ATOMIC_RELEASE);
}

EXPORT bool thrum_memory_attach(struct memory_thread *ret_thread, bool *ret_never)
{
	struct call call;
	struct stream *s;
	bool ready;

	*ret_never = false;
	if (!shim_enter(&call)) {
		*ret_never = !shim_options.enabled ||
			     (shim && atomic_load(&shim->state) == SHIM_OFF);
		return false;
	}
	s = call.s;
	if (shim_options.memory == MEMORY_NONE) {
		*ret_never = true;
		shim_leave(&call);
		return false;
	}
	spin_lock(&shim->memory_lock);
	if (!shim->memory && !shim->memory_failed) {
		begin();
		shim->memory_failed = !shim->memory;
	}
	ready = shim->memory != NULL;
	spin_unlock(&shim->memory_lock);
	*ret_never = !ready;
	*ret_thread = (struct memory_thread){ .events = &s->segment->events,
					      .thread = s->thread,
					      .stream = s->index,
					      .tid = s->tid,
					      .is_main = s->thread == 1,
					      .stack_low = s->stack_low,
					      .stack_high = s->stack_high,
					      .slot = &s->memory };
	shim_leave(&call);
	return ready;
}

static struct tm_chunk *cut(uint32_t why)
{
	__atomic_fetch_or(&shim->memory->flags, why, __ATOMIC_RELEASE);
	return NULL;
}

EXPORT struct tm_chunk *thrum_memory_chunk(uint32_t lane, uint32_t number, uint32_t units)
{
	struct tm_header *h = shim ? shim->memory : NULL;
	struct tm_chunk *chunk = NULL;
	uint64_t offset, bytes = (uint64_t)units * TM_UNIT_BYTES;
	int fd;

	if (!h || h->flags) {
		return NULL;
	}
	offset = TM_HEADER_BYTES +
		 __atomic_fetch_add(&h->units, units, __ATOMIC_RELAXED) * TM_UNIT_BYTES;
	if (h->max_bytes && offset + bytes > h->max_bytes) {
		return cut(TM_CUT_SIZE);
	}
	fd = open_file(0);
	if (fd >= 0) {
		chunk = region_map(fd, offset, bytes);
		sys1(SYS_close, fd);
	}
	if (!chunk) {
		return cut(TM_CUT_DISK);
	}
	chunk->units = units;
	chunk->lane = lane;
	chunk->number = number;
	__atomic_store_n(&chunk->magic, TM_CHUNK_MAGIC, __ATOMIC_RELEASE);
	return chunk;
}
