/* SPDX-License-Identifier: MIT */
/*
 * cli.h - what the verbs of the thrum program share: exit statuses and how thrum talks.
 *
 * Results go to standard output, talk to standard error. Only files of cli/ print, end the process, or read the
 * environment.
 */
#ifndef THRUM_CLI_CLI_H
#define THRUM_CLI_CLI_H

#include "../trace/trace_diag.h"

/* Exit statuses that are thrum's own; the contract fixes them. */
enum status {
	STATUS_OK = 0,
	STATUS_USAGE = 64,
	STATUS_UNREADABLE = 65, /* trace damaged beyond recovery, not a trace, future version */
	STATUS_FINDINGS = 66,	/* default of --error-exitcode */
	STATUS_UNTRACED = 69,	/* the program cannot be traced */
	STATUS_INTERNAL = 70,
	STATUS_TIMEOUT = 124,
	STATUS_CANNOT_EXECUTE = 126,
	STATUS_NOT_FOUND = 127,
	STATUS_SIGNAL = 128, /* + number of the signal */
};

struct options;

/* One line on standard error, after "thrum: ". Never fails; errno is kept. */
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);

/* The exit status that belongs to an error of a function that reads a trace. */
enum status status_of_error(int error);

/* The verbs. `options->operands` holds what follows the options. Return the exit status. */
int verb_run(const struct options *options);
int verb_record(const struct options *options);
int verb_check(const struct options *options);
int verb_dump(const struct options *options);
int verb_info(const struct options *options);
int verb_pack(const struct options *options);
int verb_doctor(const struct options *options);
int verb_baseline(const struct options *options);
int verb_diff(const struct options *options);
int verb_merge(const struct options *options);
int verb_confirm(const struct options *options);
int verb_export(const struct options *options);
int verb_view(const struct options *options);

#endif
