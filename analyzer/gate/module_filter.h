/* SPDX-License-Identifier: MIT */
/*
 * module_filter.h - --include and --exclude: findings of which modules are wanted.
 *
 * What counts is the module that made a call: of each stack the innermost frame that is no machinery
 * (frame_class.h). A module is wanted that an include pattern names, or any where there is none, and that no exclude
 * pattern names. A finding stays when a call of one of its stacks comes from a wanted module, or from one that is not
 * known; a finding without stacks goes by where its threads were made. Patterns are globs over the base name.
 */
#ifndef THRUM_ANALYZER_GATE_MODULE_FILTER_H
#define THRUM_ANALYZER_GATE_MODULE_FILTER_H

#include "../finding.h"

struct module_filter {
	const char *const *include, *const *exclude; /* borrowed */
	size_t include_count, exclude_count;
};

/* Takes the others out of the list; returns how many. After symbolisation. */
size_t module_filter_apply(const struct module_filter *filter, struct finding_list *list);

#endif
