/* SPDX-License-Identifier: MIT */
/*
 * shim_bounded_private.h - what the parts of bounded mode share: keys of facts, holds, telling.
 *
 * shim_bounded.c decides what is new of locks, shim_bounded_sync.c of all else that threads meet at,
 * shim_bounded_thread.c begins and ends threads and turns their rings. All is SLOW but bounded_story_of and
 * bounded_find_hold, which are HOT.
 */
#ifndef THRUM_SHIM_BOUNDED_PRIVATE_H
#define THRUM_SHIM_BOUNDED_PRIVATE_H

#include "shim_emit.h"
#include "shim_facts.h"

#include <errno.h>

enum {
	FEW_THREADS = 4,   /* threads written down for an object … */
	COND_THREADS = 64, /* … that is the mutex of a condvar */
};

struct story *bounded_story_of(uint32_t object);

/* Newness: true once for each key, for the whole process; false when the cache of the thread knew it. */
void bounded_look_up(struct stream *s, const struct fact *f); /* first, for all of these */
bool bounded_is_new_site(struct stream *s, const struct fact *f);
/* The same with all that the thread holds, and for the first threads and epochs, with these. */
bool bounded_is_new_request(struct stream *s, const struct fact *f);
/* Is it new that this thread has to do with the object in this way? */
bool bounded_is_new_actor(struct stream *s, const struct fact *f);
/* An acquire outside of all other holds. */
bool bounded_is_new_alone(struct stream *s, const struct fact *f);

/* Writes the fact down; `_order` one that the lock-order graph is made of. */
void bounded_tell(struct stream *s, const struct fact *f);
void bounded_tell_order(struct stream *s, const struct fact *f);
void bounded_look_at_destroyed(struct stream *s, const struct fact *f);

/* The wait of a request: begun, over. */
void bounded_note_request(struct stream *s, const struct fact *f);
void bounded_answer_request(struct stream *s);

struct hold *bounded_find_hold(struct bounded *b, uint32_t object);
void bounded_hold_again(struct stream *s, const struct fact *f, uint32_t mode);
/* False: it was not among them. */
bool bounded_drop_object(struct bounded *b, uint32_t object);
/* Holds that another thread ended behind the back of this one. */
void bounded_drop_invalid(struct stream *s);

/* The thread created or joined one, or came out of a barrier: not all it did before can run beside what follows. */
void bounded_next_epoch(struct stream *s);
void bounded_set_salt(struct stream *s);

#endif
