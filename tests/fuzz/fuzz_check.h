/* SPDX-License-Identifier: MIT */
/*
 * fuzz_check.h - what the fuzz targets share: a check that ends the program with its line, and the input at the end of an allocation.
 */
#ifndef THRUM_TESTS_FUZZ_CHECK_H
#define THRUM_TESTS_FUZZ_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define check(condition) check_line((condition), #condition, __LINE__)

static inline void check_line(bool ok, const char *condition, int line)
{
	if (!ok) {
		fprintf(stderr, "line %d: %s is false\n", line, condition);
		abort();
	}
}

/* A copy that ends where its allocation does, so that a sanitizer sees one byte too many. */
struct fuzz_text {
	char *memory, *text;
};

static inline struct fuzz_text fuzz_text_new(const uint8_t *data, size_t size)
{
	struct fuzz_text t = { .memory = malloc(size + 1) };

	check(t.memory != NULL);
	t.text = t.memory + 1;
	if (size) {
		memcpy(t.text, data, size);
	}
	return t;
}

#endif
