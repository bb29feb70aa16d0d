/* SPDX-License-Identifier: MIT */
/*
 * verb_check.c - `thrum check`: analyses traces that are there.
 */
#include "analysis.h"
#include "cli.h"

#include <stdlib.h>

int verb_check(const struct options *options)
{
	char standard[] = "thrum.data", *only[] = { standard, NULL };
	struct analysis_input input = {
		.traces = options->operand_count ? options->operands : only,
		.trace_count = options->operand_count ? (size_t)options->operand_count : 1,
		.text_out = stdout,
	};
	int status = analysis_check_targets(options);

	return status ? status : analysis_run(options, &input);
}
