/* SPDX-License-Identifier: MIT */
/*
 * info.c - writes what a trace holds and lacks, as text or as JSON.
 */
#include "info.h"

#include "../analyzer/hookable.h"
#include "../analyzer/report/coverage.h"
#include "../analyzer/report/escape.h"
#include "../trace/trace_ops.h"
#include "info_count.h"
#include "info_gil.h"
#include "info_races.h"
#include "info_reports.h"
#include "info_runtime.h"
#include "info_tree.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NS 1000000000u

/* Below this many images each is described in full, above only with --verbose. */
#define FULL_IMAGES 8u

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

/* ---- text ---- */

static void put_field(FILE *out, const char *key)
{
	fprintf(out, "  %-11s ", key);
}

static void put_bytes(FILE *out, uint64_t bytes, uint64_t used, uint64_t events)
{
	put_field(out, "size");
	fprintf(out, "%" PRIu64 " bytes, %" PRIu64 " with content", bytes, used);
	if (events) {
		fprintf(out, ", %.2f per event", (double)used / (double)events);
	}
	putc('\n', out);
}

static void put_objects(FILE *out, const struct info_counts *c)
{
	const char *separator = "";

	put_field(out, "objects");
	for (unsigned kind = 1; kind < INFO_KINDS; kind++) {
		if (c->objects[kind]) {
			fprintf(out, "%s%" PRIu64 " %s", separator, c->objects[kind],
				trace_object_kind_name(kind));
			separator = ", ";
		}
	}
	if (c->objects[0]) {
		fprintf(out, "%s%" PRIu64 " without a definition", separator, c->objects[0]);
		separator = ", ";
	}
	fprintf(out, "%s\n", *separator ? "" : "none");
}

static void put_tasks(FILE *out, const struct info_counts *c)
{
	const char *separator = "";

	for (unsigned kind = 0; kind < INFO_TASKS; kind++) {
		if (!c->tasks[kind]) {
			continue;
		}
		if (!*separator) {
			put_field(out, "tasks");
		}
		fprintf(out, "%s%" PRIu64 " %s (%s)", separator, c->tasks[kind],
			trace_task_word(kind), trace_task_library(kind));
		separator = ", ";
	}
	if (*separator) {
		fprintf(out, "; %" PRIu64 " callbacks\n", c->callbacks);
	}
}

static void put_losses(FILE *out, const struct trace_process *p, const struct info_counts *c)
{
	put_field(out, "lost");
	fprintf(out, "%" PRIu64 " events, %" PRIu64 " chunks, %" PRIu64 " definitions",
		p->lost_events, p->lost_chunks, p->lost_defs);
	if (p->lost_facts) {
		fprintf(out, ", %" PRIu64 " new facts", p->lost_facts);
	}
	if (c->gaps) {
		fprintf(out, "; %" PRIu64 " gaps with %" PRIu64 " events", c->gaps, c->lost);
	}
	if (p->nested_events) {
		fprintf(out, "; %" PRIu64 " calls from signal handlers inside the recorder",
			p->nested_events);
	}
	putc('\n', out);
	put_field(out, "complete");
	fputs(p->complete ? "yes" : "no: ", out);
	escape_terminal(out, p->complete ? "" : p->why);
	putc('\n', out);
}

static void put_table(FILE *out, const struct info_counts *c)
{
	for (unsigned op = 1; op < TF_OPS; op++) {
		if (c->by_op[op]) {
			fprintf(out, "    %12" PRIu64 "  %5.1f %%  %s\n", c->by_op[op],
				100.0 * (double)c->by_op[op] / (double)c->events,
				trace_op_name(op));
		}
	}
}

static void put_modules(FILE *out, const struct trace_process *p)
{
	for (size_t i = 0; i < p->module_count; i++) {
		const struct trace_module *m = &p->modules[i];

		fprintf(out, "    %#" PRIx64 "-%#" PRIx64 "  ", m->start, m->end);
		escape_terminal(out, m->path);
		if (m->build_id_bytes) {
			fputs("  ", out);
		}
		for (uint32_t b = 0; b < m->build_id_bytes; b++) {
			fprintf(out, "%02x", m->build_id[b]);
		}
		fprintf(out, "%s\n", m->unloaded_ns != UINT64_MAX ? "  (unloaded)" : "");
	}
}

