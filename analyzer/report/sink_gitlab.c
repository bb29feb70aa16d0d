/* SPDX-License-Identifier: MIT */
/*
 * sink_gitlab.c - GitLab's code quality report: a JSON array, one object a finding.
 *
 * GitLab drops entries whose fingerprints repeat and entries without a path below the repository's
 * root: a finding without a source line is pinned to its module's name.
 */
#include "../frame_class.h"
#include "json_put.h"
#include "rule_page.h"
#include "sinks.h"
#include "site.h"
#include "words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *severity(const struct finding *f)
{
	if (f->gated)
		return f->confidence == CONFIDENCE_POTENTIAL ? "critical" : "blocker";
	return f->level == LEVEL_ERROR ? "major" : f->level == LEVEL_WARNING ? "minor" : "info";
}

static const char *module_of(const struct finding *f)
{
	for (size_t i = 0; i < f->stack_count; i++)
		for (size_t k = 0; k < f->stacks[i].frames.count; k++)
			if (f->stacks[i].frames.frame[k].module)
				return frame_module_name(&f->stacks[i].frames.frame[k]);
	return "unknown";
}

/* Code Climate's "content", which GitLab keeps: markdown. */
static void put_content(const struct report *report, json_t *value, const struct finding *f)
{
	json_t *content = json_object();
	char *body = NULL;
	size_t bytes;
	char uri[1024];
	FILE *out = open_memstream(&body, &bytes);

	if (!out)
		abort(); /* hosted code */
	fprintf(out, "%s\n\nTo suppress it: `%s`\n\n", f->message ? f->message : "",
		f->suppression ? f->suppression : rule_id(f->rule));
	/* A file of the machine that built it is nothing to whoever reads the merge request. */
	if (strncmp(rule_page_uri(report, f->rule, uri, sizeof(uri)), "file:", 5))
		fputs(uri, out);
	else
		fprintf(out, "What it means and how to mend it: `thrum help %s`", rule_id(f->rule));
	fclose(out);
	json_put_text(content, "body", body);
	json_put(value, "content", content);
	free(body);
}

static json_t *entry(const struct report *report, const struct finding *f)
{
	json_t *value = json_object(), *location = json_object(), *lines = json_object();
	const struct frame *site = site_find(f);
	char title[WORDS_BYTES];

	json_put_text(value, "description", words_title(f, title, sizeof(title)));
	/* Not in the description, which a merge request shows in one line; the page of the rule tells the rest. */
	put_content(report, value, f);
	json_put_text(value, "check_name", rule_id(f->rule));
	json_put_text(value, "fingerprint", f->fingerprint);
	json_put_text(value, "severity", severity(f));
	json_put_text(location, "path",
		      site ? site_path(report->source_root, site->file, NULL) : module_of(f));
	json_put(lines, "begin", json_integer(site ? site->line : 1));
	json_put(location, "lines", lines);
	json_put(value, "location", location);
	return value;
}

static int write_gitlab(const struct report *report, FILE *out, struct diag *diag)
{
	json_t *value = json_array();
	int failed;

	for (size_t i = 0; i < report->listed_count; i++)
		json_array_append_new(value, entry(report, report->findings[i]));
	failed = json_dumpf(value, out, JSON_INDENT(1));
	json_decref(value);
	if (failed && !ferror(out))
		return diag_set(diag, THRUM_ENOMEM,
				"out of memory while writing the gitlab report");
	fputc('\n', out);
	return sink_finish(&sink_gitlab, out, diag);
}

const struct sink_ops sink_gitlab = {
	.format = "gitlab",
	.help = "GitLab code quality",
	.write = write_gitlab,
};
