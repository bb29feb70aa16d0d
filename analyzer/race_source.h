/* SPDX-License-Identifier: MIT */
/*
 * race_source.h - data races held against what debug information says: what the source made atomic is none.
 */
#ifndef THRUM_ANALYZER_RACE_SOURCE_H
#define THRUM_ANALYZER_RACE_SOURCE_H

#include "finding.h"

/*
 * After symbolisation: takes findings of data-race away where the variable's type is atomic, or an access lies in an atomic operation of
 * a library that was inlined there; what is volatile is a hint at most.
 */
void race_source_filter(struct finding_list *list);

#endif
