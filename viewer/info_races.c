/* SPDX-License-Identifier: MIT */
/*
 * info_races.c - TF_DEF_WATCHES of a process, and its recorded accesses, in words.
 */
#include "info_races.h"

#include "../analyzer/report/coverage.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

bool info_put_races(FILE *out, const struct trace_process *p, const char *key)
{
	const struct tf_def_watches *w = p->watches;

	if (!w) {
		return false;
	}
	fprintf(out, "  %-11s ", key);
	if (coverage_why(w)) {
		fprintf(out, "not watched%s: %s", w->samples ? " to the end" : "", coverage_why(w));
		if (w->state == TF_WATCH_REFUSED) {
			fprintf(out, " (%s)", strerror((int)w->detail));
		}
		fprintf(out, "%s", w->samples ? "; " : "");
	}
	if (!coverage_why(w) || w->samples) {
		fprintf(out,
			"%" PRIu32 " samples, %" PRIu32 " instructions reached of %" PRIu32
			" chosen, %" PRIu32 " watches with a pause and %" PRIu32
			" without, %" PRIu32 " met another thread; paused %.3f s, spent %.3f s",
			w->samples, w->traps, w->choices, w->pauses, w->residents, w->conflicts,
			(double)w->paused_us / 1e6, (double)w->spent_us / 1e6);
	}
	if (w->deep & TF_DEEP_MASK) {
		fprintf(out, "; deep: %" PRIu32 " planted", w->deep >> TF_DEEP_SHIFT);
	}
	if (coverage_shallow(w)) {
		fprintf(out, ", then as auto: %s", coverage_shallow(w));
	}
	putc('\n', out);
	return true;
}

/* ---- accesses of a ThreadSanitizer build ---- */

struct accesses {
	struct trace_memory_look look;
	uint64_t recorded, atomics, threads;
};

/* A thread is announced anew where its lane goes on in another chunk: counted by its number. */
static void count_lane(struct trace_memory *memory, size_t lane, uint8_t *seen, size_t thread_count,
		       struct accesses *a)
{
	struct trace_memory_cursor *cursor;
	struct trace_memory_item i;

	if (trace_memory_cursor_new(memory, lane, &cursor)) {
		return;
	}
	while (trace_memory_next(cursor, &i) > 0) {
		a->recorded += i.kind == TM_ACCESS;
		a->atomics += i.kind == TM_SYNC;
		if (i.kind == TM_THREAD && i.address < thread_count && !seen[i.address]) {
			seen[i.address] = 1;
			a->threads++;
		}
	}
	trace_memory_cursor_free(cursor);
}

static bool count_accesses(const struct trace_process *p, struct accesses *ret)
{
	uint8_t *seen = calloc(p->thread_count + 1, 1);
	struct trace_memory *memory;
	struct diag diag;

	*ret = (struct accesses){ .look = p->memory };
	if (!seen || !p->memory.is_there || trace_memory_open(p->memory_path, &memory, &diag)) {
		free(seen);
		return false;
	}
	for (size_t lane = 0; lane < trace_memory_lane_count(memory); lane++) {
		count_lane(memory, lane, seen, p->thread_count, ret);
	}
	trace_memory_free(memory);
	free(seen);
	return true;
}

bool info_put_accesses(FILE *out, const struct trace_process *p, const char *key)
{
	struct accesses a;

	if (!count_accesses(p, &a)) {
		return false;
	}
	fprintf(out,
		"  %-11s %" PRIu64 " recorded, %" PRIu64 " left out as samples, %" PRIu64
		" atomic operations, of %" PRIu64 " thread%s; %" PRIu64 " bytes\n",
		key, a.recorded, a.look.left_out, a.atomics, a.threads, a.threads == 1 ? "" : "s",
		a.look.bytes);
	return true;
}

json_t *info_json_accesses(const struct trace_process *p)
{
	struct accesses a;

	if (!count_accesses(p, &a)) {
		return NULL;
	}
	return json_pack("{s:s,s:I,s:I,s:I,s:I,s:I,s:I}", "mode",
			 a.look.mode == TM_FULL ? "full" : "sampled", "recorded",
			 (json_int_t)a.recorded, "left_out", (json_int_t)a.look.left_out, "atomics",
			 (json_int_t)a.atomics, "threads", (json_int_t)a.threads, "bytes",
			 (json_int_t)a.look.bytes, "lost", (json_int_t)a.look.lost);
}
