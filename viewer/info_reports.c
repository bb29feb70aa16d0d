/* SPDX-License-Identifier: MIT */
/*
 * info_reports.c - counts ThreadSanitizer's reports by what becomes of them.
 */
#include "info_reports.h"

static size_t count_races(const struct trace_process *p)
{
	size_t races = 0;

	for (size_t i = 0; i < p->report_count; i++) {
		switch (p->reports[i].kind) {
		case TF_REPORT_RACE:
		case TF_REPORT_RACE_VPTR:
		case TF_REPORT_RACE_EXTERNAL:
		case TF_REPORT_USE_AFTER_FREE:
		case TF_REPORT_USE_AFTER_FREE_VPTR:
			races++;
			break;
		default:
			break;
		}
	}
	return races;
}

void info_put_reports(FILE *out, const struct trace_process *p)
{
	size_t races = count_races(p), others = p->report_count - races;

	if (!p->report_count) {
		return;
	}
	fprintf(out, "  %-11s %zu report%s by ThreadSanitizer: %zu race%s", "sanitizer",
		p->report_count, p->report_count == 1 ? "" : "s", races, races == 1 ? "" : "s");
	if (others) {
		fprintf(out, ", %zu of locks, threads and handlers, which thrum judges itself",
			others);
	}
	putc('\n', out);
}

json_t *info_json_reports(const struct trace_process *p)
{
	size_t races = count_races(p);

	return p->report_count ? json_pack("{s:I, s:I}", "reports", (json_int_t)p->report_count,
					   "races", (json_int_t)races)
			       : NULL;
}
