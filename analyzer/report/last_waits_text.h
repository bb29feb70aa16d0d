/* SPDX-License-Identifier: MIT */
/*
 * last_waits_text.h - where everything stood when the program's time was up, a line for each thread and task.
 *
 * What has a line of the program comes first; equal lines are told once, with their number. Nothing is written where nothing is known.
 */
#ifndef THRUM_ANALYZER_REPORT_LAST_WAITS_TEXT_H
#define THRUM_ANALYZER_REPORT_LAST_WAITS_TEXT_H

#include "sink.h"

void last_waits_write(const struct report *report, FILE *out);

#endif
