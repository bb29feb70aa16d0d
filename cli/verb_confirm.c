/* SPDX-License-Identifier: MIT */
/*
 * verb_confirm.c - `thrum confirm`: runs the program again, steered, until a potential deadlock has happened or the tries are spent.
 */
#include "analysis.h"
#include "cli.h"
#include "confirm_plan.h"
#include "recording.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HANG_AFTER_NS 1000000000u
#define HOLD_MS \
	250u /* of the first try; then twice, four and eight times as long, and these again */
#define HOLDS 3u
#define FINGERPRINT_LEAST 4u /* characters */

struct confirm {
	struct options options;	 /* as given, for what is reported: a copy that owns nothing */
	struct options run;	 /* of one try: the same */
	const char *fingerprint; /* borrowed from `inputs` */
	struct steer_plan plan;	 /* as made: nothing reached yet */
	uint32_t reached[STEER_EDGES], let_go[STEER_EDGES], passed[STEER_EDGES], most, met;
	bool is_renumbered; /* the program numbers its locks otherwise than it did */
	unsigned hung;	    /* tries that ended in another hang */
	struct gate gate;
};

/* ---- the finding ---- */

static const struct finding *find_finding(const struct finding_list *list, const char *wanted,
					  unsigned *ret_count)
{
	const struct finding *found = NULL;

	*ret_count = 0;
	for (size_t i = 0; i < finding_list_count(list); i++) {
		const struct finding *f = finding_list_get(list, i);

		if (f->fingerprint && !strncmp(f->fingerprint, wanted, strlen(wanted))) {
			found = f;
			++*ret_count;
		}
	}
	return found;
}

static int choose(struct confirm *c, const struct inputs *inputs)
{
	const char *wanted = c->options.operands[0];
	const struct finding *f;
	struct diag diag;
	unsigned count;

	f = find_finding(inputs->findings, wanted, &count);
	if (strlen(wanted) < FINGERPRINT_LEAST || !count) {
		say("%s has no finding %s; `thrum check %s` lists their fingerprints",
		    c->options.confirm_input, wanted, c->options.confirm_input);
		return STATUS_USAGE;
	}
	if (count > 1) {
		say("%u findings of %s begin with %s: give more of the fingerprint", count,
		    c->options.confirm_input, wanted);
		return STATUS_USAGE;
	}
	c->fingerprint = f->fingerprint;
	if (!confirm_plan_make(f, &c->plan, &diag))
		return STATUS_OK;
	say("%s", diag.message);
	return STATUS_USAGE;
}

/* ---- one try ---- */

/* What the recorder noted in the plan. */
static void take_counts(struct confirm *c, const char *dir)
{
	uint32_t before = 0, after = 0;
	struct steer_plan plan;
	char *path;
	int fd = -1;

	if (asprintf(&path, "%s/" TF_STEER, dir) >= 0) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		free(path);
	}
	if (fd < 0)
		return;
	if (read(fd, &plan, sizeof(plan)) == (ssize_t)sizeof(plan)) {
		for (uint32_t i = 0; i < c->plan.edges; i++) {
			before += c->reached[i];
			after += plan.edge[i].reached;
			c->reached[i] += plan.edge[i].reached;
			c->let_go[i] += plan.edge[i].let_go;
			c->passed[i] += plan.edge[i].passed;
		}
		c->most = plan.most > c->most ? plan.most : c->most;
		c->met += plan.met;
		c->is_renumbered |= plan.exact && before && !after;
	}
	close(fd);
}

static int look_for(struct confirm *c, char *dir, bool *ret_happened)
{
	struct inputs inputs;
	struct diag diag;
	int error = inputs_load(&c->run, &dir, 1, false, &inputs, &diag);

	*ret_happened = false;
	for (size_t i = 0; !error && i < finding_list_count(inputs.findings); i++)
		*ret_happened |=
			confirm_plan_happened(&c->plan, finding_list_get(inputs.findings, i));
	inputs_release(&inputs);
	if (error)
		say("%s", diag.message);
	return error ? (int)status_of_error(error) : STATUS_OK;
}

/* The program's deadlocks that are the finding's have been asked for by its name. */
static void mark(void *cookie, struct finding_list *findings)
{
	const struct confirm *c = cookie;

	for (size_t i = 0; i < finding_list_count(findings); i++) {
		struct finding *f = finding_list_get(findings, i);

		if (!confirm_plan_happened(&c->plan, f))
			continue;
		f->confirmed = true;
		f->message = finding_list_printf(
			findings, "%s This is what lock-order-inversion %s said can happen.",
			f->message, c->fingerprint);
	}
}

static int report(struct confirm *c, const struct recording *r)
{
	char *dir = r->dir;
	struct analysis_input input = {
		.text_out = stderr,
		.trace_count = 1,
		.traces = &dir,
		.gate = &c->gate,
		.mark = mark,
		.cookie = c,
		.has_program_status = true,
		.program_status = run_shell_status(r->facts.wait_status),
		.timed_out = r->facts.timed_out,
	};
	int status = analysis_run(&c->options, &input);

	return status == STATUS_UNREADABLE || status == STATUS_INTERNAL ? status : STATUS_OK;
}

