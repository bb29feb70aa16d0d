/* SPDX-License-Identifier: MIT */
/*
 * inputs_unrecorded.c - which programs were started and are in no trace, and why, as far as their files say.
 */
#include "../analyzer/hookable.h"
#include "../viewer/info_tree.h"
#include "inputs.h"

#include <stdlib.h>
#include <string.h>

static const char *why_unrecorded(struct finding_list *list, const char *path)
{
	struct hookable hookable;
	struct diag diag = { 0 };

	if (hookable_check(path, &hookable, &diag) || hookable.verdict == HOOKABLE_TRACEABLE ||
	    hookable.verdict == HOOKABLE_NOT_FOUND || hookable.verdict == HOOKABLE_NOT_EXECUTABLE)
		return NULL;
	return finding_list_printf(list, "%s", hookable.why);
}

static size_t count_candidates(const struct inputs *inputs)
{
	size_t count = 0;

	for (size_t i = 0; i < inputs->count; i++) {
		const struct trace_reader *reader = inputs->input[i].reader;

		count += inputs->input[i].report.unrecorded_count;
		for (size_t k = 0; reader && k < trace_reader_process_count(reader); k++)
			count += trace_reader_get_process(reader, k)->exec_count;
	}
	return count;
}

static size_t add_of_trace(const struct inputs *inputs, const struct trace_reader *reader,
			   struct report_unrecorded *to)
{
	size_t count = 0;

	for (size_t k = 0; k < trace_reader_process_count(reader); k++) {
		const struct trace_process *p = trace_reader_get_process(reader, k);

		for (size_t e = 0; e < p->exec_count; e++) {
			const char *path = p->execs[e].path;

			if (info_exec_is_recorded(reader, k, e))
				continue;
			to[count++] = (struct report_unrecorded){
				.pid = p->execs[e].pid,
				.path = path,
				.why = why_unrecorded(inputs->findings, path),
			};
		}
	}
	return count;
}

static int compare(const void *a, const void *b)
{
	const struct report_unrecorded *x = a, *y = b;
	int by_path = strcmp(x->path, y->path);

	if (by_path)
		return by_path;
	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return strcmp(x->why ? x->why : "", y->why ? y->why : "");
}

void inputs_get_unrecorded(const struct inputs *inputs, struct report_unrecorded **ret_unrecorded,
			   size_t *ret_count)
{
	struct report_unrecorded *all =
		finding_list_alloc(inputs->findings, (count_candidates(inputs) + 1) * sizeof(*all));
	size_t count = 0, kept = 0;

	for (size_t i = 0; i < inputs->count; i++) {
		const struct read_report *report = &inputs->input[i].report;

		if (inputs->input[i].reader)
			count += add_of_trace(inputs, inputs->input[i].reader, all + count);
		for (size_t k = 0; k < report->unrecorded_count; k++)
			all[count++] = report->unrecorded[k];
	}
	if (count)
		qsort(all, count, sizeof(*all), compare);
	for (size_t i = 0; i < count; i++)
		if (!kept || compare(&all[kept - 1], &all[i]) != 0)
			all[kept++] = all[i];
	*ret_unrecorded = all;
	*ret_count = kept;
}
