/* SPDX-License-Identifier: MIT */
/*
 * info.c - writes what a trace holds and lacks, as text.
 */
#include "info.h"

#include "../analyzer/hookable.h"
#include "../analyzer/report/escape.h"
#include "../trace/trace_ops.h"
#include "info_count.h"
#include "info_gil.h"
#include "info_json.h"
#include "info_races.h"
#include "info_reports.h"
#include "info_runtime.h"
#include "info_tree.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#define NS 1000000000u

/* Below this many images each is described in full, above only with --verbose. */
#define FULL_IMAGES 8u

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

int info_write(struct trace_reader *reader, const struct info_options *options, FILE *out,
	       struct diag *diag)
{
	int error = options->json ? info_write_json(reader, out, diag)
				  : write_text(reader, options, out, diag);

	if (!error && (fflush(out) || ferror(out))) {
		error = diag_set(diag, THRUM_EIO, "writing the summary: %s", strerror(errno));
	}
	return error;
}
