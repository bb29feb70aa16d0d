/* SPDX-License-Identifier: MIT */
/*
 * sarif.h - pieces of a SARIF result: locations, stacks, graphs. For sink_sarif.c.
 *
 * Each returns a new reference, NULL when out of memory (json_put takes that).
 */
#ifndef THRUM_ANALYZER_REPORT_SARIF_H
#define THRUM_ANALYZER_REPORT_SARIF_H

#include "site.h"

#include <jansson.h>

#define SARIF_ROOT "SRCROOT"

/*
 * A place: file and line of `site`; where it is NULL, the address of the innermost of `frames`.
 * Either may be NULL. `text` becomes its message; NULL = none.
 */
json_t *sarif_location(const struct report *report, const struct frame *site,
		       const struct frames *frames, const char *text);

json_t *sarif_stack(const struct report *report, const struct finding_stack *stack,
		    const char *text);

/* Threads and locks as nodes; "holds" and "waits for" as edges. Empty where nothing waits. */
json_t *sarif_graphs(const struct report *report, const struct finding *f);

/* artifactLocation of a directory. */
json_t *sarif_directory(const char *path);

#endif
