/* SPDX-License-Identifier: MIT */
/*
 * hang_report.c - from a live trace to the findings that two looks at it confirm, as text on standard error.
 */
#include "hang_report.h"

#include "../analyzer/analyze.h"
#include "../analyzer/checker.h"
#include "../analyzer/fingerprint.h"
#include "../analyzer/report/report.h"
#include "../analyzer/symbolize.h"
#include "analysis.h"
#include "cli.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SETTLE_NS 200000000 /* between the last read of the trace and the second look */

static const enum rule hang_rules[] = { RULE_DEADLOCK, RULE_SELF_DEADLOCK, RULE_STUCK_WAIT,
					RULE_FORK_WITH_LOCK_HELD };

/* ---- what was said ---- */

static bool is_known(const struct hang_known *known, const char *hex)
{
	for (size_t i = 0; i < known->count; i++)
		if (!strcmp(known->fingerprints[i].hex, hex))
			return true;
	return false;
}

bool hang_known_add(struct hang_known *known, const struct hang_fingerprint *fingerprint)
{
	if (!memchr(fingerprint->hex, '\0', sizeof(fingerprint->hex)) ||
	    is_known(known, fingerprint->hex))
		return false;
	if (known->count == known->capacity) {
		size_t capacity = 2 * known->capacity + 8;
		void *grown =
			reallocarray(known->fingerprints, capacity, sizeof(*known->fingerprints));

		if (!grown)
			return false;
		known->fingerprints = grown;
		known->capacity = capacity;
	}
	known->fingerprints[known->count++] = *fingerprint;
	return true;
}

void hang_known_release(struct hang_known *known)
{
	free(known->fingerprints);
	*known = (struct hang_known){ 0 };
}

/* ---- what is beyond doubt ---- */

struct looks {
	struct trace_look before, after;
	const struct hang_stuck *stuck;
};

static bool is_stuck(const struct looks *looks, const struct trace_look_entry *now)
{
	for (size_t i = 0; i < looks->stuck->count; i++)
		if (trace_look_is_same(&looks->stuck->entries[i], now))
			return true;
	return false;
}

static bool task_exists(uint32_t pid, uint32_t tid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/task/%u", pid, tid);
	return !access(path, F_OK);
}

/* The wait that a thread was in at both looks, NULL where it moved. */
static const struct trace_wait *find_wait(const struct looks *looks,
					  const struct finding_thread *thread)
{
	const struct trace_look_entry *before =
		trace_look_find(&looks->before, thread->pid, thread->tid);
	const struct trace_look_entry *after =
		trace_look_find(&looks->after, thread->pid, thread->tid);

	if (!before || !after || !trace_look_is_same(before, after) || !is_stuck(looks, after) ||
	    !task_exists(thread->pid, thread->tid))
		return NULL;
	return &after->wait;
}

/* Certain threads must end it; whoever else runs makes no difference. */
static bool is_hard(uint32_t kind)
{
	return kind == TRACE_WAIT_LOCK || kind == TRACE_WAIT_JOIN || kind == TRACE_WAIT_ONCE;
}

static bool concerns(const struct finding *f, uint32_t pid)
{
	for (size_t i = 0; i < f->thread_count; i++)
		if (f->threads[i].pid == pid)
			return true;
	return false;
}

static bool spans_processes(const struct finding *f)
{
	for (size_t i = 1; i < f->thread_count; i++)
		if (f->threads[i].pid != f->threads[0].pid)
			return true;
	return false;
}

/* Nobody of the processes that the finding concerns made a step or came or went. */
static bool stands_still(const struct looks *looks, const struct finding *f)
{
	bool all = spans_processes(f);
	size_t k = 0;

	for (size_t i = 0; i < looks->before.count; i++) {
		const struct trace_look_entry *before = &looks->before.entries[i];

		if (!all && !concerns(f, before->pid))
			continue;
		while (k < looks->after.count && !all && !concerns(f, looks->after.entries[k].pid))
			k++;
		if (k == looks->after.count ||
		    !trace_look_is_same(before, &looks->after.entries[k++]))
			return false;
	}
	for (; k < looks->after.count; k++)
		if (all || concerns(f, looks->after.entries[k].pid))
			return false;
	return true;
}

