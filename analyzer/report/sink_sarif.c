/* SPDX-License-Identifier: MIT */
/*
 * sink_sarif.c - SARIF 2.1.0 (OASIS), with what GitHub code scanning asks for beyond it.
 *
 * One run a report; a result a finding; the page of docs/rules as its rule's help. A result has one location
 * (site.h), a code flow with one thread flow a thread (executionOrder = order in time over all
 * threads), the ring of waits as a graph, and the places where locks and threads came from as
 * related locations. Paths below the source root are relative to %SRCROOT%.
 *
 * GitHub matches alerts by partialFingerprints.primaryLocationLineHash alone: it is our
 * fingerprint, so an alert survives edits above it.
 */
#include "../frame_class.h"
#include "json_put.h"
#include "rule_page.h"
#include "sarif.h"
#include "sinks.h"
#include "words.h"

#include <string.h>

#define SCHEMA "https://json.schemastore.org/sarif-2.1.0.json"
/* GitHub takes no more of a result; the rest of a huge knot says nothing new. */
#define MAX_FLOW_LOCATIONS 1000u

static json_t *message(const char *text)
{
	json_t *value = json_object();

	json_put_text(value, "text", text ? text : "");
	return value;
}

/* ---- rules ---- */

static const char *precision_of(enum rule rule)
{
	return rule_cap(rule) == LEVEL_ERROR ? "high" : "medium";
}

static json_t *rule_value(const struct report *report, enum rule rule)
{
	json_t *value = json_object(), *help = json_object(), *standard = json_object();
	json_t *properties = json_object(), *problem = json_object(), *tags = json_array();
	char uri[1024];

	json_put_text(value, "id", rule_id(rule));
	json_put_text(value, "name", rule_title(rule));
	json_put(value, "shortDescription", message(rule_title(rule)));
	json_put(value, "fullDescription", message(rule_help(rule)));
	json_put_text(help, "text", rule_help(rule));
	json_put_text(help, "markdown", rule_page(rule));
	json_put(value, "help", help);
	json_put_text(value, "helpUri", rule_page_uri(report, rule, uri, sizeof(uri)));
	json_put_text(standard, "level", level_name(rule_cap(rule)));
	json_put(value, "defaultConfiguration", standard);
	json_array_append_new(tags, json_string("concurrency"));
	json_array_append_new(tags, json_string("correctness"));
	json_put(properties, "tags", tags);
	json_put_text(properties, "precision", precision_of(rule));
	json_put_text(problem, "severity",
		      rule_cap(rule) == LEVEL_ERROR	? "error"
		      : rule_cap(rule) == LEVEL_WARNING ? "warning"
							: "recommendation");
	json_put(properties, "problem", problem);
	json_put(value, "properties", properties);
	return value;
}

/* Only rules with results are listed: their pages are long. */
struct rule_places {
	json_int_t place[RULE_COUNT]; /* in the list; -1 = not in it */
};

static struct rule_places find_places(const struct report *report)
{
	struct rule_places places;
	bool used[RULE_COUNT] = { false };
	json_int_t next = 0;

	for (size_t i = 0; i < report->finding_count; i++)
		used[report->findings[i]->rule] = true;
	for (unsigned rule = 0; rule < RULE_COUNT; rule++)
		places.place[rule] = used[rule] ? next++ : -1;
	return places;
}

static json_t *driver_value(const struct report *report, const struct rule_places *places)
{
	json_t *value = json_object(), *rules = json_array();

	for (unsigned rule = 0; rule < RULE_COUNT; rule++)
		if (places->place[rule] >= 0)
			json_array_append_new(rules, rule_value(report, rule));
	json_put_text(value, "name", "thrum");
	json_put_text(value, "version", report->version);
	json_put(value, "rules", rules);
	return value;
}

/* ---- results ---- */

static const char *flow_kind(enum stack_role role)
{
	switch (role) {
	case ROLE_HOLDS:
	case ROLE_ACQUIRES:
		return "acquire";
	case ROLE_RELEASES:
		return "release";
	case ROLE_ACCESSES:
		return "memory";
	case ROLE_WAITS:
	case ROLE_BLOCKS:
	case ROLE_AWAITS:
		return "enter";
	case ROLE_CREATES:
	case ROLE_DESTROYS:
	case ROLE_SIGNALS:
		return "call";
	case ROLE_COUNT:
		break;
	}
	return "call";
}

static const char *heading(const struct finding *f, const struct finding_stack *stack, char *buffer,
			   size_t bytes)
{
	char thread[WORDS_BYTES], what[WORDS_BYTES];

	words_heading(f, stack, what, sizeof(what));
	snprintf(buffer, bytes, "%s%s %s", words_thread(f, stack->thread, thread, sizeof(thread)),
		 words_is_remark(stack) ? "," : "", what);
	return buffer;
}

