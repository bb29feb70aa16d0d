/* SPDX-License-Identifier: MIT */
/*
 * page_data.h - the trace as the script reads it: one payload, in a page deflated and in base64.
 *
 *	u32 bytes of JSON · JSON · blocks of spans, one behind the other (lane_rows.h) · pictures from afar (`far`)
 *
 * The JSON names everything by number; unknown names are left out:
 *
 *	end, shift               of the run, in ns; of the pictures from afar
 *	states, arrows, calls    words by number
 *	processes                [pid, command, start, end]
 *	lanes                    [process, thread, name, begin, end, flags, from lane + 1, from ns, [rows]]; flags: 1 begun, 2 ended
 *	rows                     [lane, kind, level, spans, offset of far or -1, [base, end, spans, offset, bytes, …]]
 *	objects, tasks           by process: {id: [kind, name]}
 *	stacks                   by process: {id: [frames]}; frames: [function, file, line, module, enum frame_class]
 *	findings                 [fingerprint, level, rule, title, [lane, …], [lane, ns, role, object, stack, …]]
 */
#ifndef THRUM_VIEWER_PAGE_DATA_H
#define THRUM_VIEWER_PAGE_DATA_H

#include "page_private.h"

#include <stdio.h>

/* The whole payload as base64 of raw deflate; nothing where memory runs out. Returns 0 or THRUM_ENOMEM. */
int page_data_put(const struct page *page, const struct report *report, FILE *out);
/* The JSON alone. */
int page_model_put(const struct page *page, const struct report *report, FILE *out);

#endif
