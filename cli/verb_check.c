/* SPDX-License-Identifier: MIT */
/*
 * verb_check.c - `thrum check`: analyses traces that are there.
 */
#include "analysis.h"
#include "cli.h"

int verb_check(const struct options *options)
{
	struct analysis_input input = { .text_out = stdout };
	int status = analysis_check_files(options);

	input.traces = inputs_of_options(options, &input.trace_count);
	return status ? status : analysis_run(options, &input);
}
