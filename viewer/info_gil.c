/* SPDX-License-Identifier: MIT */
/*
 * info_gil.c - sums TF_DEF_GIL up and names the threads that stand out.
 */
#include "info_gil.h"

#include "../analyzer/report/escape.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 3 }; /* threads of each list */

static uint64_t waited(const struct trace_gil *g)
{
	return g->wait_ns;
}

static uint64_t kept(const struct trace_gil *g)
{
	return g->kept_ns;
}

static struct trace_gil sum(const struct trace_process *p)
{
	struct trace_gil all = { 0 };

	for (size_t i = 0; i < p->gil_count; i++) {
		const struct trace_gil *g = &p->gils[i];

		all.thread += g->waits && g->thread;
		all.waits += g->waits;
		all.wait_ns += g->wait_ns;
		all.kept_ns += g->kept_ns;
		all.longest_ns = g->longest_ns > all.longest_ns ? g->longest_ns : all.longest_ns;
	}
	return all;
}

/* Bounded mode: threads that nobody counted one by one. */
static bool others_waited(const struct trace_process *p)
{
	for (size_t i = 0; i < p->gil_count; i++) {
		if (p->gils[i].waits && !p->gils[i].thread) {
			return true;
		}
	}
	return false;
}

/* The greatest below the one before, by time and then by place; NULL = no more. */
static const struct trace_gil *next_of(const struct trace_process *p,
				       uint64_t (*time_of)(const struct trace_gil *),
				       const struct trace_gil *before)
{
	const struct trace_gil *next = NULL;

	for (size_t i = 0; i < p->gil_count; i++) {
		const struct trace_gil *g = &p->gils[i];
		bool below = !before || time_of(g) < time_of(before) ||
			     (time_of(g) == time_of(before) && g > before);

		if (time_of(g) && below && (!next || time_of(g) > time_of(next))) {
			next = g;
		}
	}
	return next;
}

static void put_name(FILE *out, const struct trace_process *p, uint32_t thread)
{
	if (!thread) {
		fputs("threads that are over", out);
	} else if (p->threads[thread].name) {
		putc('"', out);
		escape_terminal(out, p->threads[thread].name);
		putc('"', out);
	} else {
		fprintf(out, thread == 1 ? "the main thread" : "thread %" PRIu32, thread);
	}
}

static void put_list(FILE *out, const struct trace_process *p, const char *before,
		     uint64_t (*time_of)(const struct trace_gil *), const uint64_t *life_ns)
{
	const struct trace_gil *g = NULL;
	const char *separator = before;

	for (int i = 0; i < SHOWN; i++) {
		g = next_of(p, time_of, g);
		if (!g) {
			return;
		}
		fputs(separator, out);
		put_name(out, p, g->thread);
		fprintf(out, " %.3f s", (double)time_of(g) / 1e9);
		if (life_ns && g->thread && life_ns[g->thread] >= time_of(g)) {
			fprintf(out, " (%.0f %% of its time)",
				100.0 * (double)time_of(g) / (double)life_ns[g->thread]);
		}
		separator = ", ";
	}
}

void info_put_gil(FILE *out, const struct trace_process *p, const uint64_t *life_ns,
		  const char *key)
{
	struct trace_gil all = sum(p);

	if (!all.waits) {
		return;
	}
	fprintf(out, "  %-11s %" PRIu32 " thread%s%s waited %" PRIu64 " time%s, ", key, all.thread,
		all.thread == 1 ? "" : "s", others_waited(p) ? " and some that are over" : "",
		all.waits, all.waits == 1 ? "" : "s");
	fprintf(out, "%.3f s together, %.3f s at most", (double)all.wait_ns / 1e9,
		(double)all.longest_ns / 1e9);
	put_list(out, p, ": ", waited, life_ns);
	put_list(out, p, "; while it was had by ", kept, NULL);
	putc('\n', out);
}

static json_t *json_thread(const struct trace_process *p, const struct trace_gil *g)
{
	json_t *object = json_pack("{s:I, s:I, s:I, s:I}", "waits", (json_int_t)g->waits, "wait_ns",
				   (json_int_t)g->wait_ns, "longest_ns", (json_int_t)g->longest_ns,
				   "kept_ns", (json_int_t)g->kept_ns);
	char *name = g->thread && p->threads[g->thread].name
			     ? escape_utf8(p->threads[g->thread].name)
			     : NULL;

	if (g->thread) {
		json_object_set_new(object, "thread", json_integer(g->thread));
	}
	if (name) {
		json_object_set_new(object, "name", json_string(name));
	}
	free(name);
	return object;
}

json_t *info_json_gil(const struct trace_process *p)
{
	struct trace_gil all = sum(p);
	json_t *object, *threads;

	if (!all.waits) {
		return NULL;
	}
	threads = json_array();
	for (const struct trace_gil *g = next_of(p, waited, NULL); g; g = next_of(p, waited, g)) {
		json_array_append_new(threads, json_thread(p, g));
	}
	for (size_t i = 0; i < p->gil_count; i++) {
		if (!p->gils[i].wait_ns && p->gils[i].kept_ns) {
			json_array_append_new(threads, json_thread(p, &p->gils[i]));
		}
	}
	object = json_pack("{s:I, s:I, s:I, s:o}", "waits", (json_int_t)all.waits, "wait_ns",
			   (json_int_t)all.wait_ns, "longest_ns", (json_int_t)all.longest_ns,
			   "threads", threads);
	return object;
}
