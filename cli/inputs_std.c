/* SPDX-License-Identifier: MIT */
/*
 * inputs_std.c - from a text file to findings.
 */
#include "inputs_std.h"

#include "../analyzer/predict/std_findings.h"
#include "../analyzer/predict/std_reader.h"
#include "progress.h"

#include <string.h>

static void fill_report(struct input *input, const struct std_summary *summary)
{
	struct read_process *process = input_stand_for_run(input, "std");

	process->process.events = summary->events;
	process->threads = summary->threads;
	process->locks = summary->locks;
}

static int find_all(const struct options *options, struct input *input,
		    struct predict_sequence *sequence, struct std_summary *ret_summary,
		    struct diag *diag)
{
	const char *file = strcmp(input->path, "-") ? input->path : "/dev/stdin";
	struct std_findings *findings =
		std_findings_new(sequence, inputs_rules_off(options), 0, input->findings);
	struct progress progress;
	struct diag why;
	int error;

	progress_begin(&progress, "reading events", options->quiet);
	sequence->tell = progress_tell;
	sequence->tell_cookie = &progress;
	error = std_read_file(file, sequence, &why);
	progress_end(&progress);
	/* What it could not open is named by the message already. */
	if (error == THRUM_EFORMAT)
		diag_set(diag, error, "%s: %s", input->path, why.message);
	else if (error)
		*diag = why;
	if (!error) {
		progress_begin(&progress, "going through events", options->quiet);
		error = std_findings_finish(findings, ret_summary, diag);
		progress_end(&progress);
	}
	sequence->tell = NULL;
	std_findings_free(findings);
	return error;
}

int input_open_std(const struct options *options, struct inputs *inputs, struct input *input,
		   struct diag *diag)
{
	struct predict_sequence sequence = { 0 };
	struct std_summary summary;
	int error = find_all(options, input, &sequence, &summary, diag);

	if (!error) {
		fill_report(input, &summary);
		inputs->pruned[PRUNE_ORDERED_CREATE] += summary.ordered;
		inputs->pruned[PRUNE_BUDGET] += summary.spent;
	}
	predict_sequence_release(&sequence);
	return error;
}
