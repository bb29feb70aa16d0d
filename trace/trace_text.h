/* SPDX-License-Identifier: MIT */
/*
 * trace_text.h - copies of strings from a trace, kept in blocks and freed together.
 */
#ifndef THRUM_TRACE_TEXT_H
#define THRUM_TRACE_TEXT_H

#include <stddef.h>

struct trace_text; /* NULL = no string yet */

/* A copy with a NUL of at most `count` bytes, up to the first NUL; NULL = out of memory. */
char *trace_text_add(struct trace_text **text, const char *bytes, size_t count);
void trace_text_free(struct trace_text *text); /* takes NULL */

#endif
