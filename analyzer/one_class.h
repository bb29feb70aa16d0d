/* SPDX-License-Identifier: MIT */
/*
 * one_class.h - what only symbols can tell of locks of one class: whether static ones are elements of one variable.
 */
#ifndef THRUM_ANALYZER_ONE_CLASS_H
#define THRUM_ANALYZER_ONE_CLASS_H

#include "finding.h"

/* After symbolisation: drops findings with of_one_class whose locks are not. */
void one_class_filter(struct finding_list *list);

#endif
