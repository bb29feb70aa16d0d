/* SPDX-License-Identifier: MIT */
/*
 * html_ring.h - the picture of a cycle as inline SVG: "who waits for what".
 *
 * A ring of up to RING_DRAWN_NODES nodes is drawn round for wide windows and as a ladder for narrow
 * ones (the style sheet shows one of them); a longer one only as a ladder. All numbers are
 * integers: no locale gets in.
 */
#ifndef THRUM_ANALYZER_REPORT_HTML_RING_H
#define THRUM_ANALYZER_REPORT_HTML_RING_H

#include "ring.h"

#include <stdio.h>

#define RING_DRAWN_NODES 12

/* The arrow heads that all pictures of a page share; once, before the first one. */
void html_ring_markers(FILE *out);

/* A figure with picture(s), legend and a text alternative; nothing when the ring is empty. */
void html_ring(FILE *out, const struct ring *ring, const struct finding *f);

#endif
