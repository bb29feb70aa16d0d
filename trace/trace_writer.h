/* SPDX-License-Identifier: MIT */
/*
 * trace_writer.h - hosted writer: makes a valid trace directory from a list of calls, for tests,
 * fuzz seeds and converters.
 *
 * It writes the same bytes the recorder would, from the same tables, but with everything under the
 * caller's control: clocks, chunk borders, lost chunks, a killed process.
 *
 *	struct trace_writer *w = trace_writer_new(dir, 1000);
 *	uint64_t ip[] = { 0x1000, 0x2000 };
 *	trace_writer_stack(w, 1, ip, 2);
 *	trace_writer_object(w, 7, TRACE_OBJECT_MUTEX, 0x5000, 1, 1);
 *	trace_writer_thread(w, 1, 0, 0);
 *	trace_writer_event(w, 0, TRACE_THREAD_BEGIN, 0, 0, 0, 0, 1, 0, 0);
 *	trace_writer_event(w, 0, TRACE_ACQUIRE, 0, 7, 0, 1, 0, 0, TRACE_WRITER_AUTO);
 *	trace_writer_event(w, 0, TRACE_RELEASE, 0, 7, 0, 0, 0, 0, 0);
 *	trace_writer_finish(w, TRACE_EXIT_DESTRUCTORS);
 *
 * Rules
 *  - Ids (stacks, objects, threads) are the caller's, 1-based. Events may use ids that are never
 *    defined.
 *  - Streams are numbered by the caller from 0; the first use makes one. One thread owns a stream
 *    at a time: THREAD_BEGIN makes its A the owner, THREAD_END makes the stream idle.
 *  - Times are ticks since the start of the process; one tick is TRACE_WRITER_TICK_NS.
 *  - Fields that an op does not have are ignored.
 *  - An argument that makes no sense, a failed write or a failed allocation ends the program with a
 *    message: callers are tests. Nothing is returned that needs checking.
 *
 * Not thread-safe.
 */
#ifndef THRUM_TRACE_WRITER_H
#define THRUM_TRACE_WRITER_H

#include "trace_format.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Nanoseconds of one tick in a trace made here: time_ns of an event = its ticks * 10. */
#define TRACE_WRITER_TICK_NS 10u

/* `ticks` argument: 100 ticks after the newest event of all streams. */
#define TRACE_WRITER_NEXT 0u

/*
 * `seq` argument: the writer counts acquires and names the number where the format says so. 0 = no
 * number.
 */
#define TRACE_WRITER_AUTO UINT64_MAX

struct trace_writer;

/* A process image PID.0 (or PID.image) in directory `dir`, which is made when it is missing. */
struct trace_writer *trace_writer_new(const char *dir, uint32_t pid);
struct trace_writer *trace_writer_new_image(const char *dir, uint32_t pid, uint32_t image,
					    uint32_t ppid, uint32_t parent_image);

/*
 * The header page as it will be written, to change what no call below covers. Counters are filled
 * in at the end.
 */
struct tf_process *trace_writer_get_header(struct trace_writer *w);

/* argv joined by NUL bytes is made of this blank-separated text. */
void trace_writer_command(struct trace_writer *w, const char *command);

/* ---- definitions ---- */

void trace_writer_stack(struct trace_writer *w, uint32_t id, const uint64_t *ip, uint32_t frames);

/*
 * Stack and thread are where it was first seen. Attributes are 0 (a default mutex); _object_full
 * says more.
 */
void trace_writer_object(struct trace_writer *w, uint32_t id, enum trace_object_kind kind,
			 uint64_t address, uint32_t stack, uint32_t thread);
void trace_writer_object_full(struct trace_writer *w, uint32_t id, enum trace_object_kind kind,
			      uint64_t address, uint32_t stack, uint32_t thread,
			      uint32_t attributes, enum tf_object_where where);

/*
 * Thread 1 gets TF_THREAD_MAIN, a thread with parent 0 TF_THREAD_FOREIGN; _thread_full says more.
 */
/* The object is the same as any of any process with these numbers: enum tf_identity_space. */
void trace_writer_identity(struct trace_writer *w, uint32_t object, uint32_t space, uint64_t ino,
			   uint64_t offset, uint64_t length);