static bool is_beyond_doubt(const struct looks *looks, const struct finding *f)
{
	bool hard = f->rule != RULE_STUCK_WAIT;
	size_t waits = 0;

	if (f->confidence != CONFIDENCE_OBSERVED)
		return false;
	for (size_t i = 0; i < f->stack_count; i++) {
		const struct finding_thread *thread = finding_find_thread(f, f->stacks[i].thread);
		const struct trace_wait *wait;

		if (f->stacks[i].role != ROLE_WAITS || !thread)
			continue;
		wait = find_wait(looks, thread);
		if (!wait)
			return false;
		hard = hard && is_hard(wait->kind);
		waits++;
	}
	return waits && (hard || stands_still(looks, f));
}

/* ---- analysis ---- */

/* Drops what is not certain, then what was said before; the list is left with what to report. */
static void keep_certain(struct finding_list *list, const struct looks *looks)
{
	size_t kept = 0;

	for (size_t i = 0; i < finding_list_count(list); i++) {
		struct finding *f = finding_list_get(list, i);

		if (is_beyond_doubt(looks, f))
			finding_list_set(list, kept++, f);
	}
	finding_list_truncate(list, kept);
}

static void keep_new(struct finding_list *list, const struct hang_known *known)
{
	size_t kept = 0;

	for (size_t i = 0; i < finding_list_count(list); i++) {
		struct finding *f = finding_list_get(list, i);

		if (!is_known(known, f->fingerprint))
			finding_list_set(list, kept++, f);
	}
	finding_list_truncate(list, kept);
}

static int analyze(struct trace_reader *reader, const struct options *options,
		   struct finding_list *list, struct diag *diag)
{
	struct analyze_options analyze = { .rules_off = ~UINT64_C(0) };
	struct analyze_stats stats;

	for (size_t i = 0; i < sizeof(hang_rules) / sizeof(hang_rules[0]); i++)
		if (options->rules.on[hang_rules[i]])
			analyze.rules_off &= ~(UINT64_C(1) << hang_rules[i]);
	return analyze_run(reader, &analyze, list, &stats, diag);
}

/* ---- the report ---- */

static void write_report(const char *dir, const struct options *options,
			 const struct trace_reader *reader, struct finding_list *list)
{
	struct report_options report_options = { .fail_on = options->fail_on };
	struct report report = {
		.version = THRUM_VERSION,
		.trace_path = dir,
		.incomplete_why = "the program still runs",
		.color = color_is_wanted(options->color, stderr),
		.quiet = options->quiet,
		.verbose = options->verbose,
	};

	report.processes = finding_list_alloc(list, (trace_reader_process_count(reader) + 1) *
							    sizeof(*report.processes));
	for (size_t i = 0; i < trace_reader_process_count(reader); i++)
		report.processes[report.process_count++].process =
			trace_reader_get_process(reader, i);
	report_build(&report, list, &report_options);
	if (options->verb == VERB_CONFIRM)
		return; /* that is what it waits for: the whole trace is reported when the program is over */
	say("no progress for %g s; %s", (double)options->hang_after_ns / 1e9,
	    options->end_on_hang ? "the program will be ended"
				 : "the program still runs and is not touched");
	sink_find("text")->write(&report, stderr, NULL);
	fflush(stderr);
}

void hang_report(const char *dir, const struct options *options, const struct hang_stuck *stuck,
		 const struct hang_known *known, int fd)
{
	const struct timespec settle = { .tv_nsec = SETTLE_NS };
	struct looks looks = { .stuck = stuck };
	struct symbolize_options symbolize = { 0 };
	const char **directories;
	struct finding_list *list = finding_list_new();
	struct trace_reader *reader;
	struct diag diag;

	/* Whatever fails here is tried again when the program is over, and said then. */
	if (trace_look_take(&looks.before, dir, &diag) || trace_reader_open(dir, &reader, &diag) ||
	    analyze(reader, options, list, &diag))
		return;
	nanosleep(&settle, NULL);
	if (trace_look_take(&looks.after, dir, &diag))
		return;
	keep_certain(list, &looks);
	symbolize.directories = directories =
		calloc(options->symbols.count + 1, sizeof(*directories));
	for (size_t i = 0; directories && i < options->symbols.count; i++)
		directories[i] = options->symbols.text[i];
	symbolize_findings(list, reader, &symbolize);
	free(directories);
	finding_expand_names(list);
	findings_finish(list);
	keep_new(list, known);
	if (!finding_list_count(list))
		return;
	write_report(dir, options, reader, list);
	for (size_t i = 0; i < finding_list_count(list); i++) {
		struct hang_fingerprint fingerprint = { "" };

		snprintf(fingerprint.hex, sizeof(fingerprint.hex), "%s",
			 finding_list_get(list, i)->fingerprint);
		if (write(fd, &fingerprint, sizeof(fingerprint)) < 0)
			return;
	}
}
