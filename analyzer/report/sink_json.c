/* SPDX-License-Identifier: MIT */
/*
 * sink_json.c - the machine-readable report, schema thrum-findings/1
 * (docs/schema/thrum-findings-1.schema.json).
 *
 * Keys come in the order of the contract; what is unknown is left out. Addresses and offsets are
 * hexadecimal strings, because a JSON number loses bits of a 64-bit address in most readers.
 * Strings are valid UTF-8 whatever the trace holds.
 */
#include "escape.h"
#include "sinks.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

static const char *const verdict_names[] = {
	[VERDICT_CLEAN] = "clean",
	[VERDICT_FINDINGS] = "findings",
	[VERDICT_TIMEOUT] = "timeout",
	[VERDICT_UNTRACED] = "untraced",
};

/* ---- values; every helper leaves the key out where the value is unknown ---- */

static void put(json_t *object, const char *key, json_t *value)
{
	json_object_set_new(
		object, key,
		value); /* takes NULL: an error that json_dumpf's caller sees as a missing key */
}

static json_t *string_value(const char *text)
{
	char *valid = escape_utf8(text);
	json_t *value = valid ? json_string(valid) : NULL;

	free(valid);
	return value;
}

static void put_string(json_t *object, const char *key, const char *text)
{
	if (text)
		put(object, key, string_value(text));
}

static void put_count(json_t *object, const char *key, uint64_t value)
{
	put(object, key, json_integer((json_int_t)(value > INT64_MAX ? INT64_MAX : value)));
}

static void put_known(json_t *object, const char *key, uint64_t value)
{
	if (value)
		put_count(object, key, value);
}

static void put_address(json_t *object, const char *key, uint64_t address)
{
	char text[24];

	if (!address)
		return;
	snprintf(text, sizeof(text), "0x%" PRIx64, address);
	put(object, key, json_string(text));
}

/* ---- parts of a finding ---- */

static json_t *frame_value(const struct frame *frame)
{
	json_t *value = json_object();

	put_string(value, "function", frame->function);
	put_string(value, "file", frame->file);
	if (frame->line > 0)
		put_count(value, "line", (uint64_t)frame->line);
	put_string(value, "module", frame->module);
	put_address(value, "offset", frame->offset);
	put_string(value, "build_id", frame->build_id);
	if (frame->inlined)
		put(value, "inlined", json_true());
	put_string(value, "language", frame->language);
	return value;
}

static json_t *frames_value(const struct frames *frames)
{
	json_t *array = json_array();

	for (size_t i = 0; i < frames->count; i++)
		json_array_append_new(array, frame_value(&frames->frame[i]));
	return array;
}

static void put_stack(json_t *object, const char *key, const struct frames *frames)
{
	json_t *stack;

	if (!frames->count)
		return;
	stack = json_object();
	put(stack, "frames", frames_value(frames));
	put(object, key, stack);
}

static json_t *thread_value(const struct finding_thread *thread)
{
	json_t *value = json_object();

	put_count(value, "id", thread->id);
	put_known(value, "pid", thread->pid);
	put_known(value, "tid", thread->tid);
	put_string(value, "name", thread->name);
	put_string(value, "kind", "thread");
	put_string(value, "start", thread->start_function);
	put_stack(value, "created_at", &thread->created_at);
	return value;
}

static json_t *lock_value(const struct finding_lock *lock)
{
	json_t *value = json_object();

	put_count(value, "id", lock->id);
	if (lock->kind)
		put_string(value, "kind", trace_object_kind_name(lock->kind));
	put_string(value, "name", lock->name);
	put_address(value, "address", lock->address);
	put_stack(value, "first_seen", &lock->first_seen);
	return value;
}

static json_t *stack_value(const struct finding_stack *stack)
{
	json_t *value = json_object(), *held = json_array();

	put_string(value, "role", stack_role_name(stack->role));
	put_known(value, "thread", stack->thread);
	put_known(value, "lock", stack->lock);
	put_known(value, "for_thread", stack->for_thread);
	for (size_t i = 0; i < stack->held_count; i++)
		json_array_append_new(held, json_integer(stack->held[i]));
	put(value, "locks_held", held);
	put_known(value, "time_ns", stack->time_ns);
	put_string(value, "note", stack->note);
	put(value, "frames", frames_value(&stack->frames));
	return value;
}

