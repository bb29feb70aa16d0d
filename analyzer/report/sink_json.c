/* SPDX-License-Identifier: MIT */
/*
 * sink_json.c - the machine-readable report, schema thrum-findings/1
 * (docs/schema/thrum-findings-1.schema.json).
 *
 * Keys come in the order of the contract; what is unknown is left out. Addresses and offsets are
 * hexadecimal strings: see json_put.h.
 * Strings are valid UTF-8 whatever the trace holds.
 */
#include "coverage.h"
#include "json_put.h"
#include "rule_page.h"
#include "sinks.h"
#include "site.h"

#include <inttypes.h>

static const char *const verdict_names[] = {
	[VERDICT_CLEAN] = "clean",
	[VERDICT_FINDINGS] = "findings",
	[VERDICT_TIMEOUT] = "timeout",
	[VERDICT_UNTRACED] = "untraced",
};

/* ---- parts of a finding ---- */

static void put_stack(json_t *object, const char *key, const struct frames *frames)
{
	json_t *stack;

	if (!frames->count)
		return;
	stack = json_object();
	json_put(stack, "frames", json_frames(frames));
	json_put(object, key, stack);
}

static json_t *thread_value(const struct finding_thread *thread)
{
	json_t *value = json_object();

	json_put_count(value, "id", thread->id);
	json_put_known(value, "pid", thread->pid);
	json_put_known(value, "tid", thread->tid);
	json_put_text(value, "name", thread->name);
	json_put_text(value, "label", thread->label);
	json_put_text(value, "kind", "thread");
	json_put_text(value, "start", thread->start_function);
	put_stack(value, "created_at", &thread->created_at);
	return value;
}

static json_t *access_value(const struct finding_access *a)
{
	json_t *value = json_object();

	json_put_text(value, "op", a->writes ? "write" : "read");
	if (a->reads && a->writes)
		json_put(value, "reads_too", json_true());
	json_put_known(value, "size", a->bytes);
	json_put_address(value, "address", a->address);
	if (a->is_atomic)
		json_put(value, "atomic", json_true());
	return value;
}

/* Of any value, 0 too. */
static json_t *hexadecimal(uint64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, number);
	return json_string(text);
}

static json_t *memory_value(const struct finding_value *v)
{
	json_t *value = json_object();

	json_put_count(value, "bytes", v->bytes);
	json_put(value, "before", hexadecimal(v->before));
	json_put(value, "after", hexadecimal(v->after));
	return value;
}

static json_t *lock_value(const struct finding_lock *lock)
{
	json_t *value = json_object();

	json_put_count(value, "id", lock->id);
	if (lock->kind || lock->word)
		json_put_text(value, "kind", finding_lock_word(lock));
	json_put_text(value, "name", lock->name);
	json_put_address(value, "address", lock->address);
	put_stack(value, "first_seen", &lock->first_seen);
	if (lock->declared_file) {
		json_t *place = json_object();

		json_put_text(place, "file", lock->declared_file);
		json_put_count(place, "line", (uint64_t)lock->declared_line);
		json_object_set_new(value, "declared_at", place);
	}
	if (lock->value.bytes)
		json_put(value, "value", memory_value(&lock->value));
	return value;
}

/* Whose work it does. A name alone: its value was redacted. */
static json_t *context_value(const struct finding_task *task)
{
	json_t *array = json_array();

	for (size_t i = 0; i < task->context_count; i++) {
		json_t *pair = json_object();

		json_put_text(pair, "name", task->context[i].name);
		json_put_text(pair, "value", task->context[i].value);
		json_array_append_new(array, pair);
	}
	return array;
}

static json_t *task_value(const struct finding_task *task)
{
	json_t *value = json_object();

	json_put_count(value, "id", task->id);
	json_put_known(value, "loop", task->loop);
	json_put_text(value, "kind", task->kind);
	json_put_text(value, "library", task->library);
	json_put_text(value, "state", task->state);
	json_put_text(value, "name", task->callback);
	if (task->context_count)
		json_put(value, "context", context_value(task));
	put_stack(value, "created_at", &task->created_at);
	return value;
}

