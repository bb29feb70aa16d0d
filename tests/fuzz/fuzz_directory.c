/* SPDX-License-Identifier: MIT */
/*
 * fuzz_directory.c - the reader on any directory: no crash, an end, ids inside the tables, time
 * forward within a stream.
 *
 * Input: fuzz_layout.h.
 */
#include "fuzz_check.h"

#include "fuzz_layout.h"

#include "trace/trace_reader.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *directory;
static volatile uint64_t sink; /* so that what is only read is not optimised away */

static void remove_directory(void)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/1.0.map", directory);
	unlink(path);
	snprintf(path, sizeof(path), "%s/1.0.events", directory);
	unlink(path);
	rmdir(directory);
	free(directory);
	directory = NULL;
}

static void make_directory(void)
{
	const char *base = access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm";
	char name[64];

	snprintf(name, sizeof(name), "%s/thrum-fuzz-XXXXXX", base);
	check(mkdtemp(name) != NULL);
	directory = strdup(name);
	check(directory != NULL);
	atexit(remove_directory);
}

static void check_tables(const struct trace_process *p)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < p->stack_count; i++) {
		for (uint32_t f = 0; f < p->stacks[i].frames; f++) {
			sum += p->stacks[i].ip[f];
		}
	}
	for (size_t i = 0; i < p->object_count; i++) {
		check(p->objects[i].stack < p->stack_count &&
		      p->objects[i].thread < p->thread_count);
	}
	for (size_t i = 0; i < p->thread_count; i++) {
		check(p->threads[i].parent < p->thread_count &&
		      p->threads[i].stack < p->stack_count);
		sum += p->threads[i].name ? strlen(p->threads[i].name) : 0;
	}
	for (size_t i = 0; i < p->module_count; i++) {
		sum += strlen(p->modules[i].path);
		for (uint32_t b = 0; b < p->modules[i].build_id_bytes; b++) {
			sum += p->modules[i].build_id[b];
		}
	}
	for (size_t i = 0; i < p->wait_count; i++) {
		check(p->waits[i].thread && p->waits[i].thread < p->thread_count);
		check(p->waits[i].wait.object < p->object_count &&
		      p->waits[i].wait.stack < p->stack_count);
	}
	check(p->complete ? !*p->why : *p->why);
	check(strlen(p->command) <= 256);
	sink = sum;
}

static void check_event(const struct trace_process *p, const struct trace_event *e)
{
	check(e->op && e->op < TF_OPS && strcmp(trace_op_name(e->op), "unknown-event"));
	check(e->object < p->object_count && e->stack < p->stack_count &&
	      e->thread < p->thread_count);
	check(e->other < (e->op == TRACE_REQUEST ? p->thread_count : p->object_count));
	check(e->op != TRACE_JOIN || e->arg < p->thread_count);
	check(!e->synthetic || e->op == TRACE_LOST);
}

/* Reads it all; returns a digest of what came out. */
static uint64_t read_events(struct trace_reader *r, size_t limit)
{
	static uint64_t newest[256];
	const struct trace_process *p = trace_reader_get_process(r, 0);
	struct trace_event e;
	uint64_t digest = 0;
	size_t count = 0;

	memset(newest, 0, sizeof(newest));
	while (trace_reader_next(r, &e)) {
		check_event(p, &e);
		check(++count <= limit);
		if (e.stream < 256) {
			check(e.time_ns >= newest[e.stream]);
			newest[e.stream] = e.time_ns;
		}
		digest = digest * 31 + e.op + e.object * 7u + e.time_ns + e.thread;
	}
	check(!trace_reader_next(r, &e));
	return digest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct trace_reader *r;
	uint64_t first;

	if (!directory) {
		make_directory();
	}
	fuzz_layout_expand(directory, data, size);
	if (trace_reader_open(directory, &r, NULL)) {
		return 0;
	}
	check_tables(trace_reader_get_process(r, 0));
	/* A record has two bytes or more; a gap, which makes two events at most, a header. */
	first = read_events(r, 2 * size + 1000);
	check(!trace_reader_rewind(r, 0, NULL));
	check(read_events(r, 2 * size + 1000) == first);
	trace_reader_free(r);
	return 0;
}
