/* SPDX-License-Identifier: MIT */
/*
 * main.c - finds the verb, parses its options, and ends the process with what the verb returns.
 */
#include "../analyzer/report/rule_page.h"
#include "cli.h"
#include "options.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

typedef int (*verb_function)(const struct options *options);

/* A verb's function is named after its word. */
static const verb_function functions[VERB_COUNT] = {
	[VERB_INDEX_RUN] = verb_run,	     [VERB_INDEX_RECORD] = verb_record,
	[VERB_INDEX_CHECK] = verb_check,     [VERB_INDEX_DUMP] = verb_dump,
	[VERB_INDEX_INFO] = verb_info,	     [VERB_INDEX_PACK] = verb_pack,
	[VERB_INDEX_DOCTOR] = verb_doctor,   [VERB_INDEX_BASELINE] = verb_baseline,
	[VERB_INDEX_DIFF] = verb_diff,	     [VERB_INDEX_MERGE] = verb_merge,
	[VERB_INDEX_CONFIRM] = verb_confirm, [VERB_INDEX_EXPORT] = verb_export,
	[VERB_INDEX_VIEW] = verb_view,
};

void say(const char *format, ...)
{
	int saved = errno;
	va_list args;

	va_start(args, format);
	fputs("thrum: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	errno = saved;
}

enum status status_of_error(int error)
{
	switch (error) {
	case THRUM_EIO:
	case THRUM_EFORMAT:
	case THRUM_EVERSION:
		return STATUS_UNREADABLE;
	case THRUM_EINVAL:
		return STATUS_USAGE;
	default:
		return STATUS_INTERNAL;
	}
}

/* Results that could not be written must not look like success: `thrum check >/dev/full`. */
static int finish(int status)
{
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	if (errno == EPIPE)
		return status;
	say("cannot write to standard output: %s", strerror(errno));
	return STATUS_INTERNAL;
}

static int help(int argc, char **argv)
{
	int verb;

	if (argc < 1) {
		help_print_program(stdout);
		return STATUS_OK;
	}
	if (!strcmp(argv[0], "rules")) {
		help_print_rules(stdout);
		return STATUS_OK;
	}
	if (rule_find(argv[0]) >= 0) {
		fputs(rule_page((enum rule)rule_find(argv[0])), stdout);
		return STATUS_OK;
	}
	verb = verb_find(argv[0]);
	if (verb < 0) {
		say("there is no verb or rule '%s' in this version; `thrum help` lists the verbs",
		    argv[0]);
		return STATUS_USAGE;
	}
	help_print_verb((enum verb_index)verb, stdout);
	return STATUS_OK;
}

static int operands_check(const struct options *options, enum verb_index verb)
{
	switch (verb_operands(verb)) {
	case OPERANDS_COMMAND:
		if (options->operand_count)
			return STATUS_OK;
		say("%s needs a program to run: thrum %s -- CMD", verb_word(verb), verb_word(verb));
		return STATUS_USAGE;
	case OPERANDS_TRACE:
		if (options->operand_count <= 1)
			return STATUS_OK;
		say("%s takes one trace, not %d", verb_word(verb), options->operand_count);
		return STATUS_USAGE;
	case OPERANDS_TRACES:
		return STATUS_OK;
	}
	return STATUS_INTERNAL;
}

static int run_verb(enum verb_index verb, int argc, char **argv)
{
	struct options options;
	struct diag diag;
	int status;

	if (options_parse(verb, argc, argv, &options, &diag)) {
		say("%s", diag.message);
		return STATUS_USAGE;
	}
	if (options.help) {
		help_print_verb(verb, stdout);
		status = STATUS_OK;
	} else {
		status = operands_check(&options, verb);
		if (!status)
			status = functions[verb](&options);
	}
	options_release(&options);
	return status;
}

int main(int argc, char **argv)
{
	int verb;

	if (argc < 2) {
		help_print_program(stderr);
		return STATUS_USAGE;
	}
	if (!strcmp(argv[1], "--version")) {
		puts("thrum " THRUM_VERSION);
		return finish(STATUS_OK);
	}
	if (!strcmp(argv[1], "help") || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return finish(help(argc - 2, argv + 2));
	verb = verb_find(argv[1]);
	if (verb < 0) {
		say("there is no %s '%s' in this version; `thrum help` lists the verbs",
		    argv[1][0] == '-' ? "option" : "verb", argv[1]);
		return STATUS_USAGE;
	}
	return finish(run_verb((enum verb_index)verb, argc - 2, argv + 2));
}