/* The object was locked when first seen, by kernel thread `tid`. */
void trace_writer_owner(struct trace_writer *w, uint32_t object, uint32_t tid);
void trace_writer_thread(struct trace_writer *w, uint32_t id, uint32_t parent, uint32_t stack);
void trace_writer_thread_full(struct trace_writer *w, uint32_t id, uint32_t parent, uint32_t stack,
			      uint32_t flags, uint64_t start_routine, uint64_t handle);
void trace_writer_name(struct trace_writer *w, uint32_t thread, const char *name);
void trace_writer_module(struct trace_writer *w, uint64_t start, uint64_t end, uint64_t bias,
			 const char *path, const void *build_id, uint32_t build_id_bytes,
			 bool is_thrum);
void trace_writer_unload(struct trace_writer *w, uint64_t start, uint64_t ticks);

/* ---- events ---- */

/*
 * Appends one record to `stream`. With seq AUTO an exclusive acquire (ACQUIRE, _TRY, _TIMED,
 * _OWNERDEAD, COND_WAKE for its mutex) gets number 1, 2, 3 … of its object in the order of the
 * calls, a shared acquire the number of exclusive ones before it; re-acquires of an object whose
 * attributes say recursive get none. Seals the chunk when it is full.
 */
void trace_writer_event(struct trace_writer *w, uint32_t stream, enum trace_op op, uint64_t ticks,
			uint32_t object, uint32_t other, uint32_t stack, uint64_t arg,
			int32_t result, uint64_t seq);

/* The usual ones, at the next tick and with seq AUTO. */
void trace_writer_begin(struct trace_writer *w, uint32_t stream, uint32_t thread);
void trace_writer_end(struct trace_writer *w, uint32_t stream);
void trace_writer_acquire(struct trace_writer *w, uint32_t stream, uint32_t object, uint32_t stack);
void trace_writer_release(struct trace_writer *w, uint32_t stream, uint32_t object);
void trace_writer_create(struct trace_writer *w, uint32_t stream, uint32_t thread, uint32_t stack);
void trace_writer_join(struct trace_writer *w, uint32_t stream, uint32_t thread, uint32_t stack);

/*
 * What the owner of `stream` is blocked on at the end (copied; `thread` 0 becomes the owner,
 * `ticks` counts from the start). NULL = not blocked. `_tid` sets the kernel id of the owner.
 */
void trace_writer_wait(struct trace_writer *w, uint32_t stream, const struct trace_wait *wait);
void trace_writer_tid(struct trace_writer *w, uint32_t stream, uint32_t tid);

/*
 * The clock of `stream` runs `ticks` ahead (or behind) from here on: records get shifted time
 * stamps.
 */
void trace_writer_skew(struct trace_writer *w, uint32_t stream, int64_t ticks);

/* ---- chunks ---- */

/* Ends the open chunk of `stream` and appends it to the .events file, or loses it. */
void trace_writer_seal(struct trace_writer *w, uint32_t stream);
void trace_writer_drop_chunk(struct trace_writer *w, uint32_t stream);

/*
 * Raw bytes at the end of the .events file, or of the open chunk of a stream: for damaged and
 * future traces.
 */
/* Any definition: `head` is its struct, whose def is filled here; text may follow it. */
void trace_writer_raw_def(struct trace_writer *w, enum tf_def_type type, void *head,
			  size_t head_bytes, const void *text, size_t text_bytes);
void trace_writer_raw_events(struct trace_writer *w, const void *bytes, size_t count);
void trace_writer_raw_record(struct trace_writer *w, uint32_t stream, const void *bytes,
			     size_t count);

/*
 * Appends the chunk of `stream` that was sealed last to the .events file once more (only its first
 * `committed` bytes).
 */
void trace_writer_duplicate(struct trace_writer *w, uint32_t stream, uint32_t committed);

/* ---- end ---- */

/* Writes the map as it is now: a reader sees a running process. Recording may go on. */
void trace_writer_sync(struct trace_writer *w);

/*
 * Writes the map and frees `w`. Open chunks stay in the map only. exit_kind 0 = killed, else enum
 * trace_exit.
 */
void trace_writer_finish(struct trace_writer *w, uint32_t exit_kind);

#endif
