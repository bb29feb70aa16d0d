/* SPDX-License-Identifier: MIT */
/*
 * word_distance.h - how far a mistyped word is from a known one.
 */
#ifndef THRUM_CLI_WORD_DISTANCE_H
#define THRUM_CLI_WORD_DISTANCE_H

#include <stddef.h>

/* Insertions, deletions, replacements and swaps of neighbours; a large number where a word is longer than 32 bytes. */
unsigned word_distance(const char *a, size_t a_bytes, const char *b);

#endif
