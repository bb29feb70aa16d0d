/* SPDX-License-Identifier: MIT */
/*
 * verb_view.c - `thrum view`: a trace to look at, as a page in a file or from a server.
 */
#include "../viewer/server.h"
#include "analysis.h"
#include "before.h"
#include "cli.h"
#include "view_terminal.h"

#include <signal.h>

static volatile sig_atomic_t is_stopped;

struct serving {
	const struct options *options;
	struct server *server; /* owned; NULL = not begun */
	bool is_refused;       /* the server could not begin, or not go on */
};

static void stop(int number)
{
	(void)number;
	is_stopped = 1;
}

/* Once is a request, which is heard about every million events; twice is an order. */
static void hear_signals(void)
{
	const struct sigaction action = { .sa_handler = stop, .sa_flags = (int)SA_RESETHAND };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

static int begin(void *cookie, const struct trace_reader *reader, struct diag *diag)
{
	struct serving *serving = cookie;
	struct server_options server = { .port = (uint16_t)serving->options->port,
					 .is_stopped = &is_stopped,
					 .version = THRUM_VERSION };
	struct outline *outline;
	int error = outline_new(reader, &outline, diag);

	if (!error) {
		hear_signals();
		error = server_start(&server, outline, &serving->server, diag);
	}
	serving->is_refused = error;
	if (!error) {
		printf("%s\n", server_url(serving->server));
		fflush(stdout);
	}
	return error;
}

static bool tell(void *cookie, enum analysis_job job, uint64_t done, uint64_t total)
{
	static const enum reading_job jobs[ANALYSIS_JOBS] = {
		[ANALYSIS_FINDINGS] = READING_FINDINGS,
		[ANALYSIS_PAGE] = READING_TIMELINE,
	};
	struct serving *serving = cookie;

	reading_tell(server_get_reading(serving->server), jobs[job], done, total);
	return !is_stopped;
}

static int serve(void *cookie, struct page *page, const struct report *report)
{
	struct serving *serving = cookie;
	struct diag diag;

	if (!server_show(serving->server, page, report, &diag))
		return STATUS_OK;
	say("%s", diag.message);
	return STATUS_INTERNAL;
}

/* The first of two is what the other one is compared with. */
static int view_two(const struct options *options, struct analysis_input *input)
{
	struct before before = { 0 };
	struct diag diag;
	int error = before_load(options, input->traces, &before, &diag), status;

	if (!error)
		error = before_draw(options, &before, &diag);
	if (error) {
		say("%s", diag.message);
		status = (int)status_of_error(error);
	} else {
		input->before = &before;
		input->traces++;
		input->trace_count = 1;
		status = analysis_run(options, input);
	}
	before_release(&before);
	return status;
}

static int view_page(const struct options *options, const struct analysis_show *show)
{
	struct gate gate;
	struct analysis_input input = { .gate = &gate, .show = show };
	int status = analysis_open_files(options, &gate);

	input.traces = inputs_of_options(options, &input.trace_count);
	if (!status)
		status = input.trace_count == 2 ? view_two(options, &input)
						: analysis_run(options, &input);
	gate_release(&gate);
	return status;
}

static int view_served(const struct options *options)
{
	struct serving serving = { .options = options };
	const struct analysis_show show = {
		.opened = begin, .progress = tell, .show = serve, .cookie = &serving
	};
	int status = view_page(options, &show);

	server_free(serving.server);
	if (is_stopped)
		return STATUS_OK;
	return serving.is_refused ? STATUS_INTERNAL : status;
}

int verb_view(const struct options *options)
{
	struct options seen = *options;
	struct report_target target = { .sink = sink_find("html"), .file = options->html };

	if (options->operand_count > (options->tui || options->text ? 1 : 2)) {
		say("view takes one trace, or for the page the one before it too: thrum view BEFORE TRACE");
		return STATUS_USAGE;
	}
	if (options->tui || options->text)
		return view_terminal(options, options->tui);
	if (options->port > UINT16_MAX) {
		say("--port: there is no port %llu", (unsigned long long)options->port);
		return STATUS_USAGE;
	}
	if (options->operand_count == 2 && options->baseline) {
		say("view compares with one: --baseline, or the first of two: thrum view BEFORE TRACE");
		return STATUS_USAGE;
	}
	seen.verbose = seen.verbose ||
		       options->operand_count == 2; /* what both have is listed too */
	seen.format = NULL;			    /* the page is all */
	seen.fail_on = FAIL_ON_NEVER;
	if (!options->html)
		return view_served(&seen);
	seen.reports = (struct report_targets){ .target = &target, .count = 1 };
	return view_page(&seen, NULL);
}