static json_t *stack_value(const struct finding_stack *stack)
{
	json_t *value = json_object(), *held = json_array();

	json_put_text(value, "role", stack_role_name(stack->role));
	json_put_known(value, "thread", stack->thread);
	json_put_known(value, "lock", stack->lock);
	json_put_known(value, "for_thread", stack->for_thread);
	if (stack->access.reads || stack->access.writes)
		json_put(value, "access", access_value(&stack->access));
	for (size_t i = 0; i < stack->held_count; i++)
		json_array_append_new(held, json_integer(stack->held[i]));
	json_put(value, "locks_held", held);
	json_put_known(value, "time_ns", stack->time_ns);
	json_put_text(value, "note", stack->note);
	json_put(value, "frames", json_frames(&stack->frames));
	return value;
}

static json_t *step_value(const struct finding_step *step)
{
	json_t *value = json_object();

	json_put_known(value, "thread", step->thread);
	json_put_text(value, "label", step->label);
	json_put_count(value, "events", step->events);
	put_stack(value, "from", &step->from);
	put_stack(value, "to", &step->to);
	return value;
}

/* Where to look first: one place, the program's wherever there is one. */
static void put_location(json_t *finding, const struct finding *f)
{
	const struct frame *site = site_find(f);

	if (site)
		json_put(finding, "location", json_frame(site));
}

static json_t *finding_value(const struct report *report, const struct finding *f)
{
	json_t *value = json_object();
	json_t *threads = json_array(), *locks = json_array(), *tasks = json_array(),
	       *stacks = json_array();
	char uri[1024];

	for (size_t i = 0; i < f->thread_count; i++)
		json_array_append_new(threads, thread_value(&f->threads[i]));
	for (size_t i = 0; i < f->lock_count; i++)
		json_array_append_new(locks, lock_value(&f->locks[i]));
	for (size_t i = 0; i < f->task_count; i++)
		json_array_append_new(tasks, task_value(&f->tasks[i]));
	for (size_t i = 0; i < f->stack_count; i++)
		json_array_append_new(stacks, stack_value(&f->stacks[i]));
	json_put_text(value, "rule", rule_id(f->rule));
	json_put_text(value, "confidence", confidence_name(f->confidence));
	json_put(value, "confirmed", json_boolean(f->confirmed));
	json_put_text(value, "level", level_name(f->level));
	json_put(value, "gated", json_boolean(f->gated));
	json_put_text(value, "fingerprint", f->fingerprint);
	json_put_text(value, "place", f->place);
	if (f->baseline != BASELINE_NONE)
		json_put_text(value, "baseline_state", baseline_state_name(f->baseline));
	json_put_text(value, "suppressed_by", f->suppressed_by);
	json_put_text(value, "suppressed_reason", f->suppressed_reason);
	json_put_count(value, "count", f->count);
	json_put_text(value, "title", f->title);
	json_put_text(value, "message", f->message);
	put_location(value, f);
	json_put(value, "threads", threads);
	json_put(value, "locks", locks);
	json_put(value, "tasks", tasks);
	json_put(value, "stacks", stacks);
	if (f->step_count) {
		json_t *witness = json_object(), *steps = json_array();

		for (size_t i = 0; i < f->step_count; i++)
			json_array_append_new(steps, step_value(&f->steps[i]));
		json_put_count(witness, "events_before", f->events_before);
		json_put(witness, "steps", steps);
		json_put(value, "witness", witness);
	}
	json_put_text(value, "suppression", f->suppression);
	json_put_text(value, "help_uri", rule_page_uri(report, f->rule, uri, sizeof(uri)));
	return value;
}

/* ---- the run ---- */

