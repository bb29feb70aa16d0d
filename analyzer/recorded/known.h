/* SPDX-License-Identifier: MIT */
/*
 * known.h - of which reads it is certain what they saw; and so how far each thread's events are what they are in every run in which its
 * reads see the same.
 *
 * Accesses of a memory trace have no order but that of their threads and of what orders threads. So a read is certain where every
 * write is ordered with it, and the writes before it with each other. What a thread does after a read that is not certain may be due
 * to something that the sequence does not tell.
 *
 * Atomic operations race by design. Of those it is known what values they saw and left, as far as a byte tells (TM_VALUES): a read is
 * certain where its value is that of the newest write of the sequence.
 *
 * Conservative: where too much would have to be kept, more is uncertain.
 */
#ifndef THRUM_ANALYZER_RECORDED_KNOWN_H
#define THRUM_ANALYZER_RECORDED_KNOWN_H

#include "../happens_before.h"

struct known;

#define KNOWN_ALL SIZE_MAX

/* `hb` is borrowed; of moments as they are at each call. */
struct known *known_new(struct happens_before *hb, size_t threads);
void known_free(struct known *known); /* takes NULL */

/* Event number `event` reads or writes a variable, numbered from 0; events come in their order. */
void known_read(struct known *known, uint32_t thread, uint32_t variable, size_t event);
void known_write(struct known *known, uint32_t thread, uint32_t variable);
/* The same of an atomic operation that left the value `to` or saw `from`. */
void known_saw(struct known *known, uint32_t thread, uint32_t variable, uint8_t from, size_t event);
void known_left(struct known *known, uint32_t variable, uint8_t to);

/* From `event` on it is not certain what `thread` does. */
void known_not(struct known *known, uint32_t thread, size_t event);

/* The first event of `thread` that may be due to something else; KNOWN_ALL = none. */
size_t known_until(const struct known *known, uint32_t thread);

#endif
