/* SPDX-License-Identifier: MIT */
/*
 * run_scene.c - writes the images of a run and has them analysed.
 */
#include "run_scene.h"

#include "trace_scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct run *run_new(void)
{
	struct run *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	r->dir = scratch_new();
	return r;
}

void run_check(struct run *r)
{
	struct trace_reader *reader = scratch_open(r->dir);
	struct analyze_stats stats;
	struct diag diag;

	r->findings = finding_list_new();
	assert_int_equal(analyze_run(reader, NULL, r->findings, &stats, &diag), 0);
	trace_reader_free(reader);
}

void run_free(struct run *r)
{
	finding_list_free(r->findings);
	scratch_remove(r->dir);
	free(r);
}

/* Every image is later than those before; all tell the time of one clock. */
struct image image_new(struct run *r, uint32_t pid, uint32_t ppid, const char *command)
{
	struct image i = { .run = r, .w = trace_writer_new_image(r->dir, pid, 0, ppid, 0) };
	struct tf_process *head = trace_writer_get_header(i.w);

	r->now += TICKS;
	i.started = r->now;
	head->start_ticks += r->now;
	head->start_mono_ns += (uint64_t)r->now * TRACE_WRITER_TICK_NS;
	trace_writer_command(i.w, command);
	trace_writer_thread(i.w, 1, 0, 0);
	trace_writer_tid(i.w, 0, pid);
	trace_writer_event(i.w, 0, TRACE_THREAD_BEGIN, 10, 0, 0, 0, 1, 0, 0);
	return i;
}

void image_thread(struct image *i, uint32_t stream, uint32_t thread)
{
	trace_writer_thread(i->w, thread, 1, 1);
	trace_writer_create(i->w, 0, thread, 1);
	trace_writer_begin(i->w, stream, thread);
	i->run->now += 10 * TICKS;
}

void image_end(struct image *i, uint32_t exit_kind)
{
	trace_writer_finish(i->w, exit_kind);
}

/* Object `id` of the image is thing `id` of the run. */
void shares(struct image *i, uint32_t id, enum trace_object_kind kind, uint32_t attributes)
{
	trace_writer_object_full(i->w, id, kind, 0x1000u * i->started + 64 * id, 0, 1, attributes,
				 TF_WHERE_UNKNOWN);
	trace_writer_identity(i->w, id, TF_IDENTITY_MEMORY, 77, 64 * id, 0);
}

void owns(struct image *i, uint32_t id, enum trace_object_kind kind)
{
	trace_writer_object_full(i->w, id, kind, 0x100000 + 64 * id, 0, 1, 0, TF_WHERE_MODULE);
}

void does(struct image *i, uint32_t stream, enum trace_op op, uint32_t object, uint64_t arg,
	  int32_t result)
{
	i->run->now += TICKS;
	trace_writer_event(i->w, stream, op, i->run->now - i->started, object, 0, stream + 1, arg,
			   result, TRACE_WRITER_AUTO);
}

void locks(struct image *i, uint32_t object)
{
	does(i, 0, TRACE_ACQUIRE, object, 0, 0);
}

void unlocks(struct image *i, uint32_t object)
{
	does(i, 0, TRACE_RELEASE, object, 0, 0);
}

void waits(struct image *i, enum trace_wait_kind kind, uint32_t object, uint32_t other,
	   uint32_t mode)
{
	struct trace_wait wait = {
		.kind = kind, .object = object, .other = other, .mode = mode, .stack = 1
	};

	trace_writer_wait(i->w, 0, &wait);
}

void forks(struct image *i, uint32_t pid)
{
	does(i, 0, TRACE_FORK_BEGIN, 0, 0, 0);
	does(i, 0, TRACE_FORK, 0, pid, 0);
}

size_t count(const struct run *r, enum rule rule)
{
	size_t n = 0;

	for (size_t i = 0; i < finding_list_count(r->findings); i++)
		n += finding_list_get(r->findings, i)->rule == rule;
	return n;
}

const struct finding *only(const struct run *r, enum rule rule, enum confidence confidence)
{
	const struct finding *f;

	if (finding_list_count(r->findings) != 1)
		for (size_t i = 0; i < finding_list_count(r->findings); i++)
			print_message("%s\n", finding_list_get(r->findings, i)->title);
	assert_int_equal(finding_list_count(r->findings), 1);
	f = finding_list_get(r->findings, 0);
	assert_int_equal(f->rule, rule);
	assert_int_equal(f->confidence, confidence);
	return f;
}

void assert_silent(const struct run *r)
{
	for (size_t i = 0; i < finding_list_count(r->findings); i++)
		print_message("%s\n", finding_list_get(r->findings, i)->title);
	assert_int_equal(finding_list_count(r->findings), 0);
}
