/* SPDX-License-Identifier: MIT */
/*
 * html_race.h - the picture of a data race as inline SVG: two threads, one on each side, and between them the memory that both touch.
 *
 * Of each side: where it is, what it does with the memory, which locks it holds; of the memory: its name, and its values where they
 * are known. Drawn side by side for wide windows and one below the other for narrow ones, as html_ring.h.
 */
#ifndef THRUM_ANALYZER_REPORT_HTML_RACE_H
#define THRUM_ANALYZER_REPORT_HTML_RACE_H

#include "../finding.h"

#include <stdio.h>

/* Has the finding two accesses of one memory? */
bool html_race_is(const struct finding *f);

/* A figure with both pictures and a text alternative; nothing where html_race_is says no. */
void html_race(FILE *out, const struct finding *f);

/* Both sides in a table: what each did, where, with which locks, and which of these both had. */
void html_race_table(FILE *out, const struct finding *f);

#endif
