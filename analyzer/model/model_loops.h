/* SPDX-License-Identifier: MIT */
/*
 * model_loops.h - loops, the tasks they run, and the callbacks that threads are in.
 *
 * A task here is one that began with TASK_NEW: a handle, request, source or work item of spec/tasks.def. Its state goes when it
 * ends; what stays is counted at the place that made it (a job site). So memory is for live tasks, and for places.
 *
 * A callback that is left by longjmp or an exception returns late: the recorder writes its RETURNED when what follows shows that
 * its frame is gone, or its outer callback's RETURNED ends it.
 *
 * An annotated task (thrum.h) is one of them too: CREATED makes it, STARTED and RESUMED are its callbacks, up to what suspends or ends
 * it.
 */
#ifndef THRUM_ANALYZER_MODEL_MODEL_LOOPS_H
#define THRUM_ANALYZER_MODEL_MODEL_LOOPS_H

#include "model.h"

enum {
	MODEL_POSTS = 16, /* samples of how many wait, while they are posted */
	MODEL_SLICES = 8, /* of the time of the run, in which live tasks are counted */
	MODEL_RUNS = 8,	  /* of loops inside each other, that are told apart */
	MODEL_WAKERS = 4, /* of one wait, that are kept */
	/* A wait ends after it began: this much may be lost in units, and between clocks of processors. */
	MODEL_WAKE_SLACK_NS = 100000,
};

enum model_job_state {
	MODEL_JOB_MADE,
	MODEL_JOB_ARMED,  /* posted, queued, started */
	MODEL_JOB_CALLED, /* in its callback */
	MODEL_JOB_STOPPED,
	MODEL_JOB_CLOSING,
	MODEL_JOB_WORKED, /* done by the pool; the loop's part follows */
};

struct model_job {
	uint32_t id;
	uint16_t kind; /* enum trace_task_kind */
	uint8_t state; /* enum model_job_state */
	bool once;     /* armed for one callback */
	uint32_t loop; /* object; 0 = not known */
	uint32_t site; /* index of its job site */
	uint32_t
		parent_stack; /* callback that ran when it was made: a stack of one frame; 0 = none */
	uint32_t callback_stack; /* what is called, a stack of one frame; 0 = not known */
	uint32_t thread;	 /* CALLED: where */
	uint64_t calls;
	uint64_t called_ns;	       /* newest; 0 = never */
	struct model_site made, armed; /* armed: newest; stack 0 = never */
};

struct model_job_site {
	uint32_t kind, stack; /* key; stack of the newest where it is 0 */
	uint32_t loop;
	struct model_site first, last;
	uint64_t made, ended, called;
	uint64_t lost; /* ended because another was made in their place */
	uint64_t live, live_most;
	uint64_t live_at[MODEL_SLICES]; /* at the end of each; see model_loops_slices */
	uint32_t slice;			/* live_at up to here is filled */
	/* How many lived at equal distances from the first that was made on, as far as more were made. */
	uint64_t post_at[MODEL_POSTS], post_step_ns;
	uint32_t post_count;
	uint64_t ended_ns; /* the newest end of one; 0 = none */
};

/* What a wait for descriptors was ended by, as far as that is there to wake loops. */
struct model_wake {
	uint64_t time_ns; /* when the wait came back; 0 = none was seen */
	uint32_t count;	  /* 0 = it was ended by other things */
	struct {
		uint32_t thread, stack; /* who wrote to it first since it was read; 0 = not known */
		uint32_t task;		/* that ran there; 0 = none */
		uint16_t descriptor;
		uint8_t kind; /* enum trace_waker */
	} by[MODEL_WAKERS];
};

/* What a thread does for loops. */
struct model_driver {
	struct model_callback *callback; /* owned; the innermost is the last */
	uint32_t count, capacity;
	uint32_t loop; /* that it drives; 0 = none, or not known */
	uint32_t runs; /* how deep */
	bool whole;    /* it drives the loop until somebody ends it, not for one turn */
	struct {
		uint32_t loop;
		bool whole;
	} outer[MODEL_RUNS]; /* around it, by depth */
	uint64_t turns;
	uint64_t turn_ns;	   /* when the newest wait for descriptors came back; 0 = none */
	uint32_t turn_stack;	   /* of that wait */
	uint32_t same_stack;	   /* turns in a row of this stack */
	struct model_wake wake[2]; /* the newest, and the one before */
	uint32_t pool_kind,
		pool_loop; /* of the work that it ran last as a thread of a pool; 0 = none */
};

struct model_loops;

/* NULL = no such record was seen of the thread. */
const struct model_driver *model_get_driver(const struct model *m, uint32_t thread);
/* What ended the last wait that came back at least MODEL_WAKE_SLACK_NS before `now_ns`. NULL = not known. */
const struct model_wake *model_get_wake(const struct model_driver *d, uint64_t now_ns);
/* The innermost callback that the thread is in; NULL = none. */
const struct model_callback *model_get_callback(const struct model *m, uint32_t thread);
/* NULL = no such task lives. */
const struct model_job *model_get_job(const struct model *m, uint64_t id);
/* Every live task in no order: *iterator = 0 first; NULL at the end. */
const struct model_job *model_next_job(const struct model *m, size_t *iterator);
size_t model_job_site_count(const struct model *m);
/* After the last event all slices are filled. */
const struct model_job_site *model_get_job_site(struct model *m, size_t index);
/* Jobs of the loop that have not ended: where it is 0 nobody need look through all of them. */
uint32_t model_loop_job_count(const struct model *m, uint32_t loop);
/* DROPPED was seen of the loop: what is still open keeps it alive. */
bool model_loop_is_dropped(const struct model *m, uint32_t loop);
/* CLOSE was seen of the loop with result 0. */
bool model_loop_is_closed(const struct model *m, uint32_t loop);
/* It was to run until nothing is alive, was stopped before, and not run again. */
bool model_loop_is_left(const struct model *m, uint32_t loop);

enum model_life {
	MODEL_LIFE_REQUEST,
	MODEL_LIFE_HANDLE,
	MODEL_LIFE_SOURCE,
	MODEL_LIFE_WORK,
	MODEL_LIFE_STATE,
	MODEL_LIFE_COROUTINE,
	MODEL_LIFE_CALL,
};
enum model_life model_job_life(unsigned kind);

#endif
