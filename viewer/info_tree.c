/* SPDX-License-Identifier: MIT */
/*
 * info_tree.c - the process tree of a trace as text.
 */
#include "info_tree.h"

#include "../analyzer/report/escape.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NAME_COLUMNS 24u
#define COMMAND_COLUMNS 60u
#define INDENT_MAX 20u

const char *info_exit_word(uint32_t kind)
{
	switch ((enum trace_exit)kind) {
	case TRACE_EXIT_DESTRUCTORS:
		return "exit";
	case TRACE_EXIT_QUICK:
		return "_exit";
	case TRACE_EXIT_EXEC:
		return "exec";
	}
	return "none seen";
}

size_t info_parent(const struct trace_reader *reader, size_t index)
{
	const struct trace_process *p = trace_reader_get_process(reader, index);

	/* Images are ordered by their start: the newest before this one that fits. */
	for (size_t i = index; i-- > 0;) {
		const struct trace_process *q = trace_reader_get_process(reader, i);

		if (q->pid != p->pid) {
			continue;
		}
		if (q->exit_kind == TRACE_EXIT_EXEC || q->image == p->exec_image) {
			return i;
		}
		break; /* the number was given out again */
	}
	for (size_t i = index; i-- > 0;) {
		const struct trace_process *q = trace_reader_get_process(reader, i);

		if (q->pid == p->ppid && (!p->parent_image || q->image == p->parent_image)) {
			return i;
		}
	}
	return INFO_NO_PARENT;
}

bool info_exec_is_recorded(const struct trace_reader *reader, size_t index, size_t exec)
{
	const struct trace_process *p = trace_reader_get_process(reader, index);
	uint32_t pid = p->execs[exec].pid;

	if (pid == p->pid && p->exit_kind != TRACE_EXIT_EXEC) {
		return true; /* its own exec, and it is still there */
	}
	for (size_t i = index + 1; i < trace_reader_process_count(reader); i++) {
		if (trace_reader_get_process(reader, i)->pid == pid) {
			return true;
		}
	}
	return false;
}

/* ---- text ---- */

struct tree {
	const struct trace_reader *reader;
	const size_t *parents;
	size_t count;
	FILE *out;
};

static void put_command(FILE *out, const char *command)
{
	char *cut = strndup(command, COMMAND_COLUMNS);

	if (!cut) {
		return;
	}
	escape_terminal(out, cut);
	if (strlen(command) > COMMAND_COLUMNS) {
		fputs("...", out);
	}
	free(cut);
}

static void put_node(const struct tree *tree, size_t index, unsigned depth)
{
	const struct trace_process *p = trace_reader_get_process(tree->reader, index);
	unsigned indent = 2 + 2 * (depth < INDENT_MAX ? depth : INDENT_MAX);
	int used = fprintf(tree->out, "%*s%s", (int)indent, "", p->name);
	uint64_t threads = 0;

	for (size_t i = 1; i < p->thread_count; i++) {
		threads += p->threads[i].defined;
	}
	fprintf(tree->out, "%*s", used < (int)NAME_COLUMNS ? (int)NAME_COLUMNS - used : 1, "");
	put_command(tree->out, p->command);
	fprintf(tree->out, "\n%*s%s, %" PRIu64 " thread%s, %" PRIu64 " events", (int)NAME_COLUMNS,
		"", p->exit_kind ? info_exit_word(p->exit_kind) : "killed or still running",
		threads, threads == 1 ? "" : "s", p->events);
	if (p->lost_events || p->lost_chunks) {
		fprintf(tree->out, ", %" PRIu64 " events and %" PRIu64 " chunks lost",
			p->lost_events, p->lost_chunks);
	}
	putc('\n', tree->out);
}

/* Depth is bounded by the count: a parent comes before its children. */
static void put_below(const struct tree *tree, size_t parent, unsigned depth)
{
	size_t first = parent == INFO_NO_PARENT ? 0 : parent + 1;

	for (size_t i = first; i < tree->count; i++) {
		if (tree->parents[i] == parent) {
			put_node(tree, i, depth);
			put_below(tree, i, depth + 1);
		}
	}
}

void info_put_tree(const struct trace_reader *reader, FILE *out)
{
	size_t count = trace_reader_process_count(reader);
	size_t *parents = calloc(count + 1, sizeof(*parents));
	struct tree tree = { .reader = reader, .parents = parents, .count = count, .out = out };

	if (!parents) {
		return;
	}
	for (size_t i = 0; i < count; i++) {
		parents[i] = info_parent(reader, i);
	}
	put_below(&tree, INFO_NO_PARENT, 0);
	free(parents);
}
