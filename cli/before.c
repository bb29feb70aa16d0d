/* SPDX-License-Identifier: MIT */
/*
 * before.c - see before.h.
 */
#include "before.h"

int before_load(const struct options *options, char **path, struct before *ret_before,
		struct diag *diag)
{
	bool is_json = report_read_is_json(*path);
	int error;

	*ret_before = (struct before){ .path = *path };
	error = is_json ? baseline_load(*path, &ret_before->baseline, diag) : 0;
	if (error)
		return error;
	if (is_json && !ret_before->baseline.is_report) {
		baseline_keep_rules(&ret_before->baseline, options->rules.on);
		return 0;
	}
	baseline_release(&ret_before->baseline);
	error = inputs_load(options, path, 1, false, &ret_before->inputs, diag);
	if (!error)
		baseline_take(ret_before->inputs.findings, &ret_before->baseline);
	return error;
}

int before_draw(const struct options *options, struct before *before, struct diag *diag)
{
	int error;

	if (!before->inputs.count)
		return 0;
	error = page_link_start(&before->link, options, &before->inputs, NULL, diag);
	return error ? error : page_link_finish(&before->link, options, diag);
}

void before_release(struct before *before)
{
	page_link_release(&before->link);
	baseline_release(&before->baseline);
	inputs_release(&before->inputs);
}
