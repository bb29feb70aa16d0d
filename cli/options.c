/* SPDX-License-Identifier: MIT */
/*
 * options.c - one parser for the options of all verbs, driven by spec/options.def. It never prints.
 */
#include "options.h"

#include "word_distance.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VALUE_MAX_SECONDS 1e9 /* 31 years: far from the end of a 64-bit count of nanoseconds */

enum option_type {
	FLAG,
	TEXT,
	TEXTS,
	SIZE,
	SECONDS,
	NUMBER,
	STATUS,
	LEVEL,
	COLOR,
	MODE,
	FOLLOW,
	REDACT,
	RACES,
	FROM,
	TO,
	TIME,
	FORMAT,
	REPORT,
	RULES,
	FILTER,
	PATH,
	PATHS
};

struct option_row {
	const char *name;
	char letter;
	enum option_type type;
	int (*parse)(void *field, const char *value, struct diag *diag);
	size_t offset, given_offset;
	const char *fallback;
	unsigned verbs;
};

/* ---- one parse function each TYPE; `field` points to an option_<TYPE> ---- */

static int parse_FLAG(void *field, const char *value, struct diag *diag)
{
	(void)value;
	(void)diag;
	*(option_FLAG *)field = true;
	return 0;
}

static int parse_TEXT(void *field, const char *value, struct diag *diag)
{
	if (!*value)
		return diag_set(diag, THRUM_EINVAL, "a value is missing");
	*(option_TEXT *)field = value;
	return 0;
}

static int parse_TEXTS(void *field, const char *value, struct diag *diag)
{
	option_TEXTS *texts = field;
	const char **grown;

	if (!*value)
		return diag_set(diag, THRUM_EINVAL, "a value is missing");
	grown = reallocarray(texts->text, texts->count + 1, sizeof(*grown));
	if (!grown)
		return diag_set(diag, THRUM_ENOMEM, "out of memory");
	texts->text = grown;
	texts->text[texts->count++] = value;
	return 0;
}

static int parse_PATH(void *field, const char *value, struct diag *diag)
{
	return parse_TEXT(field, value, diag);
}

static int parse_PATHS(void *field, const char *value, struct diag *diag)
{
	return parse_TEXTS(field, value, diag);
}

static int parse_count(const char *value, uint64_t *ret_count, const char **ret_rest)
{
	char *end;

	if (*value < '0' || *value > '9')
		return THRUM_EINVAL;
	errno = 0;
	*ret_count = strtoull(value, &end, 10);
	*ret_rest = end;
	return errno ? THRUM_EINVAL : 0;
}

static int parse_SIZE(void *field, const char *value, struct diag *diag)
{
	static const char units[] = "kmgt";
	const char *rest, *unit;
	uint64_t count;
	unsigned shift = 0;

	if (parse_count(value, &count, &rest))
		goto bad;
	if (*rest) {
		unit = strchr(units, *rest | 0x20);
		if (!unit)
			goto bad;
		shift = 10 * (unsigned)(unit - units + 1);
		rest++;
		if (!strcmp(rest, "iB") || !strcmp(rest, "B"))
			rest = "";
	}
	if (*rest || (shift && count >> (64 - shift)))
		goto bad;
	*(option_SIZE *)field = count << shift;
	return 0;
bad:
	return diag_set(diag, THRUM_EINVAL,
			"'%s' is not a size; give bytes, or a number with k, M, G or T", value);
}

static int parse_SECONDS(void *field, const char *value, struct diag *diag)
{
	char *end;
	double seconds;

	if (!strchr("0123456789.", *value))
		goto bad;
	seconds = strtod(value, &end);
	if (end == value || (*end && strcmp(end, "s")) || !isfinite(seconds) || seconds <= 0 ||
	    seconds > VALUE_MAX_SECONDS)
		goto bad;
	*(option_SECONDS *)field = (uint64_t)(seconds * 1e9);
	return 0;
bad:
	return diag_set(diag, THRUM_EINVAL,
			"'%s' is not a time; give seconds above 0, such as 30 or 0.5", value);
}

static int parse_NUMBER(void *field, const char *value, struct diag *diag)
{
	const char *rest;
	uint64_t count;

	if (parse_count(value, &count, &rest) || *rest || count > UINT32_MAX)
		return diag_set(diag, THRUM_EINVAL, "'%s' is not a number from 0 to %u", value,
				UINT32_MAX);
	*(option_NUMBER *)field = count;
	return 0;
}

