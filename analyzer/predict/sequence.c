/* SPDX-License-Identifier: MIT */
/*
 * sequence.c - takes events in, and refuses what no run could have done.
 */
#include "sequence.h"

#include "room.h"

enum { WINDOW = 4096 }; /* events that listeners hear of at once: what a cache holds */

void predict_sequence_hear(struct predict_sequence *sequence, struct predict_listener listener)
{
	if (sequence->listeners == PREDICT_LISTENERS)
		abort();
	sequence->listener[sequence->listeners++] = listener;
	if (!sequence->window)
		sequence->window = WINDOW;
}

static void tell_listeners(struct predict_sequence *sequence)
{
	size_t first = sequence->heard, count = sequence->count - first;

	for (uint32_t i = 0; i < sequence->listeners; i++)
		sequence->listener[i].hear(sequence->listener[i].cookie, sequence, sequence->event,
					   count, first);
	sequence->heard = sequence->count;
}

static struct predict_lock_state *state_of(struct predict_sequence *sequence, uint32_t lock)
{
	sequence->state = room_zeroed(sequence->state, &sequence->state_count, lock,
				      &sequence->state_capacity, sizeof(*sequence->state));
	return &sequence->state[lock];
}

static struct predict_late *late_of(struct predict_sequence *sequence, uint32_t thread)
{
	sequence->late = room_zeroed(sequence->late, &sequence->late_count, thread,
				     &sequence->late_capacity, sizeof(*sequence->late));
	return &sequence->late[thread];
}

static inline void append(struct predict_sequence *sequence, uint32_t thread, enum predict_op op,
			  uint32_t object, uint32_t place)
{
	size_t at = sequence->count++ - sequence->heard;

	sequence->event =
		room_for(sequence->event, at, 1, &sequence->capacity, sizeof(*sequence->event));
	sequence->event[at] = (struct predict_event){
		.thread = thread, .object = object, .place = place & 0xfffffffu, .op = op & 0xfu
	};
	if (at + 1 == sequence->window)
		tell_listeners(sequence);
}

static int acquire(struct predict_sequence *sequence, uint32_t thread, enum predict_op op,
		   uint32_t lock, uint32_t place)
{
	struct predict_lock_state *state = state_of(sequence, lock);

	if (state->owner && state->owner != thread + 1) {
		*late_of(sequence, thread) = (struct predict_late){ lock + 1, place };
		sequence->lates++;
		return 0;
	}
	if (state->depth++) {
		sequence->nested++;
		return 0;
	}
	state->owner = thread + 1;
	append(sequence, thread, op, lock, place);
	return 0;
}

static int release(struct predict_sequence *sequence, uint32_t thread, uint32_t lock,
		   uint32_t place, struct diag *diag)
{
	struct predict_lock_state *state = state_of(sequence, lock);

	if (state->owner != thread + 1)
		return diag_set(diag, THRUM_EFORMAT,
				"a lock is released by a thread that does not have it");
	if (--state->depth)
		return 0;
	state->owner = 0;
	append(sequence, thread, PREDICT_RELEASE, lock, place);
	return 0;
}

/* Its late acquire has been granted by now. */
static int settle(struct predict_sequence *sequence, uint32_t thread, struct diag *diag)
{
	struct predict_late late = *late_of(sequence, thread);

	if (!late.lock)
		return 0;
	if (state_of(sequence, late.lock - 1)->owner)
		return diag_set(
			diag, THRUM_EFORMAT,
			"the thread goes on after it acquired a lock that another thread has");
	*late_of(sequence, thread) = (struct predict_late){ 0, 0 };
	sequence->lates--;
	return acquire(sequence, thread, PREDICT_ACQUIRE, late.lock - 1, late.place);
}

int predict_sequence_add(struct predict_sequence *sequence, uint32_t thread, enum predict_op op,
			 uint32_t object, uint32_t place, struct diag *diag)
{
	struct predict_lock_state *state;
	int error = 0;

	if (__builtin_expect(sequence->lates, 0)) {
		error = settle(sequence, thread, diag);
		if (!error && op == PREDICT_JOIN)
			error = settle(sequence, object, diag);
	}
	if (error)
		return error;
	if (op <= PREDICT_WRITE) {
		append(sequence, thread, op, object, place);
		return 0;
	}
	switch (op) {
	case PREDICT_ACQUIRE:
	case PREDICT_TRY:
		return acquire(sequence, thread, op, object, place);
	case PREDICT_RELEASE:
		return release(sequence, thread, object, place, diag);
	case PREDICT_REQUEST: /* of one that it has: will be granted */
		if (state_of(sequence, object)->owner == thread + 1)
			return 0;
		break;
	case PREDICT_WAIT: /* a wait gives the lock back, whether the trace says so or not */
		state = state_of(sequence, object);
		if (state->owner == thread + 1) {
			*state = (struct predict_lock_state){ 0, 0 };
			append(sequence, thread, PREDICT_RELEASE, object, place);
		}
		break;
	case PREDICT_NOTIFY:
		state_of(sequence, object);
		break;
	case PREDICT_FORK:
	case PREDICT_JOIN:
		if (object == thread)
			return diag_set(diag, THRUM_EFORMAT, "a thread forks or joins itself");
		break;
	case PREDICT_READ:
	case PREDICT_WRITE:
	case PREDICT_UNKNOWN:
		break;
	}
	append(sequence, thread, op, object, place);
	return 0;
}

void predict_sequence_end(struct predict_sequence *sequence)
{
	for (uint32_t t = 0; t < sequence->late_count; t++) {
		struct predict_late *late = &sequence->late[t];

		if (late->lock && !state_of(sequence, late->lock - 1)->owner)
			acquire(sequence, t, PREDICT_ACQUIRE, late->lock - 1, late->place);
		else if (late->lock)
			append(sequence, t, PREDICT_REQUEST, late->lock - 1, late->place);
		late->lock = 0;
	}
	if (sequence->listeners)
		tell_listeners(sequence);
}

void predict_sequence_release(struct predict_sequence *sequence)
{
	free(sequence->event);
	free(sequence->state);
	free(sequence->late);
	free(sequence->group);
	names_release(&sequence->threads);
	names_release(&sequence->locks);
	names_release(&sequence->variables);
	names_release(&sequence->places);
	*sequence = (struct predict_sequence){ 0 };
}
