/* SPDX-License-Identifier: MIT */
/*
 * info_json.h - the other form of what info.h says.
 */
#ifndef THRUM_VIEWER_INFO_JSON_H
#define THRUM_VIEWER_INFO_JSON_H

#include "../trace/trace_reader.h"

#include <stdio.h>

/* Schema "thrum-info/1". Errors as info_write. */
int info_write_json(struct trace_reader *reader, FILE *out, struct diag *diag);

#endif
