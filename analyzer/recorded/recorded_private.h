/* SPDX-License-Identifier: MIT */
/*
 * recorded_private.h - what taking in (recorded.c), naming (recorded_numbers.c) and making the sequence (recorded_finish.c) share.
 */
#ifndef THRUM_ANALYZER_RECORDED_RECORDED_PRIVATE_H
#define THRUM_ANALYZER_RECORDED_RECORDED_PRIVATE_H

#include "../barrier_rounds.h"
#include "cells.h"
#include "known.h"
#include "recorded.h"

enum raw_op {
	RAW_READ,
	RAW_WRITE,
	RAW_ACQUIRE,
	RAW_TRY,
	RAW_RELEASE,
	RAW_REQUEST, /* counts where it is the thread's last event */
	RAW_POST,    /* of a signal */
	RAW_TAKE,
	RAW_SEM_POST, /* of a semaphore: which of both it is, is known at the end */
	RAW_SEM_TAKE,
	RAW_SEM_TRY,
	RAW_SEM_REQUEST,
	RAW_FORK,
	RAW_JOIN,
};

struct raw {
	uint32_t thread, object; /* object: cell, lock or thread of the sequence, by op */
	uint32_t place;
	uint8_t op; /* enum raw_op */
	bool shared;
};

/* Room for events comes in blocks, each of which goes when the sequence has its events. */
enum { RAW_BLOCK = 1 << 16 };

enum { READERS_MOST = 16 };

/* What of an object has to be known. */
struct recorded_object {
	uint32_t lock;		       /* RECORDED_OBJECT in the sequence, + 1 */
	uint32_t owner, depth;	       /* exclusive: thread of the process, 0 = none */
	uint32_t reader[READERS_MOST]; /* of the sequence */
	uint32_t readers;	       /* beyond READERS_MOST: too many */
	bool is_semaphore, is_plain_semaphore,
		is_shared; /* plain: no lock; shared: with other processes */
};

struct shared_hold {
	uint32_t thread, object, depth;
};

struct recorded {
	const struct trace_process *process; /* borrowed */
	struct happens_before *hb;	     /* owned, like all below */
	struct known *known;
	struct barrier_rounds *rounds;
	struct cells cells;
	struct raw **raw; /* blocks; NULL = gone */
	size_t blocks, block_capacity;
	size_t count;
	struct recorded_object *object; /* by id */
	struct shared_hold *hold;
	size_t hold_count, hold_capacity;
	uint32_t *cond_depth; /* by thread of the process: of the mutex it gave up in a wait */
	uint32_t *number;     /* the same: in the sequence, + 1 */
	uint32_t *place_now;  /* the same: its newest place */
	bool *is_begun;	      /* the same */
	uint64_t *time;	      /* by place: of its first use */
	size_t time_count, time_capacity;
	struct recorded_variable *cell; /* by cell */
	size_t cell_count, cell_capacity;
	struct predict_sequence sequence;
	const char *flaw;
	bool has_memory, is_finished;
};

static inline const struct raw *recorded_raw(const struct recorded *r, size_t event)
{
	return &r->raw[event / RAW_BLOCK][event % RAW_BLOCK];
}

void recorded_note_cells(struct recorded *r, struct trace_memory *memory);
/* One more event of `thread`, at its newest place. */
void recorded_add(struct recorded *r, uint32_t thread, enum raw_op op, uint32_t object,
		  bool shared);
void recorded_signal(struct recorded *r, uint32_t thread, bool posts, enum recorded_lock_kind kind,
		     uint64_t id, uint32_t part);

/* ---- recorded_numbers.c: of the sequence ---- */

uint32_t recorded_thread_of(struct recorded *r, uint32_t thread);
/* The newest place of the thread, from now on. */
void recorded_place_event(struct recorded *r, uint32_t thread, uint32_t stack, uint64_t time_ns);
void recorded_place_access(struct recorded *r, const struct memory_moment *at,
			   const struct trace_memory_item *item, bool is_atomic);
uint32_t recorded_lock_of(struct recorded *r, enum recorded_lock_kind kind, uint64_t id,
			  uint32_t thread);

#endif
