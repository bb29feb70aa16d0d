/* SPDX-License-Identifier: MIT */
/*
 * sinks.h - the sinks by name, for the table in sink.c only; users go through sink_find().
 */
#ifndef THRUM_ANALYZER_REPORT_SINKS_H
#define THRUM_ANALYZER_REPORT_SINKS_H

#include "sink.h"

extern const struct sink_ops sink_text;
extern const struct sink_ops sink_json;
extern const struct sink_ops sink_html;
extern const struct sink_ops sink_sarif;
extern const struct sink_ops sink_junit;
extern const struct sink_ops sink_gitlab;
extern const struct sink_ops sink_github;
extern const struct sink_ops sink_markdown;

/*
 * What every sink returns at its end: THRUM_EIO with a message when something could not be written
 * to `out`.
 */
int sink_finish(const struct sink_ops *sink, FILE *out, struct diag *diag);

#endif