static int parse_STATUS(void *field, const char *value, struct diag *diag)
{
	const char *rest;
	uint64_t count;

	if (parse_count(value, &count, &rest) || *rest || count > 255)
		return diag_set(diag, THRUM_EINVAL, "'%s' is not an exit status; give 0 to 255",
				value);
	*(option_STATUS *)field = (int)count;
	return 0;
}

static int parse_LEVEL(void *field, const char *value, struct diag *diag)
{
	for (int level = LEVEL_NOTE; level < FAIL_ON_NEVER; level++) {
		if (!strcmp(value, level_name((enum level)level))) {
			*(option_LEVEL *)field = level;
			return 0;
		}
	}
	if (strcmp(value, "never"))
		return diag_set(diag, THRUM_EINVAL,
				"'%s' is not a level; give error, warning, note or never", value);
	*(option_LEVEL *)field = FAIL_ON_NEVER;
	return 0;
}

/* Choices: the words of each TYPE, in the order of its enum, and how a message calls them. */
static const struct choice {
	const char *what;
	const char *words[8]; /* ended by NULL */
} choices[] = {
	[COLOR] = { "a colour mode", { "auto", "always", "never" } },
	[MODE] = { "a recording mode", { "full", "bounded" } },
	[FOLLOW] = { "a choice of processes", { "all", "none" } },
	[RACES] = { "a way to look for races", { "auto", "off", "deep", "record", "record-full" } },
	[FROM] = { "a form of trace", { "std" } },
	[TO] = { "a form that export writes",
		 {
#define EXPORT(NAME, word, line) word,
#include "../spec/exports.def"
		 } },
	[TIME] = { "a time that export adds up", { "wait", "hold", "stall" } },
	[REDACT] = { "something that can be redacted", { "none", "args" } },
};

static int parse_choice(enum option_type type, const char *value, unsigned *ret_index,
			struct diag *diag)
{
	const struct choice *choice = &choices[type];
	char known[64] = "";

	for (unsigned i = 0; choice->words[i]; i++) {
		size_t used = strlen(known);

		if (!strcmp(value, choice->words[i])) {
			*ret_index = i;
			return 0;
		}
		snprintf(known + used, sizeof(known) - used, "%s%s",
			 !i			? ""
			 : choice->words[i + 1] ? ", "
						: " or ",
			 choice->words[i]);
	}
	return diag_set(diag, THRUM_EINVAL, "'%s' is not %s; give %s", value, choice->what, known);
}

