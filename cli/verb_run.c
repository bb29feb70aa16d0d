/* SPDX-License-Identifier: MIT */
/*
 * verb_run.c - `thrum run` and `thrum record`: make the trace (for confirm too: recording.h), and for run, analyse it at once.
 */
#include "../trace/trace_look.h"
#include "analysis.h"
#include "cli.h"
#include "hang.h"
#include "hang_watch.h"
#include "launch.h"
#include "recording.h"
#include "run_dir.h"
#include "run_json.h"
#include "sanitizer.h"
#include "target.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

static uint64_t real_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int internal(const struct diag *diag)
{
	say("%s", diag->message);
	return STATUS_INTERNAL;
}

/* Can the program run, and can the shim live in it? */
static int recording_examine(struct recording *r)
{
	const char *command = r->options->operands[0];
	struct hookable hookable;
	struct diag diag;
	int status;

	if (r->options->end_on_hang && !r->options->hang_after_ns) {
		say("--end-on-hang needs --hang-after=SECONDS, which says when it hangs");
		return STATUS_USAGE;
	}
	if (hookable_check(command, &hookable, &diag))
		return internal(&diag);
	if (hookable.minds_preloads) {
		const char *given = getenv("ASAN_OPTIONS"); /* comes last, so it wins */

		if (asprintf(&r->asan_options, "verify_asan_link_order=0:%s", given ? given : "") <
		    0) {
			r->asan_options = NULL;
			say("out of memory");
			return STATUS_INTERNAL;
		}
	}
	r->tsan = hookable.tsan;
	status = target_status(hookable.verdict);
	if (status == STATUS_UNTRACED) {
		snprintf(r->untraced, sizeof(r->untraced), "%s", hookable.why);
		return STATUS_OK;
	}
	if (status)
		say("%s", hookable.why);
	return status;
}

/* Puts the plan into the trace and tells the recorder. */
static int recording_steer(struct recording *r)
{
	char *settings = NULL;
	struct diag diag;

	if (run_dir_write(r->dir, TF_STEER, (const char *)r->steer, sizeof(*r->steer), &diag))
		return internal(&diag);
	if (r->settings && asprintf(&settings, "%s:steer=1", r->settings) < 0)
		settings = NULL;
	free(r->settings);
	r->settings = settings;
	return STATUS_OK;
}

/* Makes the trace directory and the environment of the program. */
static int recording_prepare(struct recording *r)
{
	struct diag diag;
	char *shim;
	int error;

	if (shim_find(&shim, &diag))
		return internal(&diag);
	r->preload = shim_preload(shim);
	error = r->options->races >= RACES_RECORD ? tsan_library_path(shim, &r->library_path, &diag)
						  : 0;
	free(shim);
	if (error)
		return internal(&diag);
	error = run_dir_create(r->options->output, &r->dir, &diag);
	if (error) {
		say("%s", diag.message);
		return error == THRUM_EINVAL ? STATUS_USAGE : STATUS_INTERNAL;
	}
	r->settings = shim_options(r->dir, r->options);
	if (r->steer && (error = recording_steer(r)))
		return error;
	/* Where somebody set them before, what the program starts may be built with it. */
	if (r->tsan != HOOKABLE_TSAN_NONE || getenv("TSAN_OPTIONS"))
		r->tsan_options = sanitizer_options(r->dir);
	if (r->preload && r->settings)
		return STATUS_OK;
	say("out of memory");
	return STATUS_INTERNAL;
}

static int recording_start(struct recording *r)
{
	struct launch_variable variables[6] = { { 0 } };
	unsigned count = 0;
	bool fixed_addresses = r->tsan != HOOKABLE_TSAN_NONE && sanitizer_minds_addresses(NULL);
	int exec_errno = 0;
	struct diag diag;

	r->facts.argv = r->options->operands;
	r->facts.redact_args = r->options->redact == REDACT_ARGS;
	r->facts.start_real_ns = real_now_ns();
	if (r->dir) {
		variables[count++] = (struct launch_variable){ "LD_PRELOAD", r->preload };
		variables[count++] = (struct launch_variable){ "THRUM_OPTIONS", r->settings };
		if (r->asan_options)
			variables[count++] =
				(struct launch_variable){ "ASAN_OPTIONS", r->asan_options };
		if (r->library_path)
			variables[count++] =
				(struct launch_variable){ "LD_LIBRARY_PATH", r->library_path };
		if (r->tsan_options)
			variables[count++] =
				(struct launch_variable){ "TSAN_OPTIONS", r->tsan_options };
	}
	if (launch_start(&r->launch, r->options->operands, variables, fixed_addresses, &exec_errno,
			 &diag)) {
		say("%s", diag.message);
		if (r->dir)
			run_dir_discard(r->dir);
		return !exec_errno	      ? STATUS_INTERNAL
		       : exec_errno == ENOENT ? STATUS_NOT_FOUND
					      : STATUS_CANNOT_EXECUTE;
	}
	r->facts.pid = r->launch.pid;
	return STATUS_OK;
}

static void recording_note(struct recording *r)
{
	struct diag diag;

	/* A trace without run.json is still a trace: the program's status goes before. */
	if (r->dir && run_json_write(r->dir, &r->facts, &diag))
		say("%s", diag.message);
}

enum end { END_OWN, END_TIMEOUT, END_HANG };

/* Waits for the end of the program, or for the moment when it is to be ended. */
static enum end recording_watch(struct recording *r, uint64_t deadline_ns)
{
	struct hang_watch *watch =
		r->dir && r->options->hang_after_ns ? hang_watch_new(r->dir, r->options) : NULL;
	enum end end = END_TIMEOUT;