static json_t *argv_value(const struct report_process *p)
{
	json_t *array = json_array();

	for (size_t i = 0; i < p->argc; i++)
		json_array_append_new(array, json_text(p->argv[i]));
	return array;
}

static json_t *process_value(const struct report_process *p)
{
	const struct trace_process *process = p->process;
	json_t *value = json_object(), *coverage = coverage_process_json(process);
	uint64_t threads = p->threads, locks = p->locks;

	for (size_t id = 1; id < process->thread_count; id++)
		threads += process->threads[id].defined;
	for (size_t id = 1; id < process->object_count; id++)
		locks += trace_object_kind_is_lock(process->objects[id].kind);
	json_put_count(value, "pid", process->pid);
	json_put_known(value, "ppid", process->ppid);
	if (p->argv)
		json_put(value, "argv", argv_value(p));
	json_put_text(value, "command", process->command);
	if (p->has_exit)
		json_put(value, "exit", json_integer(p->exit_status));
	json_put_count(value, "events", process->events);
	json_put_count(value, "lost", process->lost_events + process->lost_in_gaps);
	json_put_count(value, "threads", threads);
	json_put_count(value, "locks", locks);
	if (coverage)
		json_put(value, "coverage", coverage);
	if (!process->complete)
		json_put_text(value, "incomplete_why", process->why);
	return value;
}

static void put_texts(json_t *object, const char *key, const char *const *texts, size_t count)
{
	json_t *array;

	if (!count)
		return;
	array = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(array, json_text(texts[i]));
	json_put(object, key, array);
}

static json_t *unrecorded_value(const struct report *report)
{
	json_t *array = json_array();

	for (size_t i = 0; i < report->unrecorded_count; i++) {
		json_t *value = json_object();

		json_put_count(value, "pid", report->unrecorded[i].pid);
		json_put_text(value, "path", report->unrecorded[i].path);
		json_put_text(value, "why", report->unrecorded[i].why);
		json_array_append_new(array, value);
	}
	return array;
}

static json_t *trace_value(const struct report *report)
{
	json_t *value = json_object(), *processes = json_array();

	for (size_t i = 0; i < report->process_count; i++)
		json_array_append_new(processes, process_value(&report->processes[i]));
	if (report->trace_path_count > 1)
		put_texts(value, "paths", report->trace_paths, report->trace_path_count);
	else
		json_put_text(value, "path", report->trace_path);
	put_texts(value, "untraced", report->untraced, report->untraced_count);
	json_put(value, "complete", json_boolean(report->complete));
	json_put_text(value, "incomplete_why", report->incomplete_why);
	json_put(value, "coverage", coverage_report_json(report));
	json_put(value, "processes", processes);
	if (report->unrecorded_count)
		json_put(value, "unrecorded", unrecorded_value(report));
	return value;
}

static json_t *summary_value(const struct report *report)
{
	json_t *value = json_object();

	json_put_count(value, "gated", report->gated);
	json_put_count(value, "errors", report->errors);
	json_put_count(value, "warnings", report->warnings);
	json_put_count(value, "notes", report->notes);
	json_put_count(value, "suppressed", report->suppressed);
	json_put_count(value, "baseline", report->baseline);
	return value;
}

static json_t *report_value(const struct report *report)
{
	json_t *value = json_object(), *tool = json_object(), *findings = json_array();

	json_put_text(tool, "name", "thrum");
	json_put_text(tool, "version", report->version);
	for (size_t i = 0; i < report->finding_count; i++)
		json_array_append_new(findings, finding_value(report, report->findings[i]));
	json_put_text(value, "schema", "thrum-findings/1");
	json_put(value, "tool", tool);
	if (report->has_program_status)
		json_put(value, "program_status", json_integer(report->program_status));
	json_put_text(value, "verdict", verdict_names[report->verdict]);
	json_put(value, "trace", trace_value(report));
	json_put(value, "summary", summary_value(report));
	json_put(value, "findings", findings);
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
