/* SPDX-License-Identifier: MIT */
/*
 * word_distance.c - optimal string alignment distance of two short words.
 */
#include "word_distance.h"

#include <string.h>

unsigned word_distance(const char *a, size_t a_bytes, const char *b)
{
	enum { MAX = 32 };
	unsigned line[3][MAX + 1] = { { 0 } };
	size_t b_bytes = strlen(b);

	if (a_bytes > MAX || b_bytes > MAX)
		return MAX;
	for (size_t j = 0; j <= b_bytes; j++)
		line[0][j] = (unsigned)j;
	for (size_t i = 1; i <= a_bytes; i++) {
		unsigned *now = line[i % 3], *before = line[(i + 2) % 3],
			 *older = line[(i + 1) % 3];

		now[0] = (unsigned)i;
		for (size_t j = 1; j <= b_bytes; j++) {
			unsigned best = before[j - 1] + (a[i - 1] != b[j - 1]);

			if (before[j] + 1 < best)
				best = before[j] + 1;
			if (now[j - 1] + 1 < best)
				best = now[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    older[j - 2] + 1 < best)
				best = older[j - 2] + 1;
			now[j] = best;
		}
	}
	return line[a_bytes % 3][b_bytes];
}
