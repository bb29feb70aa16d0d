/* SPDX-License-Identifier: MIT */
/*
 * inputs_std.c - from a text file to findings.
 */
#include "inputs_std.h"

#include "../analyzer/predict/std_findings.h"
#include "../analyzer/predict/std_reader.h"

#include <string.h>

static void fill_report(struct input *input, const struct std_summary *summary)
{
	struct read_process *process = input_stand_for_run(input, "std");

	process->process.events = summary->events;
	process->threads = summary->threads;
	process->locks = summary->locks;
}

int input_open_std(const struct options *options, struct inputs *inputs, struct input *input,
		   struct diag *diag)
{
	const char *file = strcmp(input->path, "-") ? input->path : "/dev/stdin";
	struct predict_sequence sequence = { 0 };
	struct std_summary summary;
	struct diag why;
	int error = std_read_file(file, &sequence, &why);

	/* What it could not open is named by the message already. */
	if (error == THRUM_EFORMAT)
		diag_set(diag, error, "%s: %s", input->path, why.message);
	else if (error)
		*diag = why;
	else
		error = std_findings_collect(&sequence, inputs_rules_off(options), 0,
					     input->findings, &summary, diag);
	if (!error) {
		fill_report(input, &summary);
		inputs->pruned[PRUNE_ORDERED_CREATE] += summary.ordered;
		inputs->pruned[PRUNE_BUDGET] += summary.spent;
	}
	predict_sequence_release(&sequence);
	return error;
}
