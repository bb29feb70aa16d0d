/* SPDX-License-Identifier: MIT */
/*
 * info_reports.h - how many reports of ThreadSanitizer an image has, and how many of them are races.
 */
#ifndef THRUM_VIEWER_INFO_REPORTS_H
#define THRUM_VIEWER_INFO_REPORTS_H

#include "../trace/trace_reader.h"

#include <jansson.h>
#include <stdio.h>

/* Writes one line; nothing where there is no report. */
void info_put_reports(FILE *out, const struct trace_process *p);
json_t *info_json_reports(const struct trace_process *p); /* NULL = none */

#endif
