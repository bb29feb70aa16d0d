/* SPDX-License-Identifier: MIT */
/*
 * fasttrack.h - races in a sequence of accesses and synchronisation: pairs of accesses of one location, one of them a write, that
 * nothing orders.
 *
 * After "FastTrack: Efficient and Precise Dynamic Race Detection" (Flanagan, Freund, PLDI 2009): an access is an epoch, a thread and
 * its moment; of a location only those accesses are kept that a later one could be unordered with and not also with a newer one.
 * Clocks are those of happens_before.h. Beyond the paper: a location is eight bytes, of which an access touches some; accesses keep
 * where they were made and under which locks; two atomic accesses never race.
 *
 * Complete for the first race of a location, whatever the order in which unordered accesses come in: feed any sequence that respects
 * the order of each thread and of its synchronisation.
 *
 * Memory: 64 bytes for each eight bytes that were touched, up to a limit; locations that come later are counted and left out.
 */
#ifndef THRUM_ANALYZER_FASTTRACK_H
#define THRUM_ANALYZER_FASTTRACK_H

#include "happens_before.h"

struct fasttrack;

/* Half of a race. */
struct fasttrack_access {
	uint32_t thread;
	uint32_t moment;     /* of happens_before */
	uint32_t place, set; /* as given */
	uint8_t bytes;	     /* of the eight that were touched: a bit each */
	bool writes, is_atomic;
};

/* Called with each new pair; `word` is the address of its eight bytes. `old` came in before `now`. */
typedef void (*fasttrack_race)(void *cookie, uint64_t word, uint16_t generation,
			       const struct fasttrack_access *old,
			       const struct fasttrack_access *now);

/* `hb` is borrowed. */
struct fasttrack *fasttrack_new(struct happens_before *hb, size_t most_words,
				fasttrack_race on_race, void *cookie);
void fasttrack_free(struct fasttrack *ft); /* takes NULL */

enum fasttrack_flag { FASTTRACK_WRITES = 1, FASTTRACK_ATOMIC = 2 };

/*
 * `bytes` bytes at `address`. `place` and `set` (of held locks) are numbers of the caller's. The clock of `thread` must be what it
 * was at that access.
 */
void fasttrack_touch(struct fasttrack *ft, uint32_t thread, uint64_t address, uint64_t bytes,
		     uint16_t generation, unsigned flags, uint32_t place, uint32_t set);

/* It will be touched soon: fetches what is known of it. */
void fasttrack_prefetch(const struct fasttrack *ft, uint64_t address, uint16_t generation);

/* A clock may have moved: call after any change in `hb`. */
void fasttrack_moved(struct fasttrack *ft);

/* Words that found no room. */
uint64_t fasttrack_left_out(const struct fasttrack *ft);

#endif
