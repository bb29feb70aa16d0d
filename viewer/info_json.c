/* SPDX-License-Identifier: MIT */
/*
 * info_json.c - what a trace holds and lacks, as JSON.
 */
#include "info_json.h"

#include "../analyzer/hookable.h"
#include "../analyzer/report/coverage.h"
#include "../analyzer/report/escape.h"
#include "../trace/trace_ops.h"
#include "info_count.h"
#include "info_races.h"
#include "info_reports.h"
#include "info_runtime.h"
#include "info_tree.h"

#include <jansson.h>
#include <stdlib.h>

static const struct {
	uint32_t flag;
	const char *word;
} flag_words[] = {
	{ TF_PROCESS_FULL, "max-size" },
	{ TF_PROCESS_DISK_FULL, "disk-full" },
	{ TF_PROCESS_OFF, "switched-off" },
	{ TF_PROCESS_HANDLERS, "signal-handlers" },
	{ TF_PROCESS_UNSEEN_THREADS, "unseen-threads" },
	{ TF_PROCESS_BOUNDED, "bounded" },
	{ TF_PROCESS_SECCOMP, "seccomp" },
};

#define FLAG_WORDS (sizeof(flag_words) / sizeof(flag_words[0]))

/* jansson takes valid UTF-8 only; a name of the traced program may be anything. */
static void set_text(json_t *object, const char *key, const char *text)
{
	char *clean = text ? escape_utf8(text) : NULL;

	if (clean) {
		json_object_set_new(object, key, json_string(clean));
	}
	free(clean);
}

static void set_number(json_t *object, const char *key, uint64_t value)
{
	json_object_set_new(object, key,
			    json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value));
}

static json_t *json_counts(const struct info_counts *c)
{
	json_t *table = json_object();

	for (unsigned op = 1; op < TF_OPS; op++) {
		if (c->by_op[op]) {
			set_number(table, trace_op_name(op), c->by_op[op]);
		}
	}
	return table;
}

static json_t *json_objects(const struct info_counts *c)
{
	json_t *table = json_object();

	for (unsigned kind = 0; kind < INFO_KINDS; kind++) {
		if (c->objects[kind]) {
			set_number(table, kind ? trace_object_kind_name(kind) : "unknown",
				   c->objects[kind]);
		}
	}
	return table;
}

/* {"libuv timer": 12, …}: how many were made. */
static json_t *json_tasks(const struct info_counts *c)
{
	json_t *table = json_object();

	for (unsigned kind = 0; kind < INFO_TASKS; kind++) {
		char name[64];

		snprintf(name, sizeof(name), "%s%s%s", trace_task_library(kind),
			 *trace_task_library(kind) ? " " : "", trace_task_word(kind));
		if (c->tasks[kind]) {
			set_number(table, name, c->tasks[kind]);
		}
	}
	return table;
}

/* {"mutex": {"acquire": 3}, "GLib mutex": …}: the events by what they are done to. */
static json_t *json_by_object(const struct info_counts *c)
{
	static const char *const owners[INFO_LIBRARIES] = {
		[TF_LIBRARY_LIBC] = "",		  [TF_LIBRARY_GLIB] = "GLib ",
		[TF_LIBRARY_QT] = "Qt ",	  [TF_LIBRARY_OPENMP] = "OpenMP ",
		[TF_LIBRARY_SYSV] = "System V ",  [TF_LIBRARY_ANNOTATED] = "annotated ",
		[TF_LIBRARY_STDIO] = "stdio ",	  [TF_LIBRARY_UV] = "libuv ",
		[TF_LIBRARY_EVENT] = "libevent ", [TF_LIBRARY_EV] = "libev ",
		[TF_LIBRARY_SD] = "sd-event ",	  [TF_LIBRARY_CURL] = "libcurl ",
		[TF_LIBRARY_ARES] = "c-ares ",	  [TF_LIBRARY_URING] = "liburing ",
	};
	json_t *table = json_object();

	for (unsigned i = 0; i < INFO_LIBRARIES * INFO_KINDS; i++) {
		unsigned owner = i / INFO_KINDS, kind = i % INFO_KINDS;
		json_t *events = json_object();
		char name[64];

		for (unsigned op = 1; op < TF_OPS; op++) {
			if (c->by_object[owner][kind][op]) {
				set_number(events, trace_op_name(op),
					   c->by_object[owner][kind][op]);
			}
		}
		snprintf(name, sizeof(name), "%s%s", owners[owner] ? owners[owner] : "other ",
			 kind ? trace_object_kind_name(kind) : "unknown");
		if (json_object_size(events)) {
			json_object_set(table, name, events);
		}
		json_decref(events);
	}
	return table;
}

static json_t *json_module(const struct trace_module *m)
{
	static const char digits[] = "0123456789abcdef";
	json_t *object = json_object();
	char *id = calloc(2, m->build_id_bytes + 1u);

	for (uint32_t b = 0; id && b < m->build_id_bytes; b++) {
		id[2 * b] = digits[m->build_id[b] >> 4];
		id[2 * b + 1] = digits[m->build_id[b] & 15];
	}
	set_text(object, "path", m->path);
	if (m->path && hookable_library_remark(m->path)) {
		set_text(object, "not_seen", hookable_library_remark(m->path));
	}
	if (m->build_id_bytes) {
		set_text(object, "build_id", id);
	}
	free(id);
	set_number(object, "start", m->start);
	set_number(object, "end", m->end);
	set_number(object, "bias", m->bias);
	set_number(object, "loaded_ns", m->loaded_ns);
	if (m->unloaded_ns != UINT64_MAX) {
		set_number(object, "unloaded_ns", m->unloaded_ns);
	}
	return object;
}

