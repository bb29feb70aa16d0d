/* SPDX-License-Identifier: MIT */
/*
 * gate.c - loads and applies suppressions and the baseline.
 */
#include "gate.h"

#include "cli.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define TOLD_OF_A_KIND 20u
#define TEXT_SHOWN 200

/* By the calendar of UTC: a build must not depend on where it runs. */
static void today(char ret_date[16])
{
	time_t now = time(NULL);
	struct tm parts;

	gmtime_r(&now, &parts);
	strftime(ret_date, 16, "%Y-%m-%d", &parts);
}

int gate_load(const struct options *options, struct gate *ret_gate, struct diag *diag)
{
	char date[16];
	int error = 0;

	*ret_gate = (struct gate){ .options = options, .suppressions = suppressions_new() };
	today(date);
	for (size_t i = 0; !error && i < options->suppressions.count; i++)
		error = suppressions_load(ret_gate->suppressions, options->suppressions.text[i],
					  date, diag);
	if (!error && options->baseline)
		error = baseline_load(options->baseline, &ret_gate->baseline, diag);
	if (!error) {
		suppressions_keep_rules(ret_gate->suppressions, options->rules.on);
		baseline_keep_rules(&ret_gate->baseline, options->rules.on);
	}
	return error;
}

void gate_release(struct gate *gate)
{
	suppressions_free(gate->suppressions);
	baseline_release(&gate->baseline);
}

void gate_apply(struct gate *gate, struct finding_list *findings)
{
	suppressions_apply(gate->suppressions, findings);
	if (gate->options->baseline)
		baseline_apply(&gate->baseline, findings);
}

static void tell_entries(const struct gate *gate, enum suppression_state state, const char *what)
{
	unsigned told = 0;

	for (size_t i = 0; i < suppressions_count(gate->suppressions); i++) {
		const struct suppression *s = suppressions_get(gate->suppressions, i);

		if (s->state != state)
			continue;
		if (told++ < TOLD_OF_A_KIND)
			say("%s:%u: %s: %.*s%s", s->file, s->line, what, TEXT_SHOWN, s->text,
			    strlen(s->text) > TEXT_SHOWN ? "..." : "");
	}
	if (told > TOLD_OF_A_KIND)
		say("%u more suppressions are in that state: %s", told - TOLD_OF_A_KIND, what);
}

#define KINDS_SHOWN 4

/* Of one file: how many entries it has, and which kinds are of no use here. */
struct file_count {
	size_t entries, foreign, kind_count;
	const char *kind[KINDS_SHOWN + 1];
};

static void count_kind(struct file_count *count, const char *kind)
{
	for (size_t i = 0; i < count->kind_count; i++)
		if (!strcmp(count->kind[i], kind))
			return;
	if (count->kind_count <= KINDS_SHOWN)
		count->kind[count->kind_count++] = kind;
}

static void tell_file(const struct file_count *count, const char *file)
{
	char kinds[256] = "";

	if (!count->foreign)
		return;
	for (size_t i = 0; i < count->kind_count && i < KINDS_SHOWN; i++) {
		size_t used = strlen(kinds);

		snprintf(kinds + used, sizeof(kinds) - used, "%s%s", i ? ", " : "", count->kind[i]);
	}
	say("%s: %zu of %zu entries are for other tools or kinds of error: %s%s", file,
	    count->foreign, count->entries, kinds, count->kind_count > KINDS_SHOWN ? ", ..." : "");
}

/* Entries of a file lie together, in the order of the files. */
static void tell_foreign(const struct gate *gate)
{
	size_t all = suppressions_count(gate->suppressions), i = 0;

	while (i < all) {
		const char *file = suppressions_get(gate->suppressions, i)->file;
		struct file_count count = { .entries = 0 };

		for (; i < all && suppressions_get(gate->suppressions, i)->file == file; i++) {
			const struct suppression *s = suppressions_get(gate->suppressions, i);

			count.entries++;
			if (s->state != SUPPRESSION_FOREIGN)
				continue;
			count.foreign++;
			count_kind(&count, s->kind ? s->kind : s->text);
		}
		tell_file(&count, file);
	}
}

static void tell_gone(const struct gate *gate)
{
	unsigned told = 0;

	for (size_t i = 0; i < gate->baseline.count; i++) {
		const struct baseline_entry *entry = &gate->baseline.entry[i];

		if (entry->matched)
			continue;
		if (told++ < TOLD_OF_A_KIND)
			say("gone since the baseline: %s (%s)",
			    entry->title ? entry->title : entry->fingerprint, entry->rule);
	}
	if (told)
		say("%u of %zu findings of %s are gone; `thrum baseline` writes a new one", told,
		    gate->baseline.count, gate->options->baseline);
}

unsigned gate_count_stale(const struct gate *gate)
{
	unsigned stale = 0;

	for (size_t i = 0; i < suppressions_count(gate->suppressions); i++) {
		enum suppression_state state = suppressions_get(gate->suppressions, i)->state;

		stale += state == SUPPRESSION_EXPIRED || state == SUPPRESSION_UNUSED;
	}
	return gate->options->strict_suppressions ? stale : 0;
}

void gate_tell(const struct gate *gate)
{
	tell_entries(gate, SUPPRESSION_EXPIRED, "this suppression has expired");
	tell_entries(gate, SUPPRESSION_UNUSED, "this suppression matches nothing any more");
	if (!gate->options->quiet) {
		tell_foreign(gate);
		tell_gone(gate);
	}
}
