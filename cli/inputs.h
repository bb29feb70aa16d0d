/* SPDX-License-Identifier: MIT */
/*
 * inputs.h - what check, diff, merge and baseline work on: traces and reports, read and analysed into one list of
 * findings.
 */
#ifndef THRUM_CLI_INPUTS_H
#define THRUM_CLI_INPUTS_H

#include "../analyzer/analyze.h"
#include "../analyzer/report/report_read.h"
#include "options.h"
#include "run_json.h"
#include "trace_place.h"

/* One trace, or one report: then `reader` is NULL. */
struct input {
	const char *path; /* as given; borrowed */
	struct trace_place place;
	struct trace_reader *reader; /* owns */
	struct finding_list
		*findings; /* owns: symbolisation goes by one reader's process numbers */
	struct finding_list *last_waits; /* owns; NULL = the run was not ended by --timeout */
	struct run_facts run;
	const char **argv; /* of run.json, in the memory of `findings`; NULL = not known */
	size_t argc;
	struct read_report report;
};

struct input_process {
	struct report_process shown;
	size_t given; /* its number in the order of the inputs */
};

struct inputs {
	struct input *input; /* owns */
	size_t count;
	/* Owns the list; what is in it belongs to the inputs. Symbolised, with fingerprints, equals merged. */
	struct finding_list *findings;
	struct input_process *process; /* owns; in the order of the findings' numbers */
	size_t process_count;
	struct lockgraph *lockgraph;   /* owns; of all inputs that are one; NULL = none is */
	struct input *first_lockgraph; /* one of `input`: it has the findings */
	size_t unwanted;	       /* findings left out by --include and --exclude */
	uint64_t pruned[PRUNE_COUNT];
	bool timed_out; /* one of the runs was ended by --timeout */
};

/* Who follows an analysis: called about every million events, false = stop. Zeroed = nobody. */
struct inputs_follower {
	bool (*progress)(void *cookie, uint64_t done, uint64_t total);
	void *cookie;
};

/*
 * Opens all, then analyses all: a bad name shall not cost the analysis of the ones before it. `paths` is borrowed until
 * inputs_release, which must be called after a failure too.
 */
int inputs_load(const struct options *options, char **paths, size_t count, bool timed_out,
		struct inputs *ret_inputs, struct diag *diag);
/* The same in two steps. `follower` may be NULL. */
int inputs_open(const struct options *options, char **paths, size_t count, bool timed_out,
		struct inputs *ret_inputs, struct diag *diag);
int inputs_analyze(const struct options *options, const struct inputs_follower *follower,
		   struct inputs *inputs, struct diag *diag);
void inputs_release(struct inputs *inputs);

/* Processes of all inputs, in the order of their numbers in the findings. Memory comes from inputs->findings. */
void inputs_get_processes(const struct inputs *inputs, struct report_process **ret_process,
			  size_t *ret_count);

/*
 * The traces' paths, also those behind reports, and why runs could not be recorded (`why`, NULL = none, and what reports
 * say): sorted, each once. Memory comes from inputs->findings.
 */
void inputs_get_paths(const struct inputs *inputs, const char *const **ret_path, size_t *ret_count);
void inputs_get_untraced(const struct inputs *inputs, const char *why,
			 const char *const **ret_untraced, size_t *ret_count);

/* In inputs_unrecorded.c: programs that recorded processes started and that did not record themselves: sorted, each once. */
void inputs_get_unrecorded(const struct inputs *inputs, struct report_unrecorded **ret_unrecorded,
			   size_t *ret_count);

/* Makes an input that is no trace of ours a report with one process, which stands for what the file is of. */
struct read_process *input_stand_for_run(struct input *input, const char *name);

/* Folders of --symbols and of a pack, NULL-terminated; NULL = out of memory. The caller frees the array. */
const char **inputs_get_directories(const struct options *options, const struct trace_place *place);

/* Of --rules: a bit per enum rule that is off. */
uint64_t inputs_rules_off(const struct options *options);

/* The operands of a verb that takes traces; thrum.data where there are none. Borrowed. */
char **inputs_of_options(const struct options *options, size_t *ret_count);

#endif
