/* SPDX-License-Identifier: MIT */
/*
 * lockgraph_collect.h - from a trace to its lockgraph.
 *
 * Ids come from what is recorded alone, never from symbols: hosts with and without debug symbols give the same ones. Names and frames of
 * the records do come from symbols.
 */
#ifndef THRUM_ANALYZER_FLEET_LOCKGRAPH_COLLECT_H
#define THRUM_ANALYZER_FLEET_LOCKGRAPH_COLLECT_H

#include "../../trace/trace_reader.h"
#include "../symbolize.h"
#include "lockgraph.h"

/*
 * Adds the lock order of each process image of a trace, as one run: what options->lock_view shows. Lock order between processes is not in
 * it. `symbolize` may be NULL.
 */
int lockgraph_collect(struct trace_reader *reader, const struct symbolize_options *symbolize,
		      struct lockgraph *g, struct diag *diag);

/* ---- lockgraph_identity.c: ids of one process image ---- */

struct lockgraph_names;

/* `process` is borrowed until lockgraph_names_free. */
struct lockgraph_names *lockgraph_names_new(const struct trace_process *process);
void lockgraph_names_free(struct lockgraph_names *names); /* takes NULL */

uint64_t lockgraph_name_program(const struct lockgraph_names *names);
const char *lockgraph_name_build_id(const struct lockgraph_names *names); /* NULL = none */
uint64_t lockgraph_name_stack(struct lockgraph_names *names, uint32_t stack);
uint64_t lockgraph_name_role(struct lockgraph_names *names, uint32_t thread);

/* 0 = nothing tells it in another run. `ret_many`: other objects of this run have the same id. */
uint64_t lockgraph_name_lock(struct lockgraph_names *names, uint32_t object,
			     enum lockgraph_identity *ret_identity, bool *ret_many);

#endif