/* Where nothing happened the last try is reported too, to whom asked for a report. */
static bool is_asked_for(const struct confirm *c)
{
	return c->options.given.format || c->options.reports.count;
}

static int try_once(struct confirm *c, unsigned number, bool is_last, bool *ret_happened)
{
	struct steer_plan plan = c->plan;
	struct recording r = { .options = &c->run, .steer = &plan };
	int status;

	*ret_happened = false;
	plan.hold_ms = number ? 2 * HOLD_MS << (number - 1) % HOLDS : HOLD_MS;
	plan.exact = number % 2 && !c->is_renumbered;
	plan.late = number % 2 ? number / 2 % plan.edges + 1 : 0;
	/* Who comes late is chosen each in turn before chance helps. */
	plan.seed = plan.exact && number / 2 < plan.edges ? 0 : number;
	status = recording_make(&r);
	if (*r.untraced)
		say("%s", r.untraced);
	if (!status && *r.untraced)
		status = STATUS_UNTRACED;
	if (!status) {
		take_counts(c, r.dir);
		status = look_for(c, r.dir, ret_happened);
		c->hung += r.facts.timed_out && !*ret_happened;
	}
	if (!status && (*ret_happened || (is_last && is_asked_for(c))))
		status = report(c, &r);
	recording_release(&r);
	return status;
}

/* ---- how it went ---- */

static void say_reached(const struct confirm *c, unsigned tries)
{
	say("%s was not reached in %u tries", c->fingerprint, tries);
	for (uint32_t i = 0; i < c->plan.edges; i++)
		say("  place %u of %u: %u threads came with the outer lock, %u of them waited in vain for the others, %u came without it",
		    i + 1, c->plan.edges, c->reached[i], c->let_go[i], c->passed[i]);
	say("  at most %u of %u places were taken at the same time", c->most, c->plan.edges);
	if (c->met)
		say("  all were taken %u times, and it did not come to a deadlock: another lock or a timeout is in between",
		    c->met);
	if (c->hung)
		say("  %u tries ended in another hang or by --timeout: `thrum check %s` tells of the last one",
		    c->hung, c->options.confirm_dir);
}

static int run_tries(struct confirm *c)
{
	unsigned tries = c->options.tries ? (unsigned)c->options.tries : 1;
	bool happened = false;
	int status;

	for (unsigned i = 0; i < tries; i++) {
		status = try_once(c, i, i + 1 == tries, &happened);
		if (status)
			return status;
		if (happened) {
			say("%s is confirmed: it happened in try %u", c->fingerprint, i + 1);
			return c->options.error_exitcode;
		}
	}
	say_reached(c, tries);
	return STATUS_OK;
}

/* What takes long here may take long because we held it back. */
static void leave_out_times(struct options *options)
{
	static const enum rule about_time[] = { RULE_HOLD_TIME, RULE_LOCK_CONTENTION,
						RULE_LOOP_STALL };

	for (size_t i = 0; i < sizeof(about_time) / sizeof(about_time[0]); i++)
		options->rules.on[about_time[i]] = false;
}

/* The words after the fingerprint are the program; what concerns reports is not for the single try. */
static int prepare(struct confirm *c)
{
	int skip = 1;

	leave_out_times(&c->options);
	c->run = c->options;
	if (c->run.operand_count > 1 && !strcmp(c->run.operands[1], "--"))
		skip = 2;
	if (c->run.operand_count <= skip) {
		say("confirm needs a finding and a program: thrum confirm FINGERPRINT -- CMD");
		return STATUS_USAGE;
	}
	if (!strcmp(c->run.confirm_dir, c->run.confirm_input)) {
		say("the tries cannot be recorded where the finding is: give another -o DIR");
		return STATUS_USAGE;
	}
	c->run.operands += skip;
	c->run.operand_count -= skip;
	c->run.output = c->options.confirm_dir;
	c->run.races = RACES_OFF;
	c->run.end_on_hang = true;
	c->run.quiet = true;
	if (!c->run.hang_after_ns)
		c->run.hang_after_ns = HANG_AFTER_NS;
	return STATUS_OK;
}

int verb_confirm(const struct options *options)
{
	struct confirm c = { .options = *options };
	char *path = (char *)options->confirm_input;
	struct inputs inputs = { 0 };
	struct diag diag;
	int error, status = prepare(&c);

	if (!status)
		status = analysis_open_files(options, &c.gate);
	if (!status) {
		error = inputs_load(options, &path, 1, false, &inputs, &diag);
		if (error) {
			say("%s", diag.message);
			status = status_of_error(error);
		}
	}
	if (!status)
		status = choose(&c, &inputs);
	if (!status)
		status = run_tries(&c);
	inputs_release(&inputs);
	gate_release(&c.gate);
	return status;
}
