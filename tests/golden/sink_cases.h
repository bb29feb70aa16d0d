/* SPDX-License-Identifier: MIT */
/*
 * sink_cases.h - reports made by hand, one for each thing a sink must be able to say.
 */
#ifndef THRUM_TESTS_SINK_CASES_H
#define THRUM_TESTS_SINK_CASES_H

#include "analyzer/report/report.h"

struct sink_case {
	const char *name; /* also of its golden files */
	const char *what;
	void (*build)(struct finding_list *list);
	struct report_options options;
	bool killed; /* the recorded process is incomplete and lost events */
	bool two_processes;
	bool color, verbose, quiet;
};

/* NULL-terminated by name. */
extern const struct sink_case sink_cases[];

/*
 * Builds `c` into `ret_report`, through findings_finish and report_build. The list owns what the
 * report points to.
 */
struct finding_list *sink_case_build(const struct sink_case *c, struct report *ret_report);

#endif