static json_t *finding_value(const struct finding *f)
{
	json_t *value = json_object();
	json_t *threads = json_array(), *locks = json_array(), *stacks = json_array();

	for (size_t i = 0; i < f->thread_count; i++)
		json_array_append_new(threads, thread_value(&f->threads[i]));
	for (size_t i = 0; i < f->lock_count; i++)
		json_array_append_new(locks, lock_value(&f->locks[i]));
	for (size_t i = 0; i < f->stack_count; i++)
		json_array_append_new(stacks, stack_value(&f->stacks[i]));
	put_string(value, "rule", rule_id(f->rule));
	put_string(value, "confidence", confidence_name(f->confidence));
	put(value, "confirmed", json_boolean(f->confirmed));
	put_string(value, "level", level_name(f->level));
	put(value, "gated", json_boolean(f->gated));
	put_string(value, "fingerprint", f->fingerprint);
	put_count(value, "count", f->count);
	put_string(value, "title", f->title);
	put_string(value, "message", f->message);
	put(value, "threads", threads);
	put(value, "locks", locks);
	put(value, "tasks", json_array());
	put(value, "stacks", stacks);
	put_string(value, "suppression", f->suppression);
	return value;
}

/* ---- the run ---- */

static json_t *argv_value(const struct report_process *p)
{
	json_t *array = json_array();

	for (size_t i = 0; i < p->argc; i++)
		json_array_append_new(array, string_value(p->argv[i]));
	return array;
}

static json_t *process_value(const struct report_process *p)
{
	const struct trace_process *process = p->process;
	json_t *value = json_object();
	uint64_t threads = 0;

	for (size_t id = 1; id < process->thread_count; id++)
		threads += process->threads[id].defined;
	put_count(value, "pid", process->pid);
	put_known(value, "ppid", process->ppid);
	if (p->argv)
		put(value, "argv", argv_value(p));
	put_string(value, "command", process->command);
	if (p->has_exit)
		put(value, "exit", json_integer(p->exit_status));
	put_count(value, "events", process->events);
	put_count(value, "lost", process->lost_events + process->lost_in_gaps);
	put_count(value, "threads", threads);
	if (!process->complete)
		put_string(value, "incomplete_why", process->why);
	return value;
}

static json_t *unrecorded_value(const struct report *report)
{
	json_t *array = json_array();

	for (size_t i = 0; i < report->unrecorded_count; i++) {
		json_t *value = json_object();

		put_count(value, "pid", report->unrecorded[i].pid);
		put_string(value, "path", report->unrecorded[i].path);
		put_string(value, "why", report->unrecorded[i].why);
		json_array_append_new(array, value);
	}
	return array;
}

static json_t *trace_value(const struct report *report)
{
	json_t *value = json_object(), *processes = json_array();

	for (size_t i = 0; i < report->process_count; i++)
		json_array_append_new(processes, process_value(&report->processes[i]));
	put_string(value, "path", report->trace_path);
	put(value, "complete", json_boolean(report->complete));
	put_string(value, "incomplete_why", report->incomplete_why);
	put(value, "processes", processes);
	if (report->unrecorded_count)
		put(value, "unrecorded", unrecorded_value(report));
	return value;
}

static json_t *summary_value(const struct report *report)
{
	json_t *value = json_object();

	put_count(value, "gated", report->gated);
	put_count(value, "errors", report->errors);
	put_count(value, "warnings", report->warnings);
	put_count(value, "notes", report->notes);
	put_count(value, "suppressed", report->suppressed);
	put_count(value, "baseline", report->baseline);
	return value;
}

static json_t *report_value(const struct report *report)
{
	json_t *value = json_object(), *tool = json_object(), *findings = json_array();

	put_string(tool, "name", "thrum");
	put_string(tool, "version", report->version);
	for (size_t i = 0; i < report->finding_count; i++)
		json_array_append_new(findings, finding_value(report->findings[i]));
	put_string(value, "schema", "thrum-findings/1");
	put(value, "tool", tool);
	if (report->has_program_status)
		put(value, "program_status", json_integer(report->program_status));
	put_string(value, "verdict", verdict_names[report->verdict]);
	put(value, "trace", trace_value(report));
	put(value, "summary", summary_value(report));
	put(value, "findings", findings);
	return value;
}

static int write_json(const struct report *report, FILE *out, struct diag *diag)
{
	json_t *value = report_value(report);
	int failed = json_dumpf(value, out, JSON_INDENT(2));

	json_decref(value);
	if (failed && !ferror(out))
		return diag_set(diag, THRUM_ENOMEM, "out of memory while writing the json report");
	fputc('\n', out);
	return sink_finish(&sink_json, out, diag);
}

const struct sink_ops sink_json = {
	.format = "json",
	.help = "for programs: schema thrum-findings/1",
	.write = write_json,
};
