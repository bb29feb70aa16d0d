/* SPDX-License-Identifier: MIT */
/*
 * event_feed.h - scenarios as short scripts, fed to the model and all checkers without files.
 *
 * A script is a list of statements separated by ';' or newlines: THREAD VERB ARGUMENTS. Threads are
 * numbers (1 = main), objects are letters declared with feed_object, `@N` at the end names the
 * stack; else each statement of a script has its own, the same one each time the script runs. Time
 * goes on by 1 microsecond a statement.
 *
 *   lock rlock try tryr timed timedr X   acquired, no request        unlock X            released by its owner
 *   req reqr reqt X [HOLDER]             about to block              odd X OWNER R       unlock that is odd
 *   fail failr failt failtry X R         not acquired                dead X              acquired, owner died
 *   consistent X                         init X VALUE [R]            destroy X BITS R    gone X WHY
 *   cwait C M [MODE]  cwake C M [R]      signal C N   broadcast C N  post S              arrive B   leave B
 *   once O  onceend O  pass O            create T  begin  end HOW    join T [R]  detach T [R]  cancel T  pexit
 *   lost N   exit KIND                   sleep MS
 *   block X CALL  unblock CALL           X = - for no object; CALL = enum trace_call
 *   task N STEP  handover X THREAD  benign 0|1   as TASK (tasks 1-3), HAND_OVER, BENIGN
 *   new N KIND [L]  arm N [L] [ONCE]      as TASK_NEW, TASK_ARM of task N for loop L, KIND = enum trace_task_kind
 *   call N  ret N  worked N  stop N  close N  finish N  drop N  lose N   steps of TASK; the callback of `call` is its @stack
 *   loop L STEP [R]  turn US [READY] [ENDLESS]  blocked X CALL US  busy US PROCESSOR_US
 *   woken THREAD WAKER [DESCRIPTOR]      WAKER = enum trace_waker
 *   mask BITS                            action BITS SIGNAL KIND    as SIGNAL_MASK, SIGNAL_ACTION; stacks: feed_handler
 *
 * `begin` and `end` are THREAD_BEGIN and THREAD_END on the thread's own stream; `begin S` on stream
 * S.
 */
#ifndef THRUM_TESTS_UNIT_EVENT_FEED_H
#define THRUM_TESTS_UNIT_EVENT_FEED_H

#include "analyzer/analyze.h"
#include "analyzer/checker.h"

#define FEED_OBJECTS 128u
#define FEED_THREADS 64u
#define FEED_WAITS 16u
#define FEED_STACKS 256u

struct feed {
	struct trace_process process;
	struct trace_object object[FEED_OBJECTS];
	struct trace_thread thread[FEED_THREADS];
	struct trace_wait_state wait[FEED_WAITS];
	struct trace_stack stack[FEED_STACKS];
	struct finding_list *findings;
	struct analyze_stats stats;
	struct analyze_image *image; /* NULL before the first event and after feed_end */
	uint64_t now_ns;
	uint64_t end_ns; /* of the run, where it is known beforehand; 0 = the newest event */
	struct trace_event *event; /* owned; for a second pass */
	size_t event_count;
};

/* `f` is caller memory. All letters A-Z, a-z start as default mutexes. */
void feed_init(struct feed *f);
void feed_object(struct feed *f, char letter, enum trace_object_kind kind, uint32_t attributes);
/* What thread `thread` is blocked on at the end. Before the first event. */
void feed_wait(struct feed *f, uint32_t thread, enum trace_wait_kind kind, char object, char other,
	       uint32_t mode, uint32_t stack);
/* Code with this stack, below 100, runs in a handler of `signal` (0 = not known which). Before the first event. */
void feed_handler(struct feed *f, uint32_t stack, uint8_t signal);
void feed_run(struct feed *f, const char *script);
void feed_event(struct feed *f, struct trace_event *event);
/* Finishes the checkers; findings and stats are valid afterwards. */
void feed_end(struct feed *f);
void feed_release(struct feed *f);

uint32_t feed_id(char letter);

/* Findings of a rule; with `confidence` >= 0 only of that. */
size_t feed_count(const struct feed *f, enum rule rule, int confidence);
const struct finding *feed_find(const struct feed *f, enum rule rule);

/*
 * Runs the script in a fresh feed made by `prepare` (may be NULL) and asserts that exactly `count`
 * findings of `rule` with `confidence` came out, and none of any other rule but deadlock,
 * self-deadlock, stuck-wait and leaked-thread, which are others' to test. Pass count 0 for silence.
 */
void feed_expect(void (*prepare)(struct feed *), const char *script, enum rule rule,
		 enum confidence confidence, size_t count);

#endif
