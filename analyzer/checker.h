/* SPDX-License-Identifier: MIT */
/*
 * checker.h - the one interface of all checkers: pure consumers of the model that produce findings.
 *
 * A checker never prints, sorts, symbolises, reads files or writes the model. It has no global
 * state: `begin` makes a state per process image, `release` frees it. Checkers run in table order;
 * at the end of an image every `finish` is called in the same order, so the deadlock checker comes
 * before lock_order, which leaves out what was observed.
 *
 * Titles and messages name locks as {lock:ID}, threads as {thread:ID}, tasks as {task:ID}; finding_expand_names
 * replaces both by the words of the finding's lists after symbolisation. The ids must be in the
 * lists.
 */
#ifndef THRUM_ANALYZER_CHECKER_H
#define THRUM_ANALYZER_CHECKER_H

#include "analyze.h"
#include "finding.h"
#include "fork_book.h"
#include "model/model.h"
#include "run_processes.h"

/* Everything a checker may see of the image under analysis. */
struct analysis {
	const struct trace_process *process; /* borrowed */
	size_t process_index;
	/* Several images looked at as one: `process` is made up, ids are united. NULL = one image */
	const struct run_processes *run;
	struct fork_book *forks; /* of the whole run; NULL = not kept */
	struct model *model;
	struct finding_list *findings;
	const struct analyze_options *options;
	struct analyze_stats *stats;
	/* Lock cycles that really happened: see analysis_add_observed. */
	uint32_t **observed; /* each: count, then the ids ascending */
	size_t observed_count;
	/*
	 * A checker that has to see the events once more sets this in `finish` to something
	 * non-NULL. In the second pass only such checkers take part; `begin` finds here what it
	 * asked for and owns it. NULL in the first pass's begin. There is no third pass.
	 */
	void *again;
};

#define CHECKER_OP(op) (UINT64_C(1) << (op))
#define CHECKER_ALL (~UINT64_C(0))

struct checker {
	const char *name;
	bool in_run;		 /* also looks at several processes as one: see run_union.h */
	uint64_t consumes;	 /* CHECKER_OP bits of the events on_event wants to see */
	uint64_t consumes_again; /* in the second pass; 0 = the same. See struct analysis */
	/* enum model_step_flag: on_event sees steps with one of these too, whatever the op */
	uint32_t on_flags;
	/* Returns the state handed to the others; NULL is fine when it needs none. May be NULL. */
	void *(*begin)(struct analysis *a);
	/* After the model applied `event`. NULL when consumes and on_flags are 0. */
	void (*on_event)(void *state, struct analysis *a, const struct trace_event *event,
			 const struct model_step *step);
	/*
	 * A thread is over at the end of the trace (model_finish): same meaning as MODEL_STEP_OVER.
	 * May be NULL.
	 */
	void (*on_thread_over)(void *state, struct analysis *a, struct model_thread *thread);
	/* The image's last event was applied. May be NULL. */
	void (*finish)(void *state, struct analysis *a);
	void (*release)(void *state); /* takes what begin returned; may be NULL when begin is */
};

/* NULL-terminated, in order of calls. A new checker is a row in checker.c. */
extern const struct checker *const checker_table[];

/* ---- building findings: ids come with what the trace knows about them ---- */

/* True unless --rules leaves the rule out. */
bool analysis_wants(const struct analysis *a, enum rule rule);

/* finding_begin for this image. */
struct finding *analysis_begin(struct analysis *a, enum rule rule, enum confidence confidence);

/* Adds the thread once: pid, tid, name, label, creation stack filled. id 0 is ignored. */
void analysis_add_thread(struct analysis *a, struct finding *f, uint32_t thread);

/*
 * "main thread", "thread 3 \"worker\""; of several processes "process 123 (worker)" for the main
 * thread of one, "thread 3 of process 123 (worker)" for others.
 */
const char *analysis_thread_label(struct analysis *a, uint32_t thread);

/* Adds the object once: kind, address, first-seen stack filled. id 0 is ignored. */
void analysis_add_lock(struct analysis *a, struct finding *f, uint32_t object);

/* Adds a piece of memory, the `index`-th of this finding, which is no object of the trace; returns the id it has in {lock:ID}. */
uint32_t analysis_add_memory(struct analysis *a, struct finding *f, uint32_t index,
			     uint64_t address);

/* Adds the task once, with words for its kind. `callback` and `made`: stacks, 0 = not known. */
void analysis_add_task(struct analysis *a, struct finding *f, uint32_t task, unsigned kind,
		       uint32_t callback, uint32_t made);

/* "task refresh", "task worker-1 (work)": of a coroutine, for notes, which know no {task:ID}. */
const char *analysis_task_label(struct analysis *a, uint32_t task);

/*
 * Adds the stack, its thread and its lock (each 0 = none). `held`/`held_count`: object ids, copied;
 * they are listed too.
 */
struct finding_stack *analysis_add_stack(struct analysis *a, struct finding *f,
					 enum stack_role role, uint32_t thread, uint32_t object,
					 uint32_t stack, uint64_t time_ns, const uint32_t *held,
					 size_t held_count);

/* As above, held locks = the present held set of the thread. */
struct finding_stack *analysis_add_stack_now(struct analysis *a, struct finding *f,
					     enum stack_role role, uint32_t thread, uint32_t object,
					     uint32_t stack, uint64_t time_ns);

/* Level is set from the confidence, capped by the rule; then commits. */
void analysis_commit(struct analysis *a, struct finding *f);

/* Printf into the list's memory. */
#define analysis_printf(a, ...) finding_list_printf((a)->findings, __VA_ARGS__)

/*
 * Notes that the threads at the end are blocked in a cycle through exactly these locks (any order).
 */
void analysis_add_observed(struct analysis *a, const uint32_t *objects, size_t count);
bool analysis_is_observed(const struct analysis *a, const uint32_t *objects, size_t count);

/*
 * In finding_names.c: after symbolisation, replaces {lock:ID} and {thread:ID} in titles and
 * messages.
 */
void finding_expand_names(struct finding_list *list);

#endif
