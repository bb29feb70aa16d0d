/* SPDX-License-Identifier: MIT */
/*
 * fuzz_gate.c - suppressions files, baselines and reports on any bytes: an error or a result, never
 * a crash, and what was read can be applied, written and read again.
 *
 * Input: byte 0 says as what the rest is read.
 */
#include "fuzz_layout.h"

#include "analyzer/fingerprint.h"
#include "analyzer/gate/baseline.h"
#include "analyzer/gate/suppressions.h"
#include "analyzer/report/report.h"
#include "analyzer/report/report_read.h"

#include <stdlib.h>
#include <string.h>

static struct frames make_frames(struct finding_list *list)
{
	struct frame *frame = finding_list_alloc(list, 2 * sizeof(*frame));

	frame[0] = (struct frame){ .function = "transfer(int)",
				   .file = "/src/bank.c",
				   .line = 3,
				   .module = "/usr/lib/libbank.so.1" };
	frame[1] = (struct frame){ .function = "main", .module = "/opt/server" };
	return (struct frames){ .frame = frame, .count = 2 };
}

static struct finding_list *make_findings(void)
{
	struct finding_list *list = finding_list_new();

	for (unsigned rule = 0; rule < RULE_COUNT; rule++) {
		struct finding *f = finding_begin(list, (enum rule)rule, CONFIDENCE_OBSERVED, 0);

		finding_add_thread(list, f, 1)->start_function = "worker";
		finding_add_lock(list, f, 2)->name = "accounts+40";
		finding_add_stack(list, f, ROLE_WAITS, 1, 2, 0)->frames = make_frames(list);
		f->title = "a title";
		finding_commit(list, f);
	}
	findings_finish(list);
	return list;
}

static void read_suppressions(const char *text, size_t bytes)
{
	struct suppressions *s = suppressions_new();
	struct finding_list *list = make_findings();
	struct diag diag;
	size_t hits = 0;

	if (!suppressions_parse(s, "input", text, bytes, "2026-11-21", &diag))
		suppressions_apply(s, list);
	else if (suppressions_count(s))
		abort();
	for (size_t i = 0; i < suppressions_count(s); i++)
		hits += suppressions_get(s, i)->hits;
	for (size_t i = 0; i < finding_list_count(list); i++)
		if (finding_list_get(list, i)->suppressed_by && !hits)
			abort();
	suppressions_free(s);
	finding_list_free(list);
}

static void read_baseline(const char *text, size_t bytes)
{
	struct finding_list *list = make_findings();
	struct baseline b;
	struct diag diag;

	if (!baseline_parse("input", text, bytes, &b, &diag)) {
		baseline_apply(&b, list);
		baseline_release(&b);
	}
	finding_list_free(list);
}

static void write_all_formats(struct finding_list *list)
{
	struct report_options options = { .fail_on = LEVEL_ERROR };
	struct report report = { .version = "0", .source_root = "/src" };

	report_build(&report, list, &options);
	for (size_t i = 0; sink_table[i]; i++) {
		char *text = NULL;
		size_t bytes;
		FILE *out = open_memstream(&text, &bytes);
		struct diag diag;

		if (sink_table[i]->write(&report, out, &diag))
			abort();
		fclose(out);
		free(text);
	}
}

static void read_report(const char *text, size_t bytes)
{
	struct finding_list *list = finding_list_new();
	struct read_report read;
	struct diag diag;

	if (!report_read_text("input", text, bytes, list, 0, &read, &diag)) {
		findings_finish(list);
		write_all_formats(list);
	} else if (finding_list_count(list)) {
		abort();
	}
	finding_list_free(list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	char *text;

	if (!bytes)
		return 0;
	/* A copy of its own, so that a read beyond the end is seen. */
	text = malloc(bytes);
	if (!text)
		abort();
	memcpy(text, data + 1, bytes - 1);
	switch (data[0] % 3) {
	case 0: /* of the digits in the seeds: 0 -> 48 % 3 */
		read_suppressions(text, bytes - 1);
		break;
	case 1:
		read_baseline(text, bytes - 1);
		break;
	default:
		read_report(text, bytes - 1);
		break;
	}
	free(text);
	return 0;
}
