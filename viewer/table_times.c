/* SPDX-License-Identifier: MIT */
/*
 * table_times.c - how long things took: sums, the longest, and a histogram for percentiles.
 */
#include "table_making.h"

#include <stdlib.h>

/* Below TABLE_PARTS a bucket a nanosecond; then TABLE_PARTS buckets in each power of two. */
static unsigned bucket_of(uint64_t ns)
{
	unsigned power, bucket;

	if (ns < TABLE_PARTS)
		return (unsigned)ns;
	power = 63 - (unsigned)__builtin_clzll(ns);
	bucket = (power - 2) * TABLE_PARTS + (unsigned)(ns >> (power - 3)) % TABLE_PARTS;
	return bucket < TABLE_BUCKETS ? bucket : TABLE_BUCKETS - 1;
}

/* The longest time that falls into the bucket. */
static uint64_t end_of_bucket(unsigned bucket)
{
	unsigned power = bucket / TABLE_PARTS + 2;

	if (bucket < TABLE_PARTS)
		return bucket;
	return ((uint64_t)(TABLE_PARTS + bucket % TABLE_PARTS + 1) << (power - 3)) - 1;
}

bool table_times_detail(struct table_times *times)
{
	if (!times->bucket)
		times->bucket = calloc(TABLE_BUCKETS, sizeof(*times->bucket));
	return times->bucket;
}

void table_times_add(struct table_times *times, uint64_t at_ns, uint64_t ns)
{
	times->count++;
	times->total_ns += ns;
	if (ns >= times->longest_ns) {
		times->longest_ns = ns;
		times->longest_at_ns = at_ns;
	}
	if (times->bucket && times->bucket[bucket_of(ns)] != UINT32_MAX)
		times->bucket[bucket_of(ns)]++;
}

uint64_t table_times_percentile(const struct table_times *times, unsigned percent)
{
	uint64_t total = 0, below = 0;

	for (unsigned i = 0; times->bucket && i < TABLE_BUCKETS; i++)
		total += times->bucket[i];
	for (unsigned i = 0; total && i < TABLE_BUCKETS - 1; i++) {
		below += times->bucket[i];
		if (below * 100 >= total * percent)
			return end_of_bucket(i) < times->longest_ns ? end_of_bucket(i)
								    : times->longest_ns;
	}
	return times->longest_ns;
}