/* Position of stack `index` among all in time; equal times in the order of the finding. */
static unsigned execution_order(const struct finding *f, size_t index)
{
	unsigned order = 1;

	for (size_t i = 0; i < f->stack_count; i++)
		order += f->stacks[i].time_ns < f->stacks[index].time_ns ||
			 (f->stacks[i].time_ns == f->stacks[index].time_ns && i < index);
	return order;
}

static json_t *flow_location(const struct report *report, const struct finding *f, size_t index)
{
	const struct finding_stack *stack = &f->stacks[index];
	json_t *value = json_object(), *kinds = json_array();
	char text[3 * WORDS_BYTES];

	json_put(value, "location",
		 sarif_location(report, site_of_frames(&stack->frames), &stack->frames,
				heading(f, stack, text, sizeof(text))));
	json_put(value, "stack", sarif_stack(report, stack, text));
	json_array_append_new(kinds, json_string(flow_kind(stack->role)));
	if (stack->lock)
		json_array_append_new(kinds, json_string("lock"));
	json_put(value, "kinds", kinds);
	json_put(value, "executionOrder", json_integer(execution_order(f, index)));
	json_put_text(value, "importance", "essential");
	return value;
}

static json_t *thread_flow(const struct report *report, const struct finding *f,
			   const struct finding_thread *thread, size_t *budget)
{
	json_t *value = json_object(), *locations = json_array();
	char name[WORDS_BYTES], id[64];

	for (size_t i = 0; i < f->stack_count && *budget; i++) {
		if (f->stacks[i].thread != thread->id)
			continue;
		json_array_append_new(locations, flow_location(report, f, i));
		--*budget;
	}
	if (!json_array_size(locations)) {
		json_decref(locations);
		json_decref(value);
		return NULL;
	}
	snprintf(id, sizeof(id), "thread %u", (unsigned)thread->id);
	json_put_text(value, "id", id);
	json_put(value, "message", message(words_thread(f, thread->id, name, sizeof(name))));
	json_put(value, "locations", locations);
	return value;
}

static json_t *code_flows(const struct report *report, const struct finding *f)
{
	json_t *flows = json_array(), *flow = json_object(), *threads = json_array();
	size_t budget = MAX_FLOW_LOCATIONS;

	for (size_t i = 0; i < f->thread_count; i++) {
		json_t *thread = thread_flow(report, f, &f->threads[i], &budget);

		if (thread)
			json_array_append_new(threads, thread);
	}
	if (!json_array_size(threads)) {
		json_decref(threads);
		json_decref(flow);
		return flows;
	}
	json_put(flow, "threadFlows", threads);
	json_array_append_new(flows, flow);
	return flows;
}

static json_t *related_locations(const struct report *report, const struct finding *f)
{
	json_t *array = json_array();
	char name[WORDS_BYTES], text[2 * WORDS_BYTES];

	for (size_t i = 0; i < f->lock_count; i++) {
		const struct finding_lock *lock = &f->locks[i];

		if (!lock->first_seen.count)
			continue;
		snprintf(text, sizeof(text), "%s first used here",
			 words_lock(f, lock->id, name, sizeof(name)));
		json_array_append_new(array,
				      sarif_location(report, site_of_frames(&lock->first_seen),
						     &lock->first_seen, text));
	}
	for (size_t i = 0; i < f->thread_count; i++) {
		const struct finding_thread *thread = &f->threads[i];

		if (!thread->created_at.count)
			continue;
		snprintf(text, sizeof(text), "%s created here",
			 words_thread(f, thread->id, name, sizeof(name)));
		json_array_append_new(array,
				      sarif_location(report, site_of_frames(&thread->created_at),
						     &thread->created_at, text));
	}
	for (size_t i = 0; i < json_array_size(array); i++)
		json_put(json_array_get(array, i), "id", json_integer((json_int_t)i + 1));
	return array;
}

static json_t *suppressions(const struct finding *f)
{
	json_t *array = json_array(), *value;

	if (!f->suppressed_by)
		return array;
	value = json_object();
	json_put_text(value, "kind", "external");
	json_put_text(value, "status", "accepted");
	json_put_text(value, "justification",
		      f->suppressed_reason ? f->suppressed_reason : f->suppressed_by);
	json_array_append_new(array, value);
	return array;
}

/* GitHub shows the first sentence: the title. */
static json_t *result_message(const struct finding *f)
{
	char title[WORDS_BYTES], text[4 * WORDS_BYTES];
	const char *more = words_message(f);

	words_title(f, title, sizeof(title));
	snprintf(text, sizeof(text), "%s%s%s", title, more ? ". " : "", more ? more : "");
	return message(text);
}