static json_t *json_lost(const struct trace_process *p, const struct info_counts *c)
{
	json_t *lost = json_object();

	set_number(lost, "events", p->lost_events);
	set_number(lost, "chunks", p->lost_chunks);
	set_number(lost, "definitions", p->lost_defs);
	set_number(lost, "gaps", c->gaps);
	set_number(lost, "events_in_gaps", c->lost);
	set_number(lost, "nested", p->nested_events);
	return lost;
}

static json_t *json_unrecorded(const struct trace_reader *reader, size_t index)
{
	const struct trace_process *p = trace_reader_get_process(reader, index);
	json_t *array = json_array();

	for (size_t i = 0; i < p->exec_count; i++) {
		json_t *exec;

		if (info_exec_is_recorded(reader, index, i)) {
			continue;
		}
		exec = json_object();
		set_number(exec, "pid", p->execs[i].pid);
		set_text(exec, "path", p->execs[i].path);
		json_array_append_new(array, exec);
	}
	return array;
}

static json_t *json_process(const struct trace_reader *reader, size_t index,
			    const struct info_counts *c)
{
	const struct trace_process *p = trace_reader_get_process(reader, index);
	size_t parent = info_parent(reader, index);
	json_t *object = json_object(), *modules = json_array(), *flags = json_array();

	set_text(object, "name", p->name);
	set_number(object, "pid", p->pid);
	set_number(object, "ppid", p->ppid);
	set_number(object, "image", p->image);
	if (parent != INFO_NO_PARENT) {
		set_text(object, "from", trace_reader_get_process(reader, parent)->name);
	}
	if (*p->command) {
		set_text(object, "command", p->command);
	}
	if (p->start_real_ns) {
		set_number(object, "start_real_ns", p->start_real_ns);
	}
	set_number(object, "duration_ns", p->end_ns);
	if (p->exit_kind) {
		set_text(object, "exit", info_exit_word(p->exit_kind));
	}
	json_object_set_new(object, "complete", json_boolean(p->complete));
	if (!p->complete) {
		set_text(object, "why", p->why);
	}
	for (size_t i = 0; i < FLAG_WORDS; i++) {
		if (p->flags & flag_words[i].flag) {
			json_array_append_new(flags, json_string(flag_words[i].word));
		}
	}
	json_object_set_new(object, "flags", flags);
	set_text(object, "mode", p->flags & TF_PROCESS_BOUNDED ? "bounded" : "full");
	if (p->expired_chunks) {
		set_number(object, "expired_chunks", p->expired_chunks);
	}
	json_object_set_new(object, "not_recorded", json_unrecorded(reader, index));
	if (p->unrecorded_children) {
		set_number(object, "unrecorded_children", p->unrecorded_children);
	}
	if (p->lost_facts) {
		set_number(object, "lost_facts", p->lost_facts);
	}
	if (p->watches) {
		json_object_set_new(object, "memory", coverage_watched_json(p->watches));
	}
	if (p->memory.is_there) {
		json_object_set_new(object, "accesses", info_json_accesses(p));
	}
	if (p->report_count) {
		json_object_set_new(object, "sanitizer", info_json_reports(p));
	}
	if (p->runtime) {
		json_object_set_new(object, "python", info_json_runtime(p));
	}
	set_number(object, "threads", c->threads);
	set_number(object, "blocked", c->blocked);
	set_number(object, "stacks", c->stacks);
	set_number(object, "bytes", p->bytes);
	set_number(object, "used_bytes", p->used_bytes);
	set_number(object, "events", c->events);
	json_object_set_new(object, "lost", json_lost(p, c));
	json_object_set_new(object, "objects", json_objects(c));
	json_object_set_new(object, "tasks", json_tasks(c));
	set_number(object, "callbacks", c->callbacks);
	json_object_set_new(object, "by_event", json_counts(c));
	json_object_set_new(object, "by_object", json_by_object(c));
	for (size_t i = 0; i < p->module_count; i++) {
		json_array_append_new(modules, json_module(&p->modules[i]));
	}
	json_object_set_new(object, "modules", modules);
	return object;
}

int info_write_json(struct trace_reader *reader, FILE *out, struct diag *diag)
{
	json_t *root = json_object(), *processes = json_array();
	int error = 0;

	for (size_t i = 0; i < trace_reader_process_count(reader) && !error; i++) {
		struct info_counts c;

		error = info_count(reader, i, &c, diag);
		if (!error) {
			json_array_append_new(processes, json_process(reader, i, &c));
			info_count_free(&c);
		}
	}
	json_object_set_new(root, "schema", json_string("thrum-info/1"));
	json_object_set_new(root, "processes", processes);
	if (!error) {
		json_dumpf(root, out, JSON_INDENT(2));
		putc('\n', out);
	}
	json_decref(root);
	return error;
}
