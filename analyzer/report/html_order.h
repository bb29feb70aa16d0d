/* SPDX-License-Identifier: MIT */
/*
 * html_order.h - a ring of locks as a table: an edge a row with the two places that make it, what else was held there, and
 * the steps of a witness.
 */
#ifndef THRUM_ANALYZER_REPORT_HTML_ORDER_H
#define THRUM_ANALYZER_REPORT_HTML_ORDER_H

#include "ring.h"

#include <stdio.h>

/* Nothing where the ring is none of locks taken one after the other. */
void html_order(FILE *out, const struct ring *ring, const struct finding *f);

/* The run that ends in a proven finding, a step a line; nothing where the finding has none. */
void html_witness(FILE *out, const struct finding *f);

#endif
