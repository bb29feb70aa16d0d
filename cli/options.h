/* SPDX-License-Identifier: MIT */
/*
 * options.h - the command line as values, parsed by the rows of spec/options.def.
 *
 * Invariants
 *  - Defaults go through the same parse functions as what the user types.
 *  - `--name value`, `--name=value`, `-o value`, `-ovalue` and bundled flags (-qv) mean what GNU programs mean by them;
 *    `--` ends the options. Long names are never abbreviated: a script must not break when an option is added.
 *  - The project file (project_file.h) goes before the command line: what is given there again replaces the
 *    file's value, and is added where an option may be repeated.
 *  - Strings point into argv, the rows or the project file, which the options own.
 */
#ifndef THRUM_CLI_OPTIONS_H
#define THRUM_CLI_OPTIONS_H

#include "../analyzer/finding.h"
#include "../analyzer/report/sink.h"
#include "../trace/trace_diag.h"
#include "../viewer/dump.h"
#include "../viewer/export.h"
#include "project_file.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum verb_index {
#define VERB(NAME, word, operands, usage, line, notes) VERB_INDEX_##NAME,
#include "../spec/options.def"
	VERB_COUNT
};

/* One bit a verb: the VERBS column of the rows. */
enum verb {
#define VERB(NAME, word, operands, usage, line, notes) VERB_##NAME = 1 << VERB_INDEX_##NAME,
#include "../spec/options.def"
	VERB_ALL = (1 << VERB_COUNT) - 1
};

enum operands { OPERANDS_COMMAND, OPERANDS_TRACES, OPERANDS_TRACE };

enum color { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };
enum record_mode { MODE_FULL, MODE_BOUNDED };
enum follow { FOLLOW_ALL, FOLLOW_NONE };
enum races { RACES_NOT_GIVEN, RACES_AUTO, RACES_OFF, RACES_DEEP, RACES_RECORD, RACES_RECORD_FULL };
enum redact { REDACT_NONE, REDACT_ARGS };
enum from { FROM_RECORDED, FROM_STD };
enum export {
#define EXPORT(NAME, word, line) EXPORT_##NAME,
#include "../spec/exports.def"
	EXPORT_COUNT
};

#define FAIL_ON_NEVER ((int)LEVEL_ERROR + 1) /* no finding reaches this level */

struct report_target {
	const struct sink_ops *sink;
	const char *file;
};

struct report_targets {
	struct report_target *target; /* owns the array */
	size_t count;
};

struct option_texts {
	const char **text; /* owns the array */
	size_t count;
};

/* C type of each TYPE of the rows. */
typedef bool option_FLAG;
typedef const char *option_TEXT;
typedef struct option_texts option_TEXTS;
typedef const char *option_PATH;
typedef struct option_texts option_PATHS;
typedef uint64_t option_SIZE;
typedef uint64_t option_SECONDS; /* nanoseconds */
typedef uint64_t option_NUMBER;
typedef int option_STATUS;
typedef int option_LEVEL; /* enum level or FAIL_ON_NEVER */
typedef enum color option_COLOR;
typedef enum record_mode option_MODE;
typedef enum follow option_FOLLOW;
typedef enum redact option_REDACT;
typedef enum races option_RACES;
typedef enum from option_FROM;
typedef enum export option_TO;
typedef enum export_time option_TIME;
typedef const struct sink_ops *option_FORMAT;
typedef struct report_targets option_REPORT;
typedef struct dump_filter *option_FILTER; /* owned; NULL = none */
struct rule_set {
	bool on[RULE_COUNT];
};
typedef struct rule_set option_RULES;

/* Which options the user gave, there or in the project file, as opposed to defaults: options->given.<field>. */
struct options_given {
#define OPTION(field, name, letter, type, arg, dflt, verbs, help) bool field;
#include "../spec/options.def"
};

struct options {
#define OPTION(field, name, letter, type, arg, dflt, verbs, help) option_##type field;
#include "../spec/options.def"
	struct options_given given;
	struct project_file *project; /* owned; NULL = none */
	struct option_texts made;     /* owns the texts too: names with %p replaced */
	enum verb verb;
	char **operands; /* NULL-terminated, borrowed from argv */
	int operand_count;
};

/*
 * Parses argv[0..argc-1], the words after the verb, for `verb` into `ret_options`. May reorder argv. Operands are not
 * looked at. Fails with THRUM_EINVAL and a message that says what to type instead.
 */
int options_parse(enum verb_index verb, int argc, char **argv, struct options *ret_options,
		  struct diag *diag);
void options_release(struct options *options);

/* The verb of that word, or -1. */
int verb_find(const char *word);
const char *verb_word(enum verb_index verb);
enum operands verb_operands(enum verb_index verb);

/* Help texts, from the rows. */
void help_print_verb(enum verb_index verb, FILE *out);
void help_print_program(FILE *out);
void help_print_rules(FILE *out);

#endif