static void put_start(FILE *out, const struct trace_process *p)
{
	time_t seconds = (time_t)(p->start_real_ns / NS);
	struct tm tm;
	char text[64];

	if (p->start_real_ns && gmtime_r(&seconds, &tm) &&
	    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm)) {
		put_field(out, "started");
		fprintf(out, "%s\n", text);
	}
}

static void put_mode(FILE *out, const struct trace_process *p)
{
	if (!(p->flags & TF_PROCESS_BOUNDED)) {
		return;
	}
	put_field(out, "mode");
	fputs("bounded: each fact once, and the last events of each thread", out);
	if (p->expired_chunks) {
		fprintf(out, "; %" PRIu64 " chunks of repetitions were overwritten",
			p->expired_chunks);
	}
	putc('\n', out);
}

/* Programs that this one started and that left no trace. */
static void put_unrecorded(FILE *out, const struct trace_reader *reader, size_t index)
{
	const struct trace_process *p = trace_reader_get_process(reader, index);

	for (size_t i = 0; i < p->exec_count; i++) {
		if (!info_exec_is_recorded(reader, index, i)) {
			put_field(out, "not seen");
			escape_terminal(out, p->execs[i].path);
			fprintf(out, " as process %" PRIu32 ": it did not record itself\n",
				p->execs[i].pid);
		}
	}
}

/* What its libraries do with locks of their own that calls from outside do not show. */
static void put_library_remarks(FILE *out, const struct trace_process *p)
{
	const char *told = NULL;

	for (size_t i = 0; i < p->module_count; i++) {
		const char *path = p->modules[i].path;
		const char *remark = path ? hookable_library_remark(path) : NULL;

		if (remark && remark != told) {
			put_field(out, "not seen");
			escape_terminal(out, strrchr(path, '/') ? strrchr(path, '/') + 1 : path);
			fprintf(out, ": %s\n", remark);
			told = remark;
		}
	}
}

/* What of this process no recorder of this kind can see, or could not here. */
static void put_unseen(FILE *out, const struct trace_reader *reader, size_t index)
{
	const struct trace_process *p = trace_reader_get_process(reader, index);
	static const struct {
		uint32_t flag;
		const char *text;
	} unseen[] = {
		{ TF_PROCESS_UNSEEN_THREADS,
		  "threads that libc made for itself (SIGEV_THREAD): what they do is missing" },
		{ TF_PROCESS_SECCOMP,
		  "it runs under a seccomp filter, which may have kept the recorder from its files" },
	};

	for (size_t i = 0; i < sizeof(unseen) / sizeof(unseen[0]); i++) {
		if (p->flags & unseen[i].flag) {
			put_field(out, "not seen");
			fprintf(out, "%s\n", unseen[i].text);
		}
	}
	put_library_remarks(out, p);
	put_unrecorded(out, reader, index);
	if (p->unrecorded_children) {
		put_field(out, "not seen");
		fprintf(out, "%" PRIu32 " forked children that could make no files here\n",
			p->unrecorded_children);
	}
}

static void put_parent(FILE *out, const struct trace_reader *reader, size_t index)
{
	const struct trace_process *p = trace_reader_get_process(reader, index), *parent;
	size_t from = info_parent(reader, index);

	put_field(out, "pid");
	fprintf(out, "%" PRIu32 ", parent %" PRIu32, p->pid, p->ppid);
	if (from != INFO_NO_PARENT) {
		parent = trace_reader_get_process(reader, from);
		fprintf(out, parent->pid == p->pid ? ", by exec from %s" : ", process %s",
			parent->name);
	}
	putc('\n', out);
}

