/* SPDX-License-Identifier: MIT */
/*
 * run_union.c - drives the second look at a run: pick, unite, feed, translate.
 */
#include "run_union.h"

#include <string.h>

static void feed_event(void *cookie, const struct trace_event *event)
{
	analyze_image_event(cookie, event);
}

/* As often as a checker asks for it: twice at most. */
static int look(struct run_union *u, struct trace_reader *reader,
		const struct analyze_options *options, struct finding_list *findings,
		struct diag *diag)
{
	struct analyze_stats stats = { 0 }; /* every event was counted before */
	struct run_sink sink = { .event = feed_event };
	int error = 0;

	sink.cookie = analyze_image_begin_run(&u->process, &u->run, options, findings, &stats);
	while (sink.cookie) {
		if (!error)
			error = run_union_feed(u, reader, &sink, diag);
		sink.cookie = analyze_image_end(sink.cookie);
	}
	return error;
}

int run_union_analyze(struct trace_reader *reader, const struct analyze_options *options,
		      struct finding_list *findings, struct diag *diag)
{
	size_t first = finding_list_count(findings);
	struct run_union u;
	int error;

	run_union_pick(reader, &u.run);
	if (!u.run.count)
		return 0;
	run_union_tables(&u);
	error = look(&u, reader, options, findings, diag);
	run_union_translate(&u, findings, first);
	run_union_release(&u);
	return error;
}
