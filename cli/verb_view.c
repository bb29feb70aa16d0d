/* SPDX-License-Identifier: MIT */
/*
 * verb_view.c - `thrum view`: a trace to look at, as a page in a file or from a server.
 */
#include "../viewer/server.h"
#include "analysis.h"
#include "cli.h"
#include "view_terminal.h"

#include <signal.h>

static volatile sig_atomic_t is_stopped;

static void stop(int number)
{
	(void)number;
	is_stopped = 1;
}

static void say_address(void *cookie, const char *url)
{
	(void)cookie;
	printf("%s\n", url);
	fflush(stdout);
}

static int serve(void *cookie, struct page *page, const struct report *report)
{
	const struct options *options = cookie;
	const struct sigaction action = { .sa_handler = stop };
	struct server_options server = { .port = (uint16_t)options->port,
					 .is_stopped = &is_stopped,
					 .ready = say_address };
	struct diag diag;
	int error;

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	error = server_run(page, report, &server, &diag);
	if (!error)
		return STATUS_OK;
	say("%s", diag.message);
	return STATUS_INTERNAL;
}

int verb_view(const struct options *options)
{
	struct options seen = *options;
	struct report_target target = { .sink = sink_find("html"), .file = options->html };
	struct gate gate;
	struct analysis_input input = { .gate = &gate };
	int status;

	if (options->tui || options->text)
		return view_terminal(options, options->tui);
	if (options->port > UINT16_MAX) {
		say("--port: there is no port %llu", (unsigned long long)options->port);
		return STATUS_USAGE;
	}
	if (options->html) {
		seen.reports = (struct report_targets){ .target = &target, .count = 1 };
	} else {
		input.show = serve;
		input.show_cookie = &seen;
	}
	seen.format = NULL; /* the page is all */
	seen.fail_on = FAIL_ON_NEVER;
	status = analysis_open_files(&seen, &gate);
	input.traces = inputs_of_options(&seen, &input.trace_count);
	if (!status)
		status = analysis_run(&seen, &input);
	gate_release(&gate);
	return status;
}
