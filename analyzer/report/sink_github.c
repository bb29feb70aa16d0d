/* SPDX-License-Identifier: MIT */
/*
 * sink_github.c - GitHub Actions workflow commands: "::error file=…,line=…,title=…::message".
 *
 * GitHub shows about ten errors and ten warnings of a step: the worst of each level are written, as
 * the report sorts them, and a notice says how many more there are.
 */
#include "escape.h"
#include "sinks.h"
#include "site.h"
#include "words.h"

#include <stdlib.h>
#include <string.h>

#define SHOWN_OF_A_LEVEL 10u

static const char *const commands[] = {
	[LEVEL_NOTE] = "notice",
	[LEVEL_WARNING] = "warning",
	[LEVEL_ERROR] = "error",
};

/* `property`: of a key=value list, where ':' and ',' end a value. */
static void put_escaped(FILE *out, const char *text, bool property)
{
	char *valid = escape_utf8(text);

	for (const char *p = valid ? valid : ""; *p; p++) {
		if (*p == '%' || *p == '\n' || *p == '\r' || (property && (*p == ':' || *p == ',')))
			fprintf(out, "%%%02X", (unsigned char)*p);
		else if ((unsigned char)*p >= ' ')
			fputc(*p, out);
	}
	free(valid);
}

static void put_finding(const struct report *report, const struct finding *f, FILE *out)
{
	const struct frame *site = site_find(f);
	const char *more = words_message(f);
	char title[WORDS_BYTES], line[WORDS_BYTES];
	bool first = true;

	fprintf(out, "::%s ", commands[f->level]);
	if (site) {
		fputs("file=", out);
		put_escaped(out, site_path(report->source_root, site->file, NULL), true);
		fprintf(out, ",line=%d,", site->line);
	}
	fputs("title=", out);
	put_escaped(out, rule_id(f->rule), true);
	fputs("::", out);
	put_escaped(out, words_title(f, title, sizeof(title)), false);
	for (size_t i = 0; i < f->stack_count; i++) {
		if (!words_wait(f, &f->stacks[i], line, sizeof(line)))
			continue;
		put_escaped(out, first ? "\n\n" : "\n", false);
		first = false;
		put_escaped(out, line, false);
	}
	if (more) {
		put_escaped(out, "\n\n", false);
		put_escaped(out, more, false);
	}
	put_escaped(out, "\n\nTo suppress it: ", false);
	put_escaped(out, f->suppression ? f->suppression : rule_id(f->rule), false);
	fputc('\n', out);
}

static int write_github(const struct report *report, FILE *out, struct diag *diag)
{
	char stale[WORDS_BYTES];
	unsigned shown[sizeof(commands) / sizeof(commands[0])] = { 0 }, left = 0;
	char amount[64];

	for (size_t i = 0; i < report->listed_count; i++) {
		const struct finding *f = report->findings[i];

		if (shown[f->level]++ < SHOWN_OF_A_LEVEL)
			put_finding(report, f, out);
		else
			left++;
	}
	if (left)
		fprintf(out, "::notice title=thrum::%s more; see the full report\n",
			words_count(left, "finding", NULL, amount, sizeof(amount)));
	if (*words_stale(report, stale, sizeof(stale))) {
		fputs("::error title=thrum::", out);
		put_escaped(out, stale, false);
		fputc('\n', out);
	}
	if (!report->complete && report->incomplete_why) {
		fputs("::notice title=thrum::the trace is incomplete: ", out);
		put_escaped(out, report->incomplete_why, false);
		fputc('\n', out);
	}
	return sink_finish(&sink_github, out, diag);
}

const struct sink_ops sink_github = {
	.format = "github",
	.help = "annotations of a GitHub Actions step",
	.write = write_github,
};
