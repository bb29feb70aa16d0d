/* SPDX-License-Identifier: MIT */
/*
 * help.c - the verbs' names and the help texts, from the rows of spec/options.def. Prints only to the file it is given.
 */
#include "options.h"

#include <string.h>

#define HELP_COLUMN 30 /* where the explanation of an option starts */

struct verb_row {
	const char *word;
	enum operands operands;
	const char *usage, *line, *notes;
};

static const struct verb_row verbs[VERB_COUNT] = {
#define VERB(NAME, word, operands, usage, line, notes) \
	{ word, OPERANDS_##operands, usage, line, notes },
#include "../spec/options.def"
};

struct option_help {
	const char *name;
	char letter;
	const char *argument, *fallback;
	unsigned verbs;
	const char *help;
};

static const struct option_help options_help[] = {
#define OPTION(field, name, letter, type, arg, dflt, verb_bits, help) \
	{ name, letter, arg, dflt, verb_bits, help },
#include "../spec/options.def"
};

int verb_find(const char *word)
{
	for (int i = 0; i < VERB_COUNT; i++)
		if (!strcmp(verbs[i].word, word))
			return i;
	return -1;
}

const char *verb_word(enum verb_index verb)
{
	return verbs[verb].word;
}

enum operands verb_operands(enum verb_index verb)
{
	return verbs[verb].operands;
}

static void print_option(const struct option_help *row, FILE *out)
{
	const char letter[] = { '-', row->letter, ',', '\0' };
	int used = fprintf(out, "  %-4s--%s", row->letter ? letter : "", row->name);

	if (*row->argument)
		used += fprintf(out, "=%s", row->argument);
	if (used >= HELP_COLUMN - 1) {
		fputc('\n', out);
		used = 0;
	}
	fprintf(out, "%*s%s", HELP_COLUMN - used, "", row->help);
	if (*row->fallback)
		fprintf(out, " (default %s)", row->fallback);
	fputc('\n', out);
}

static void print_exports(FILE *out)
{
	fputs("\nForms:\n", out);
#define EXPORT(NAME, word, line) fprintf(out, "  %-*s%s\n", HELP_COLUMN - 2, word, line);
#include "../spec/exports.def"
}

static void print_formats(FILE *out)
{
	fputs("\nFormats:\n", out);
	for (const struct sink_ops *const *row = sink_table; *row; row++)
		fprintf(out, "  %-*s%s\n", HELP_COLUMN - 2, (*row)->format, (*row)->help);
}

void help_print_verb(enum verb_index verb, FILE *out)
{
	const struct verb_row *row = &verbs[verb];
	bool formats = false;

	fprintf(out, "Usage: thrum %s %s\n\nthrum %s: %s\n\nOptions:\n", row->word, row->usage,
		row->word, row->line);
	for (size_t i = 0; i < sizeof(options_help) / sizeof(options_help[0]); i++) {
		if (!(options_help[i].verbs & 1u << verb))
			continue;
		print_option(&options_help[i], out);
		formats = formats || !strcmp(options_help[i].name, "report");
	}
	if (formats)
		print_formats(out);
	if (verb == VERB_INDEX_EXPORT)
		print_exports(out);
	if (*row->notes)
		fprintf(out, "\n%s", row->notes);
}

void help_print_program(FILE *out)
{
	fputs("Usage: thrum VERB [OPTIONS] ...\n\n"
	      "thrum records a threaded program, without rebuilding it, and explains its deadlocks.\n\n"
	      "Verbs:\n",
	      out);
	for (int i = 0; i < VERB_COUNT; i++)
		fprintf(out, "  %-10s%s\n", verbs[i].word, verbs[i].line);
	fputs("\n"
	      "thrum VERB --help      the options of a verb\n"
	      "thrum help rules       the rules that findings carry\n"
	      "thrum help RULE        what a rule means, and how to mend what it finds\n"
	      "thrum --version        version\n",
	      out);
}

void help_print_rules(FILE *out)
{
	for (int i = 0; i < RULE_COUNT; i++)
		fprintf(out, "%-32s%-9s%s\n", rule_id((enum rule)i),
			level_name(rule_cap((enum rule)i)), rule_help((enum rule)i));
}
