/* SPDX-License-Identifier: MIT */
/*
 * tables.h - what a run spent its time on, as rows: locks, threads, places where tasks were made, live tasks, loops, pairs of
 * locks in their order. The same numbers for the terminal, the pages and the server.
 *
 * Invariants
 *  - Times are run time, nanoseconds since the first image began, but where a field says that it is a length.
 *  - How long locks were waited for and held, and what threads were in, is summed over the spans of the timeline: what is seen there
 *    is what is counted here. What was not over when the records ended counts up to the end of the run.
 *  - Grows with locks, threads, places and pairs of locks, not with events; live tasks beyond TABLE_MOST_TASKS are counted only.
 *  - Percentiles and places are known for the TABLE_DETAILED locks that most time went into, and for all sites and loops.
 *
 * Not thread-safe.
 */
#ifndef THRUM_VIEWER_TABLES_H
#define THRUM_VIEWER_TABLES_H

#include "lanes.h"
#include "order_graph.h"

enum {
	TABLE_PARTS =
		8, /* buckets in each power of two: a percentile is at most an eighth too large */
	TABLE_BUCKETS = 40 * TABLE_PARTS, /* the last one: 2^40 ns, 18 minutes, and longer */
	TABLE_DETAILED = 1000,
	TABLE_PLACES = 8, /* that are told apart for each lock and side, about the heaviest */
	TABLE_MOST_TASKS = 10000,
	TABLE_MOST_LOCKS = 100000,
	TABLE_MAKERS = 4, /* that are told apart for each place where tasks are made */
	TABLE_POSTS = 16,
	TABLE_CALLS = 32, /* buckets of a loop's callbacks: bucket i is of up to 2^i microseconds */
};

/* How long something took, each time. */
struct table_times {
	uint64_t count, total_ns, longest_ns;
	uint64_t longest_at_ns; /* run time at which the longest began */
	uint32_t *bucket;	/* owned, of TABLE_BUCKETS; NULL = not kept */
};
/* So many of a hundred were no longer than this; the longest where no buckets are kept, 0 = there was none. */
uint64_t table_times_percentile(const struct table_times *times, unsigned percent);

/* Where something was waited for, or held. */
struct table_place {
	uint32_t stack, thread; /* the longest one's thread */
	uint64_t count, total_ns, longest_ns;
};

struct table_lock {
	uint32_t process; /* index in the trace */
	uint32_t object;
	uint64_t taken, taken_shared; /* shared ones are counted in both */
	uint64_t failed;	      /* tries and timeouts */
	struct table_times wait, hold;
	/* Owned, of TABLE_PLACES, the heaviest first; count 0 = unused. NULL = not kept. */
	struct table_place *wait_place, *hold_place;
	uint32_t most_waiters; /* at once */
	uint32_t threads;      /* that ever had it or waited for it */
	uint32_t last_lane;    /* while it is made */
	uint32_t owner,
		waiting; /* at the end: a thread that holds it, 0 = none; threads that wait for it */
};

struct table_thread {
	uint32_t process, thread;
	uint64_t begin_ns, end_ns; /* as far as it was seen */
	bool ended, joined, detached;
	uint64_t events;
	uint64_t state_ns
		[LANE_STATES]; /* length in each; holds and callbacks include what happened meanwhile */
	uint64_t taken, waits;
	uint32_t created_by, created_stack; /* 0 = not known */
	uint32_t held;			    /* locks at the end */
	/* What it waits for at the end: enum trace_wait_kind, as the recorder's wait slot says. 0 = nothing. */
	uint32_t wait_kind, wait_object, wait_other, wait_stack;
	uint64_t wait_since_ns;
	uint32_t wait_holder; /* who has what it waits for; 0 = nobody, or not known */
};

/* Of so many tasks of a place the maker was a task of the place with that row in tables->site. */
struct table_maker {
	uint32_t site;
	uint64_t count; /* 0 = unused */
};

/* All tasks of one kind that were made at one place. */
struct table_site {
	uint32_t process;
	uint32_t kind; /* enum trace_task_kind */
	uint32_t stack, loop;
	uint64_t made, ended, called, lost, live, most_live;
	uint64_t live_at[8]; /* at the end of each eighth of the image's time */
	/* The same at equal distances from the first one that was made on, while more were made. */
	uint64_t post_at[TABLE_POSTS], post_step_ns;
	uint32_t post_count;
	struct table_times call; /* its callbacks and steps */
	uint64_t first_ns, last_ns;
	/* What made them while it ran, the first ones seen; tasks that no task made are in none. */
	struct table_maker maker[TABLE_MAKERS];
	uint64_t other_makers; /* made by tasks of further places */
	uint32_t newest_task;  /* one of them */
};

/* One that had not ended. */
struct table_task {
	uint32_t process, task;
	uint32_t kind, state;  /* enum trace_task_kind; enum model_job_state */
	uint32_t loop, thread; /* 0 = not known; the thread in whose callback it is */
	uint32_t parent;       /* task; 0 = none */
	uint32_t made_by, made_stack, callback_stack;
	uint64_t made_ns, called_ns; /* newest call; 0 = never */
	uint64_t calls;
	uint32_t await_stack,
		awaits; /* where its coroutine stood at the newest look; the task it waits for */
};

struct table_loop {
	uint32_t process;
	uint32_t
		loop; /* object; 0 = a thread that waits for descriptors again and again, by itself */
	uint32_t thread;	 /* that drives it, the newest */
	uint64_t turns, idle_ns; /* waits for descriptors */
	struct table_times call; /* outermost callbacks */
	uint32_t longest_stack;	 /* of them: the function, a stack of one frame; 0 = not known */
	uint64_t call_in[TABLE_CALLS];
	uint32_t live; /* tasks at the end */
};

struct table_order {
	uint32_t process;
	struct order_edge
		edge; /* its times are run time; its cycle counts from 0 in each process */
};

struct tables {
	struct table_lock *lock; /* owned, as all below; by process, then object */
	size_t lock_count;
	size_t locks_left_out; /* used, but without a row: less time went into them than into any that has one */
	struct table_thread *thread; /* by process, then thread */
	size_t thread_count;
	struct table_site *site;
	size_t site_count;
	struct table_task *task;
	size_t task_count;
	uint64_t tasks_left_out;
	struct table_loop *loop;
	size_t loop_count;
	struct table_order *order;
	size_t order_count;
	uint64_t orders_left_out;
	uint64_t end_ns;	     /* of the run */
	struct table_making *making; /* owned; NULL once the lanes were taken */
};

#define TABLES_PARTS 2

/*
 * Parts of a pass that fill *ret_tables: put both into one scan_run, in this order. After the pass, tables_take_lanes completes them with
 * what the timeline knows; `lanes` is borrowed for the call. The reader is borrowed until tables_free. THRUM_ENOMEM.
 */
int tables_begin(struct trace_reader *reader, const struct scan_options *options,
		 struct scan_part ret_parts[TABLES_PARTS], struct tables **ret_tables,
		 struct diag *diag);
int tables_take_lanes(struct tables *tables, const struct lanes *lanes, struct diag *diag);

/* Timeline and tables in one pass. `options` may be NULL. */
int tables_new(struct trace_reader *reader, const struct scan_options *options,
	       struct tables **ret_tables, struct lanes **ret_lanes, struct diag *diag);
void tables_free(struct tables *tables); /* takes NULL */

#endif
