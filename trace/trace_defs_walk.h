/* SPDX-License-Identifier: MIT */
/*
 * trace_defs_walk.h - a walk over the definitions of an image. Included by trace_defs*.c and trace_reports.c only.
 */
#ifndef THRUM_TRACE_DEFS_WALK_H
#define THRUM_TRACE_DEFS_WALK_H

#include "trace_defs.h"

#include "trace_text.h"

struct counts {
	uint32_t stacks, objects, threads, tasks, places; /* highest id, below the limit */
	size_t modules;					  /* MODULE and UNLOAD */
	size_t orders, execs, awaits, conflicts, reports, task_locks, contexts, gils;
};

struct module_def;

struct walk {
	struct trace_defs *defs;
	struct trace_image *image;
	uint64_t limit; /* ids below count */
	struct counts found;
	struct module_def *modules;
	size_t module_count;
	bool no_memory;
	const char *
		*site_names; /* by stack; owned, freed by trace_defs_name_objects; NULL = none */
};

/* False, and noted, where a definition is too short for its type, or its number is none. */
bool trace_def_fits(struct walk *w, const struct tf_def *def, size_t need);
bool trace_def_id_ok(struct walk *w, uint32_t id);
uint32_t trace_def_known(uint32_t id, size_t count); /* 0 where it is not below count */

/* A copy as long as the tables; NULL = no bytes, or out of memory, which is noted. */
const char *trace_def_text(struct walk *w, const char *text, size_t bytes);

/* ---- trace_reports.c ---- */

/* Of the definitions first, then what only the log has. False: out of memory. */
void trace_def_report(struct walk *w, const struct tf_def *def, const uint8_t *body);
void trace_defs_add_logged(struct walk *w);
void trace_def_tid(struct walk *w, const struct tf_def *def, const uint8_t *body);

/* ---- trace_defs_python.c ---- */

void trace_def_place(struct walk *w, const struct tf_def *def, const uint8_t *body);
void trace_def_site_name(struct walk *w, const struct tf_def *def, const uint8_t *body);
void trace_def_gil(struct walk *w, const struct tf_def *def, const uint8_t *body);
/* "queue.Queue jobs": its kind's own word, and its name. `text` lives as long as the tables; NULL = out of memory. */
void trace_def_python_name(struct walk *w, struct trace_object *o, const char *text);
/* After all definitions: the objects that were made at a named place. */
void trace_defs_name_objects(struct walk *w);

/* ---- trace_defs_task.c ---- */

void trace_def_task(struct walk *w, const struct tf_def *def, const uint8_t *body);
void trace_def_await(struct walk *w, const struct tf_def *def, const uint8_t *body);
void trace_def_task_lock(struct walk *w, const struct tf_def *def, const uint8_t *body);
void trace_def_task_context(struct walk *w, const struct tf_def *def, const uint8_t *body);
/* After all definitions: the newest look last. */
void trace_defs_order_looks(struct walk *w);
/* After all definitions: what tells of a former task of a number that was given out again. */
void trace_defs_forget_former(struct walk *w);

#endif
