/* SPDX-License-Identifier: MIT */
/*
 * fuzz_layout.h - one compact byte string for a trace directory of one process, so that the fuzzer
 * does not mutate 64 KiB of zeros.
 *
 *   u16 n, n bytes        start of the map's header page; the rest of the page is zero u8 s, then s
 *   times:   u16 n, n bytes: start of a segment; the rest of its 64 KiB is a hole u8 t
 *   0: the map ends with the last whole segment; else t * 997 bytes are cut off its end the rest
 *   the .events file
 *
 * Numbers are little-endian; what the input lacks is 0.
 */
#ifndef THRUM_TESTS_FUZZ_LAYOUT_H
#define THRUM_TESTS_FUZZ_LAYOUT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Writes DIR/1.0.map and DIR/1.0.events from the input. */
void fuzz_layout_expand(const char *dir, const uint8_t *data, size_t size);

/* The inverse, for seeds: trailing zeros of pieces are left out. */
void fuzz_layout_pack(const char *dir, const char *name, FILE *out);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