#define PARSE_CHOICE(TYPE, FIRST)                                                   \
	static int parse_##TYPE(void *field, const char *value, struct diag *diag)  \
	{                                                                           \
		unsigned index;                                                     \
		int error = parse_choice(TYPE, value, &index, diag);                \
                                                                                    \
		if (!error)                                                         \
			*(option_##TYPE *)field = (option_##TYPE)((FIRST) + index); \
		return error;                                                       \
	}
PARSE_CHOICE(COLOR, COLOR_AUTO)
PARSE_CHOICE(MODE, MODE_FULL)
PARSE_CHOICE(FOLLOW, FOLLOW_ALL)
PARSE_CHOICE(REDACT, REDACT_NONE)

/* Not given is none of the words. Of RACES it is not auto: then what THRUM_OPTIONS says counts. */
PARSE_CHOICE(RACES, RACES_AUTO)
PARSE_CHOICE(FROM, FROM_STD)
PARSE_CHOICE(TO, 0)
PARSE_CHOICE(TIME, EXPORT_TIME_WAIT)

static int parse_FORMAT(void *field, const char *value, struct diag *diag)
{
	const struct sink_ops *sink = sink_find(value);
	char known[256] = "";

	if (sink) {
		*(option_FORMAT *)field = sink;
		return 0;
	}
	for (const struct sink_ops *const *row = sink_table; *row; row++) {
		size_t used = strlen(known);

		snprintf(known + used, sizeof(known) - used, "%s%s", used ? ", " : "",
			 (*row)->format);
	}
	return diag_set(diag, THRUM_EINVAL, "'%s' is not a format of this version; there are %s",
			value, known);
}

static int parse_REPORT(void *field, const char *value, struct diag *diag)
{
	struct report_targets *targets = field;
	struct report_target *grown, target;
	const char *equals = strchr(value, '=');
	char format[32];
	int error;

	if (!equals || !equals[1] || (size_t)(equals - value) >= sizeof(format))
		return diag_set(diag, THRUM_EINVAL,
				"'%s' is not FORMAT=FILE; give for example json=findings.json",
				value);
	memcpy(format, value, (size_t)(equals - value));
	format[equals - value] = '\0';
	error = parse_FORMAT(&target.sink, format, diag);
	if (error)
		return error;
	target.file = equals + 1;
	grown = realloc(targets->target, (targets->count + 1) * sizeof(*grown));
	if (!grown)
		return diag_set(diag, THRUM_ENOMEM, "out of memory");
	grown[targets->count++] = target;
	targets->target = grown;
	return 0;
}

static void rule_set_fill(struct rule_set *set, bool on)
{
	for (int i = 0; i < RULE_COUNT; i++)
		set->on[i] = on;
}

/* "a,b" switches on only these; "-c" first means all but c; "all" stands for every rule. */
static int parse_RULES(void *field, const char *value, struct diag *diag)
{
	struct rule_set set;
	const char *word = value;

	rule_set_fill(&set, *value == '-');
	for (;;) {
		size_t bytes = strcspn(word, ",");
		bool on = *word != '-';
		const char *start = on ? word : word + 1;
		char id[64] = "";
		int rule;

		if (bytes - !on < sizeof(id))
			memcpy(id, start, bytes - !on);
		rule = rule_find(id);
		if (on && !strcmp(id, "all"))
			rule_set_fill(&set, true);
		else if (rule < 0)
			return diag_set(
				diag, THRUM_EINVAL,
				"'%.*s' is not a rule of this version; `thrum help rules` lists them",
				(int)bytes, word);
		else
			set.on[rule] = on;
		if (!word[bytes])
			break;
		word += bytes + 1;
	}
	*(option_RULES *)field = set;
	return 0;
}

static int parse_FILTER(void *field, const char *value, struct diag *diag)
{
	return dump_filter_add(field, value, diag);
}

/* ---- the table ---- */

static const struct option_row rows[] = {
#define OPTION(field, name, letter, type, arg, dflt, verbs, help)                  \
	{ name,                                                                    \
	  letter,                                                                  \
	  type,                                                                    \
	  parse_##type,                                                            \
	  offsetof(struct options, field),                                         \
	  offsetof(struct options, given) + offsetof(struct options_given, field), \
	  dflt,                                                                    \
	  verbs },
#include "../spec/options.def"
};
#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

/* A name may mean different things to different verbs: one row for each meaning. */
static const struct option_row *row_find(enum verb_index verb, const char *name, size_t bytes)
{
	for (size_t i = 0; i < ROW_COUNT; i++)
		if (rows[i].verbs & 1u << verb && strlen(rows[i].name) == bytes &&
		    !memcmp(rows[i].name, name, bytes))
			return &rows[i];
	return NULL;
}

static const struct option_row *row_find_letter(enum verb_index verb, char letter)
{
	for (size_t i = 0; i < ROW_COUNT; i++)
		if (rows[i].verbs & 1u << verb && letter && rows[i].letter == letter)
			return &rows[i];
	return NULL;
}

static int row_apply(const struct option_row *row, const char *value, struct options *options,
		     struct diag *diag)
{
	struct diag why;
	int error = row->parse((char *)options + row->offset, value, &why);

	if (error)
		return diag_set(diag, error, "--%s: %s", row->name, why.message);
	*((bool *)options + row->given_offset) = true;
	return 0;
}

static int defaults_apply(struct options *options, struct diag *diag)
{
	for (size_t i = 0; i < ROW_COUNT; i++) {
		int error = *rows[i].fallback ? row_apply(&rows[i], rows[i].fallback, options, diag)
					      : 0;

		if (error)
			return error;
	}
	memset(&options->given, 0, sizeof(options->given));
	return 0;
}

static int refuse(enum verb_index verb, const char *word, size_t bytes, struct diag *diag)
{
	const struct option_row *nearest = NULL;
	unsigned distance, best = 3;

	for (size_t i = 0; i < ROW_COUNT; i++) {
		if (!(rows[i].verbs & 1u << verb) || strncmp(word, "--", 2))
			continue;
		distance = word_distance(word + 2, bytes - 2, rows[i].name);
		if (distance < best) {
			best = distance;
			nearest = &rows[i];
		}
	}
	if (nearest)
		return diag_set(diag, THRUM_EINVAL, "%s has no option %.*s; did you mean --%s?",
				verb_word(verb), (int)bytes, word, nearest->name);
	return diag_set(
		diag, THRUM_EINVAL,
		"%s has no option %.*s in this version; `thrum %s --help` lists what there is",
		verb_word(verb), (int)bytes, word, verb_word(verb));
}

/* A cursor over the words after the verb. */
struct words {
	char **argv;
	int argc, next;
};

static int take_value(const struct option_row *row, struct words *words, const char **ret_value,
		      struct diag *diag)
{
	if (words->next >= words->argc)
		return diag_set(diag, THRUM_EINVAL, "--%s needs a value", row->name);
	*ret_value = words->argv[words->next++];
	return 0;
}

static int parse_long(enum verb_index verb, const char *word, struct words *words,
		      struct options *options, struct diag *diag)
{
	size_t bytes = strcspn(word + 2, "=");
	const struct option_row *row = row_find(verb, word + 2, bytes);
	const char *value = word[2 + bytes] ? word + 2 + bytes + 1 : NULL;
	int error;

	if (!row)
		return refuse(verb, word, 2 + bytes, diag);
	if (row->type == FLAG && value)
		return diag_set(diag, THRUM_EINVAL, "--%s takes no value", row->name);
	if (row->type != FLAG && !value) {
		error = take_value(row, words, &value, diag);
		if (error)
			return error;
	}
	return row_apply(row, value, options, diag);
}

static int parse_short(enum verb_index verb, const char *word, struct words *words,
		       struct options *options, struct diag *diag)
{
	for (const char *letter = word + 1; *letter; letter++) {
		const struct option_row *row = row_find_letter(verb, *letter);
		const char *value = letter[1] ? letter + 1 : NULL;
		char shown[3] = { '-', *letter, '\0' };
		int error;

		if (!row)
			return refuse(verb, shown, 2, diag);
		if (row->type == FLAG) {
			error = row_apply(row, NULL, options, diag);
			if (error)
				return error;
			continue;
		}
		if (!value) {
			error = take_value(row, words, &value, diag);
			if (error)
				return error;
		}
		return row_apply(row, value, options, diag);
	}
	return 0;
}

/* ---- the project file ---- */

/* The value with its path put below the folder of the file. Owned by the file. */
static const char *localise(struct project_file *file, const struct option_row *row,
			    const char *value)
{
	const char *equals = row->type == REPORT ? strchr(value, '=') : NULL;

	if (row->type == PATH || row->type == PATHS)
		return project_file_path(file, value, value);
	return equals ? project_file_path(file, value, equals + 1) : value;
}

/* The row of the name that `verb` takes; a name that means several things means the first in the file. */
static int find_project_row(enum verb_index verb, const char *name,
			    const struct option_row **ret_row)
{
	for (size_t i = 0; i < ROW_COUNT; i++) {
		if (strcmp(rows[i].name, name))
			continue;
		*ret_row = rows[i].verbs & 1u << verb ? &rows[i] : NULL;
		return 0;
	}
	return THRUM_EINVAL;
}

/* The name that was meant, of any verb; NULL = none is near. */
static const char *nearest_project_name(const char *name)
{
	const char *nearest = NULL;
	unsigned best = 3;

	for (size_t i = 0; i < ROW_COUNT; i++) {
		unsigned distance = word_distance(name, strlen(name), rows[i].name);

		if (distance < best) {
			best = distance;
			nearest = rows[i].name;
		}
	}
	return nearest;
}

static int refuse_project_line(const struct project_file *file, const struct project_line *line,
			       struct diag *diag)
{
	const char *nearest = nearest_project_name(line->name);

	/* config and help are options, but not of a project. */
	if (!nearest || !strcmp(nearest, line->name))
		return diag_set(diag, THRUM_EINVAL, "%s:%u: there is no option '%s' for a project",
				project_file_name(file), line->number, line->name);
	return diag_set(diag, THRUM_EINVAL,
			"%s:%u: there is no option '%s' for a project; did you mean %s?",
			project_file_name(file), line->number, line->name, nearest);
}

static int project_line_apply(enum verb_index verb, struct project_file *file,
			      const struct project_line *line, struct options *options,
			      struct diag *diag)
{
	const struct option_row *row = NULL;
	struct diag why = { "" };
	int error = find_project_row(verb, line->name, &row);

	if (error || !strcmp(line->name, "config") || !strcmp(line->name, "help"))
		return refuse_project_line(file, line, diag);
	if (!row)
		return 0; /* of another verb */
	if (row->type == FLAG && *line->value)
		error = diag_set(&why, THRUM_EINVAL, "--%s takes no value", row->name);
	else
		error = row_apply(row, localise(file, row, line->value), options, &why);
	return error ? diag_set(diag, error, "%s:%u: %s", project_file_name(file), line->number,
				why.message)
		     : 0;
}

static int project_apply(enum verb_index verb, struct options *options, struct diag *diag)
{
	const struct project_line *line;
	int error = 0;

	for (size_t i = 0; !error && (line = project_file_line(options->project, i)); i++)
		error = project_line_apply(verb, options->project, line, options, diag);
	return error;
}

/* ---- the command line ---- */

/* Operands are moved to the front of argv. */
static int parse_words(enum verb_index verb, int argc, char **argv, struct options *options,
		       struct diag *diag)
{
	struct words words = { .argv = argv, .argc = argc };
	int error = 0, kept = 0;

	while (!error && words.next < argc) {
		char *word = argv[words.next++];

		if (!strcmp(word, "--")) {
			break;
		} else if (!strncmp(word, "--", 2)) {
			error = parse_long(verb, word, &words, options, diag);
		} else if (word[0] == '-' && word[1]) {
			error = parse_short(verb, word, &words, options, diag);
		} else if (verb_operands(verb) == OPERANDS_COMMAND) {
			words.next--;
			break;
		} else {
			argv[kept++] = word;
		}
	}
	while (words.next < argc)
		argv[kept++] = argv[words.next++];
	if (!error)
		argv[kept] = NULL;
	options->operands = argv;
	options->operand_count = kept;
	return error;
}

/* What the words say of --config and --help, before anything else counts. */
static int parse_ahead(enum verb_index verb, int argc, char **argv, bool *ret_help,
		       const char **ret_config, struct diag *diag)
{
	struct options options = { 0 };
	char **copy = calloc((size_t)argc + 1, sizeof(*copy));
	int error;

	if (!copy)
		return diag_set(diag, THRUM_ENOMEM, "out of memory");
	memcpy(copy, argv, (size_t)argc * sizeof(*copy));
	error = parse_words(verb, argc, copy, &options, diag);
	*ret_help = options.help;
	*ret_config = options.config;
	options_release(&options);
	free(copy);
	return error;
}

/* ---- %p: the pid of this thrum, so that runs beside each other have files of their own ---- */

static int replace_pid(struct options *options, const char **field, struct diag *diag)
{
	const char *at = *field ? strstr(*field, "%p") : NULL;
	const char **grown;
	char *made;

	if (!at)
		return 0;
	grown = realloc(options->made.text, (options->made.count + 1) * sizeof(*grown));
	if (!grown)
		return diag_set(diag, THRUM_ENOMEM, "out of memory");
	options->made.text = grown;
	if (asprintf(&made, "%.*s%d%s", (int)(at - *field), *field, (int)getpid(), at + 2) < 0)
		return diag_set(diag, THRUM_ENOMEM, "out of memory");
	options->made.text[options->made.count++] = made;
	*field = made;
	return replace_pid(options, field, diag);
}

static int replace_pids(struct options *options, struct diag *diag)
{
	int error = replace_pid(options, &options->output, diag);

	for (size_t i = 0; !error && i < options->reports.count; i++)
		error = replace_pid(options, &options->reports.target[i].file, diag);
	return error;
}

int options_parse(enum verb_index verb, int argc, char **argv, struct options *ret_options,
		  struct diag *diag)
{
	struct options options = { .verb = (enum verb)(1 << verb) };
	const char *config = NULL;
	bool help = false;
	int error = parse_ahead(verb, argc, argv, &help, &config, diag);

	if (!error)
		error = defaults_apply(&options, diag);
	if (!error && !help)
		error = project_file_open(config, &options.project, diag);
	if (!error && options.project)
		error = project_apply(verb, &options, diag);
	if (!error)
		error = parse_words(verb, argc, argv, &options, diag);
	if (!error)
		error = replace_pids(&options, diag);
	if (error)
		options_release(&options);
	else
		*ret_options = options;
	return error;
}

void options_release(struct options *options)
{
	free(options->reports.target);
	free(options->suppressions.text);
	free(options->include.text);
	free(options->exclude.text);
	free(options->symbols.text);
	for (size_t i = 0; i < options->made.count; i++)
		free((char *)options->made.text[i]);
	free(options->made.text);
	dump_filter_free(options->filter);
	project_file_free(options->project);
	options->reports = (struct report_targets){ 0 };
	options->filter = NULL;
}
