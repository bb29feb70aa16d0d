/* SPDX-License-Identifier: MIT */
/*
 * verb_check.c - `thrum check`: analyses traces that are there.
 */
#include "analysis.h"
#include "cli.h"

int verb_check(const struct options *options)
{
	struct gate gate;
	struct analysis_input input = { .text_out = stdout, .gate = &gate };
	int status = analysis_open_files(options, &gate);

	input.traces = inputs_of_options(options, &input.trace_count);
	if (!status)
		status = analysis_run(options, &input);
	gate_release(&gate);
	return status;
}