static json_t *result_value(const struct report *report, const struct finding *f,
			    json_int_t rule_index)
{
	json_t *value = json_object(), *prints = json_object(), *properties = json_object();
	json_t *locations = json_array();
	const struct frame *site = site_find(f);
	const struct frames *frames = f->stack_count ? &f->stacks[0].frames : NULL;

	json_put_text(value, "ruleId", rule_id(f->rule));
	json_put(value, "ruleIndex", json_integer(rule_index));
	json_put_text(value, "kind", "fail");
	json_put_text(value, "level", level_name(f->level));
	json_put(value, "message", result_message(f));
	json_array_append_new(locations, sarif_location(report, site, frames, NULL));
	json_put(value, "locations", locations);
	json_put_text(prints, "primaryLocationLineHash", f->fingerprint);
	json_put_text(prints, "thrum/v1", f->fingerprint);
	json_put_text(prints, "thrumPlace/v1", f->place);
	json_put(value, "partialFingerprints", prints);
	json_put_array(value, "codeFlows", code_flows(report, f));
	json_put_array(value, "graphs", sarif_graphs(report, f));
	json_put_array(value, "relatedLocations", related_locations(report, f));
	json_put_array(value, "suppressions", suppressions(f));
	json_put_text(value, "baselineState", baseline_state_name(f->baseline));
	json_put_count(value, "occurrenceCount", f->count ? f->count : 1);
	json_put_text(properties, "confidence", confidence_name(f->confidence));
	json_put(properties, "gated", json_boolean(f->gated));
	json_put_text(properties, "suppression", f->suppression);
	json_put(value, "properties", properties);
	return value;
}

/* ---- the run ---- */

static void add_notice(json_t *notices, const char *level, const char *text)
{
	json_t *value = json_object();

	json_put(value, "message", message(text));
	json_put_text(value, "level", level);
	json_array_append_new(notices, value);
}

static json_t *invocation_value(const struct report *report)
{
	json_t *value = json_object(), *notices = json_array();
	char text[WORDS_BYTES];

	json_put(value, "executionSuccessful", json_boolean(report->verdict != VERDICT_UNTRACED));
	if (report->has_program_status)
		json_put(value, "exitCode", json_integer(report->program_status));
	if (*words_stale(report, text, sizeof(text)))
		add_notice(notices, "error", text);
	if (!report->complete && report->incomplete_why)
		add_notice(notices, "warning", report->incomplete_why);
	if (*words_lost(report, text, sizeof(text)))
		add_notice(notices, "warning", text);
	add_notice(notices, "note", words_seen(report, text, sizeof(text)));
	json_put(value, "toolExecutionNotifications", notices);
	if (report->source_root)
		json_put(value, "workingDirectory", sarif_directory(report->source_root));
	return value;
}

static json_t *run_value(const struct report *report)
{
	json_t *value = json_object(), *tool = json_object(), *results = json_array();
	json_t *invocations = json_array(), *details = json_object();
	const struct rule_places places = find_places(report);

	for (size_t i = 0; i < report->finding_count; i++)
		json_array_append_new(results,
				      result_value(report, report->findings[i],
						   places.place[report->findings[i]->rule]));
	json_put(tool, "driver", driver_value(report, &places));
	json_put(value, "tool", tool);
	json_array_append_new(invocations, invocation_value(report));
	json_put(value, "invocations", invocations);
	json_put_text(details, "id", "thrum/");
	json_put(value, "automationDetails", details);
	if (report->source_root) {
		json_t *bases = json_object();

		json_put(bases, SARIF_ROOT, sarif_directory(report->source_root));
		json_put(value, "originalUriBaseIds", bases);
	}
	json_put_text(value, "columnKind", "utf16CodeUnits");
	json_put(value, "results", results);
	return value;
}

static int write_sarif(const struct report *report, FILE *out, struct diag *diag)
{
	json_t *value = json_object(), *runs = json_array();
	int failed;

	json_put_text(value, "$schema", SCHEMA);
	json_put_text(value, "version", "2.1.0");
	json_array_append_new(runs, run_value(report));
	json_put(value, "runs", runs);
	failed = json_dumpf(value, out, JSON_INDENT(1));
	json_decref(value);
	if (failed && !ferror(out))
		return diag_set(diag, THRUM_ENOMEM, "out of memory while writing the sarif report");
	fputc('\n', out);
	return sink_finish(&sink_sarif, out, diag);
}

const struct sink_ops sink_sarif = {
	.format = "sarif",
	.help = "SARIF 2.1.0, for code scanning and editors",
	.write = write_sarif,
};
