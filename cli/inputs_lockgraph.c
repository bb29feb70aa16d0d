/* SPDX-License-Identifier: MIT */
/*
 * inputs_lockgraph.c - from lock graphs of many runs to findings.
 */
#include "inputs_lockgraph.h"

#include "../analyzer/checker.h"
#include "../analyzer/fleet/lockgraph.h"

#include <inttypes.h>

int input_open_lockgraph(struct inputs *inputs, struct input *input, struct diag *diag)
{
	input_stand_for_run(input, "lockgraph");
	if (inputs->lockgraph) {
		input->report.process_count = 0; /* the first stands for all */
	} else {
		inputs->lockgraph = lockgraph_new();
		inputs->first_lockgraph = input;
	}
	return lockgraph_read(inputs->lockgraph, input->path, diag);
}

static void fill_process(struct inputs *inputs, const struct input *input)
{
	struct read_process *process = input->report.process;
	const struct lockgraph_set *runs = lockgraph_get_runs(inputs->lockgraph);
	uint64_t count = lockgraph_estimate(runs, LOCKGRAPH_RUNS_ALL);
	size_t roles, locks;
	const void *const *role = lockgraph_list(inputs->lockgraph, LOCKGRAPH_ROLES, &roles);

	lockgraph_list(inputs->lockgraph, LOCKGRAPH_LOCKS, &locks);
	process->locks = locks;
	for (size_t i = 0; i < roles; i++)
		process->threads += ((const struct lockgraph_role *)role[i])->most;
	process->process.command = finding_list_printf(
		input->findings, "lock order of %" PRIu64 " run%s", count, count == 1 ? "" : "s");
}

void inputs_judge_lockgraph(const struct options *options, struct inputs *inputs)
{
	struct finding_list *findings = inputs->first_lockgraph->findings;

	fill_process(inputs, inputs->first_lockgraph);
	if (!options->rules.on[RULE_LOCK_ORDER_INVERSION])
		return;
	inputs->pruned[PRUNE_ACROSS_RUNS] += lockgraph_findings(inputs->lockgraph, findings, 0);
	finding_expand_names(findings);
}