static void put_process(FILE *out, const struct info_options *options,
			const struct trace_reader *reader, size_t index,
			const struct info_counts *c)
{
	const struct trace_process *p = trace_reader_get_process(reader, index);

	fprintf(out, "process %s\n", p->name);
	if (*p->command) {
		put_field(out, "command");
		escape_terminal(out, p->command);
		putc('\n', out);
	}
	put_parent(out, reader, index);
	put_start(out, p);
	put_field(out, "duration");
	fprintf(out, "%" PRIu64 ".%09" PRIu64 " s\n", p->end_ns / NS, p->end_ns % NS);
	put_field(out, "exit");
	fprintf(out, "%s\n", info_exit_word(p->exit_kind));
	if (p->libc_version) {
		put_field(out, "libc");
		fprintf(out, "%" PRIu32 ".%" PRIu32 "\n", p->libc_version >> 16,
			p->libc_version & 0xffff);
	}
	info_put_runtime(out, p, "python");
	info_put_gil(out, p, p->flags & TF_PROCESS_BOUNDED ? NULL : c->life_ns, "gil");
	info_put_races(out, p, "memory");
	info_put_accesses(out, p, "accesses");
	info_put_reports(out, p);
	put_field(out, "threads");
	fprintf(out, "%" PRIu64 ", %" PRIu64 " blocked in a recorded call at the end\n", c->threads,
		c->blocked);
	put_objects(out, c);
	put_tasks(out, c);
	put_field(out, "stacks");
	fprintf(out, "%" PRIu64 "\n", c->stacks);
	put_bytes(out, p->bytes, p->used_bytes, c->events);
	put_mode(out, p);
	put_losses(out, p, c);
	put_unseen(out, reader, index);
	put_field(out, "events");
	fprintf(out, "%" PRIu64 "\n", c->events);
	put_table(out, c);
	put_field(out, "modules");
	fprintf(out, "%zu\n", p->module_count);
	if (options->modules) {
		put_modules(out, p);
	}
}

static void put_totals(FILE *out, const struct trace_reader *reader)
{
	uint64_t events = 0, bytes = 0, used = 0;
	size_t n = trace_reader_process_count(reader);

	for (size_t i = 0; i < n; i++) {
		const struct trace_process *p = trace_reader_get_process(reader, i);

		events += p->events;
		bytes += p->bytes;
		used += p->used_bytes;
	}
	fprintf(out, "\nall %zu processes\n", n);
	put_field(out, "events");
	fprintf(out, "%" PRIu64 "\n", events);
	put_bytes(out, bytes, used, events);
}

static int write_text(struct trace_reader *reader, const struct info_options *options, FILE *out,
		      struct diag *diag)
{
	size_t n = trace_reader_process_count(reader);

	if (n > 1) {
		fprintf(out, "%zu processes (one that called exec counts again)\n", n);
		info_put_tree(reader, out);
		putc('\n', out);
	}
	for (size_t i = 0; i < n && (n <= FULL_IMAGES || options->modules); i++) {
		struct info_counts c;
		int error = info_count(reader, i, &c, diag);

		if (error) {
			return error;
		}
		fputs(i ? "\n" : "", out);
		put_process(out, options, reader, i, &c);
		info_count_free(&c);
	}
	for (size_t i = 0; i < n && n > FULL_IMAGES && !options->modules; i++) {
		put_unrecorded(out, reader, i);
	}
	if (n > FULL_IMAGES && !options->modules) {
		fputs("  thrum info --verbose describes each of them\n", out);
	}
	if (n > 1) {
		put_totals(out, reader);
	}
	return 0;
}

/* ---- JSON ---- */

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

static int write_json(struct trace_reader *reader, FILE *out, struct diag *diag)
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

int info_write(struct trace_reader *reader, const struct info_options *options, FILE *out,
	       struct diag *diag)
{
	int error = options->json ? write_json(reader, out, diag)
				  : write_text(reader, options, out, diag);

	if (!error && (fflush(out) || ferror(out))) {
		error = diag_set(diag, THRUM_EIO, "writing the summary: %s", strerror(errno));
	}
	return error;
}
