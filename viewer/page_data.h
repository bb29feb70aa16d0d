/* SPDX-License-Identifier: MIT */
/*
 * page_data.h - the trace as the script reads it: one payload, in a page deflated and in base64.
 *
 *	u32 bytes of JSON · JSON · blocks of spans, one behind the other (lane_rows.h) · pictures from afar (`far`)
 *
 * Of a large trace it has few blocks; the others, and the pictures, come in elements behind the script (page_parts.h): data-blocks="row first count …",
 * or data-far="row row …".
 *
 * The JSON names everything by number; unknown names are left out:
 *
 *	end, shift               of the run, in ns; of the pictures from afar
 *	states, arrows, calls    words by number
 *	processes                [pid, command, start, end]
 *	lanes                    [process, thread, name, begin, end, flags, from lane + 1, from ns, [rows]]; flags: 1 begun, 2 ended, 4 contended
 *	rows                     [lane, kind, level, spans, offset of far, -1 = none, -2 = in an element, [base, end, spans, offset, bytes, …]];
 *	                         offset of a block: -1 = in an element, -2 = left out
 *	objects, tasks           by process: {id: [kind, name]}
 *	stacks                   by process: {id: [frames]}; frames: [function, file, line, module, enum frame_class]
 *	findings                 [fingerprint, level, rule, title, [lane, …], [lane, ns, role, object, stack, …]]
 */
#ifndef THRUM_VIEWER_PAGE_DATA_H
#define THRUM_VIEWER_PAGE_DATA_H

#include "page_private.h"

#include <stdio.h>

/* The whole payload as base64 of raw deflate. THRUM_ENOMEM; THRUM_EINVAL where the page would be too large. */
int page_data_put(const struct page *page, const struct report *report, FILE *out,
		  struct diag *diag);
/* The JSON alone. */
int page_model_put(const struct page *page, const struct report *report, FILE *out);

#endif
