/* SPDX-License-Identifier: MIT */
/*
 * run_scene.h - a made-up run of several processes as a real trace, for tests of what spans them.
 *
 *	struct run *r = run_new();
 *	struct image p = image_new(r, 10, 1, "server"), c;
 *	shares(&p, A, TRACE_OBJECT_MUTEX, SHARED);
 *	forks(&p, 20);
 *	c = image_new(r, 20, 10, "server");
 *	locks(&p, A);
 *	image_end(&p, 0);
 *	run_check(r);
 *	assert_silent(r);
 *	run_free(r);
 *
 * Actions of all images take place in the order of the calls, on one clock. Stream 0 is the main
 * thread. The stack of an action is its stream + 1.
 */
#ifndef THRUM_TESTS_UNIT_RUN_SCENE_H
#define THRUM_TESTS_UNIT_RUN_SCENE_H

#include "analyzer/analyze.h"
#include "trace/trace_writer.h"

enum { A = 1, B = 2, C = 3, D = 4 };
enum { SHARED = TF_PSHARED };
#define TICKS 1000u

struct run {
	char *dir;
	struct finding_list *findings; /* after run_check */
	uint32_t now;		       /* ticks */
};

struct image {
	struct run *run;
	struct trace_writer *w;
	uint32_t started;
};

struct run *run_new(void);
/* Analyses the trace. */
void run_check(struct run *r);
void run_free(struct run *r);

struct image image_new(struct run *r, uint32_t pid, uint32_t ppid, const char *command);
/* Thread `thread` begins on its own stream, made by the main thread. */
void image_thread(struct image *i, uint32_t stream, uint32_t thread);
void image_end(struct image *i, uint32_t exit_kind);

/* Object `id` of the image is thing `id` of the run; or its own. */
void shares(struct image *i, uint32_t id, enum trace_object_kind kind, uint32_t attributes);
void owns(struct image *i, uint32_t id, enum trace_object_kind kind);

void does(struct image *i, uint32_t stream, enum trace_op op, uint32_t object, uint64_t arg,
	  int32_t result);
/* The main thread. */
void locks(struct image *i, uint32_t object);
void unlocks(struct image *i, uint32_t object);
void forks(struct image *i, uint32_t pid);
/* What it is blocked on at the end. */
void waits(struct image *i, enum trace_wait_kind kind, uint32_t object, uint32_t other,
	   uint32_t mode);

size_t count(const struct run *r, enum rule rule);
/* The one finding there is. */
const struct finding *only(const struct run *r, enum rule rule, enum confidence confidence);
void assert_silent(const struct run *r);

#endif