	for (;;) {
		uint64_t look_ns = watch ? hang_watch_next_ns(watch) : 0;
		bool is_look = watch && (!deadline_ns || look_ns < deadline_ns);

		if (launch_wait(&r->launch, is_look ? look_ns : deadline_ns) == LAUNCH_ENDED) {
			end = END_OWN;
			break;
		}
		if (!is_look)
			break;
		if (hang_watch_look(watch) && r->options->end_on_hang) {
			end = END_HANG;
			break;
		}
	}
	hang_watch_free(watch);
	return end;
}

static void recording_wait(struct recording *r)
{
	uint64_t timeout_ns = r->options->timeout_ns;
	enum end end;
	struct diag diag;

	recording_note(r);
	end = recording_watch(r, timeout_ns ? launch_now_ns() + timeout_ns : 0);
	if (end != END_OWN) {
		r->facts.timed_out = true;
		if (hang_end(r->dir, r->settings, r->launch.pid, &diag))
			say("%s", diag.message);
		launch_wait(&r->launch, 0);
		if (end == END_TIMEOUT && !r->options->quiet)
			say("the program was still alive after %g s and was ended",
			    (double)timeout_ns / 1e9);
		if (end == END_HANG && !r->options->quiet)
			say("the program hung and was ended");
	}
	launch_release(&r->launch);
	r->facts.ended = true;
	r->facts.end_real_ns = real_now_ns();
	r->facts.wait_status = r->launch.wait_status;
	recording_note(r);
}

/* Did anything record itself? */
static void recording_inspect(struct recording *r)
{
	struct diag diag;
	pid_t *pids = NULL;
	ssize_t count = run_dir_pids(r->dir, &pids, &diag);

	free(pids);
	if (count <= 0)
		snprintf(
			r->untraced, sizeof(r->untraced),
			"%s was not recorded: the recorder never started in it; `thrum doctor -- %s` may say why",
			r->options->operands[0], r->options->operands[0]);
	else if (!trace_look_has_room(r->dir))
		snprintf(
			r->untraced, sizeof(r->untraced),
			"%s was not recorded: there was no room for its trace in %s; give another -o DIR",
			r->options->operands[0], r->dir);
}

void recording_release(struct recording *r)
{
	free(r->dir);
	free(r->preload);
	free(r->library_path);
	free(r->settings);
	free(r->asan_options);
	free(r->tsan_options);
}

/* What a run time of a sanitizer left in its logs. */
static void recording_collect(struct recording *r)
{
	char line[400];

	if (!sanitizer_collect_logs(r->dir) && r->tsan == HOOKABLE_TSAN_LINKED_IN)
		say("TSAN_OPTIONS sends ThreadSanitizer's reports to the terminal (log_path): thrum cannot read those of "
		    "a run time that is linked into the program, and they are not among its findings");
	if (!sanitizer_find_fatal(r->dir, line, sizeof(line)))
		return;
	say("ThreadSanitizer ended the program, its log (" TF_TSAN_LOG
	    ".PID in the trace) has the stack: %s",
	    line);
	/* A fault inside its own handling of a fault ends with its status at once, which we set to 0. */
	if (WIFEXITED(r->facts.wait_status) && !WEXITSTATUS(r->facts.wait_status)) {
		r->facts.wait_status = W_EXITCODE(SANITIZER_STATUS, 0);
		recording_note(r);
	}
}

int recording_make(struct recording *r)
{
	bool must_trace = r->options->fail_on != FAIL_ON_NEVER;
	int status = recording_examine(r);

	if (status)
		return status;
	if (*r->untraced && must_trace)
		return STATUS_UNTRACED;
	if (!*r->untraced)
		status = recording_prepare(r);
	if (!status)
		status = recording_start(r);
	if (status)
		return status;
	recording_wait(r);
	if (r->dir)
		recording_inspect(r);
	if (r->dir && r->tsan_options)
		recording_collect(r);
	return *r->untraced && must_trace ? STATUS_UNTRACED : STATUS_OK;
}

int verb_run(const struct options *options)
{
	struct recording r = { .options = options };
	struct gate gate;
	struct analysis_input input = {
		.text_out = stderr, .trace_count = 1, .traces = &r.dir, .gate = &gate
	};
	int status = analysis_open_files(options, &gate);

	if (!status)
		status = recording_make(&r);
	if (*r.untraced) {
		if (options->given.format ||
		    options->quiet) /* else the report says it on the same stream */
			say("%s", r.untraced);
		input.untraced_why = r.untraced;
		input.trace_count = 0;
	}
	if (!status || status == STATUS_UNTRACED) {
		input.has_program_status = r.facts.ended;
		input.program_status = run_shell_status(r.facts.wait_status);
		input.timed_out = r.facts.timed_out;
		status = analysis_run(options, &input);
	}
	gate_release(&gate);
	recording_release(&r);
	return status;
}

int verb_record(const struct options *options)
{
	struct recording r = { .options = options };
	int status = recording_make(&r);

	if (*r.untraced)
		say("%s", r.untraced);
	if (!status) {
		status = r.facts.timed_out ? STATUS_TIMEOUT : run_shell_status(r.facts.wait_status);
		if (!options->quiet)
			say("recorded into %s; `thrum check %s` analyses it", options->output,
			    options->output);
	}
	recording_release(&r);
	return status;
}
