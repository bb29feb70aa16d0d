/* SPDX-License-Identifier: MIT */
/*
 * dump_arguments.c - what an event's argument, result and second object say, by its op.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* strerrorname_np */
#endif
#include "../analyzer/report/escape.h"
#include "../trace/trace_ops.h"
#include "dump_private.h"
#include "dump_words.h"

#include <inttypes.h>
#include <pthread.h>

/* ---- words of arguments ---- */

static const struct dump_bit destroy_bits[] = {
	{ TRACE_DESTROY_LOCKED, "locked" },
	{ TRACE_DESTROY_WAITED, "waited-on" },
	{ 0, NULL },
};

static const struct dump_bit hold_bits[] = {
	{ TRACE_MODE_SHARED, "shared" },
	{ TRACE_MODE_TRY, "try" },
	{ TRACE_MODE_TIMED, "timed" },
	{ TRACE_HOLD_OWNERDEAD, "ownerdead" },
	{ TRACE_HOLD_REACQUIRED, "after-cond-wait" },
	{ TRACE_HOLD_PRIVATE, "new" },
	{ 0, NULL },
};

static const char *const gone_words[] = {
	[TRACE_GONE_FREED] = "freed",
	[TRACE_GONE_UNMAPPED] = "unmapped",
	[TRACE_GONE_STACK] = "stack-frame-over",
	[TRACE_GONE_REINIT] = "initialised-again",
	[TRACE_GONE_MODULE] = "module-unloaded",
};
static const char *const exit_words[] = {
	[TRACE_EXIT_DESTRUCTORS] = "exit",
	[TRACE_EXIT_QUICK] = "_exit",
	[TRACE_EXIT_EXEC] = "exec",
};
static const char *const end_words[] = { "returned", "pthread_exit", "cancelled" };
static const char *const once_words[] = { "done", "aborted" };
static const char *const wake_words[] = { NULL, "cancelled" };
static const char *const pass_words[] = { NULL, "waited" };
static const char *const benign_words[] = { "end", "begin" };
static const char *const step_words[] = {
	[TRACE_TASK_CREATED] = "created",     [TRACE_TASK_STARTED] = "started",
	[TRACE_TASK_SUSPENDED] = "suspended", [TRACE_TASK_RESUMED] = "resumed",
	[TRACE_TASK_FINISHED] = "finished",   [TRACE_TASK_CANCELLED] = "cancelled",
	[TRACE_TASK_DESTROYED] = "destroyed", [TRACE_TASK_CALLED] = "called",
	[TRACE_TASK_RETURNED] = "returned",   [TRACE_TASK_STOPPED] = "stopped",
	[TRACE_TASK_CLOSED] = "closed",	      [TRACE_TASK_LOST] = "lost",
	[TRACE_TASK_WORKED] = "worked",	      [TRACE_TASK_SWALLOWED] = "swallowed-cancellation",
	[TRACE_TASK_FAILED] = "failed",	      [TRACE_TASK_UNAWAITED] = "never-awaited",
	[TRACE_TASK_PENDING] = "pending",     [TRACE_TASK_ASKED] = "cancel",
	[TRACE_TASK_MET] = "cancel-reached",  [TRACE_TASK_WENT_ON] = "went-on",
	[TRACE_TASK_FORGOTTEN] = "forgotten",
};
static const char *const loop_words[] = {
	[TRACE_LOOP_RUN] = "run",   [TRACE_LOOP_LEFT] = "left", [TRACE_LOOP_CLOSE] = "close",
	[TRACE_LOOP_WAKE] = "wake", [TRACE_LOOP_STOP] = "stop", [TRACE_LOOP_DROPPED] = "dropped",
};
static const char *const action_words[] = { "default", "ignored", "handler" };

/* Ops whose A and R are no plain numbers: below. Each writes both, with a blank in front. */
static void put_call(const struct dump *d, const struct trace_event *e);
static void put_futex_wait(const struct dump *d, const struct trace_event *e);
static void put_mask(const struct dump *d, const struct trace_event *e);
static void put_action(const struct dump *d, const struct trace_event *e);
static void put_hold(const struct dump *d, const struct trace_event *e);
static void put_reap(const struct dump *d, const struct trace_event *e);
static void put_task(const struct dump *d, const struct trace_event *e);
static void put_task_new(const struct dump *d, const struct trace_event *e);
static void put_task_arm(const struct dump *d, const struct trace_event *e);
static void put_turn(const struct dump *d, const struct trace_event *e);
static void put_blocked(const struct dump *d, const struct trace_event *e);
static void put_busy(const struct dump *d, const struct trace_event *e);
static void put_woken(const struct dump *d, const struct trace_event *e);

/* How the A of an op reads. Ops without a row show a plain number. */
static const struct {
	const char *key; /* "key=" in front */
	const struct dump_bit *bits;
	const char *const *words;
	size_t word_count;
	bool hide_zero;
	void (*put)(const struct dump *d, const struct trace_event *e); /* instead of the rest */
} arguments[TF_OPS] = {
#define WORDS(array) .words = array, .word_count = sizeof(array) / sizeof(array[0])
	[TRACE_THREAD_END] = { "how", WORDS(end_words) },
	[TRACE_REQUEST] = { "mode", .bits = dump_mode_bits, .hide_zero = true },
	[TRACE_ACQUIRE_FAIL] = { "mode", .bits = dump_mode_bits, .hide_zero = true },
	[TRACE_ACQUIRE_OWNERDEAD] = { "mode", .bits = dump_mode_bits, .hide_zero = true },
	[TRACE_COND_WAIT] = { "mode", .bits = dump_mode_bits, .hide_zero = true },
	[TRACE_DESTROY] = { "state", .bits = destroy_bits, .hide_zero = true },
	[TRACE_GONE] = { "why", WORDS(gone_words) },
	[TRACE_COND_WAKE] = { "how", WORDS(wake_words), .hide_zero = true },
	[TRACE_ONCE_END] = { "how", WORDS(once_words) },
	[TRACE_ONCE_PASS] = { "how", WORDS(pass_words), .hide_zero = true },
	[TRACE_PROCESS_EXIT] = { "how", WORDS(exit_words) },
	[TRACE_COND_SIGNAL] = { "waiters", .hide_zero = false },
	[TRACE_COND_BROADCAST] = { "waiters", .hide_zero = false },
	[TRACE_LOST] = { "events", .hide_zero = false },
	[TRACE_FORK] = { "pid", .hide_zero = false },
	[TRACE_SPAWN] = { "pid", .hide_zero = false },
	[TRACE_FUTEX_WAKE] = { "up-to", .hide_zero = false },
	[TRACE_KEYFRAME] = { "holds", .hide_zero = false },
	[TRACE_BENIGN] = { "step", WORDS(benign_words) },
	[TRACE_BLOCK] = { .put = put_call },
	[TRACE_UNBLOCK] = { .put = put_call },
	[TRACE_FUTEX_WAIT] = { .put = put_futex_wait },
	[TRACE_SIGNAL_MASK] = { .put = put_mask },
	[TRACE_SIGNAL_ACTION] = { .put = put_action },
	[TRACE_HELD] = { .put = put_hold },
	[TRACE_REAP] = { .put = put_reap },
	[TRACE_TASK] = { .put = put_task },
	[TRACE_TASK_NEW] = { .put = put_task_new },
	[TRACE_TASK_ARM] = { .put = put_task_arm },
	[TRACE_LOOP] = { "step", WORDS(loop_words) },
	[TRACE_TURN] = { .put = put_turn },
	[TRACE_BLOCKED] = { .put = put_blocked },
	[TRACE_BUSY] = { .put = put_busy },
	[TRACE_WOKEN] = { .put = put_woken },
#undef WORDS
};

void dump_put_argument(const struct dump *d, const struct trace_event *e)
{
	const char *key = arguments[e->op].key;
	const char *word = NULL;

	switch (trace_op_arg(e->op)) {
	case TRACE_ARG_THREAD:
		fputs(" thread=", d->out);
		dump_put_thread(d, (uint32_t)e->arg);
		return;
	case TRACE_ARG_OWNER:
		fputs(" owner=", d->out);
		if (e->arg == UINT64_MAX) {
			fputs("never-seen-locked", d->out);
		} else if (!e->arg) {
			fputs("none", d->out);
		} else {
			dump_put_thread(d, (uint32_t)e->arg);
		}
		return;
	case TRACE_ARG_PLAIN:
		break;
	}
	if (!e->arg && arguments[e->op].hide_zero) {
		return;
	}
	fprintf(d->out, " %s=", key ? key : "arg");
	if (arguments[e->op].bits) {
		dump_put_bits(d->out, e->arg, arguments[e->op].bits);
		return;
	}
	if (e->arg < arguments[e->op].word_count) {
		word = arguments[e->op].words[e->arg];
	}
	if (word) {
		fputs(word, d->out);
	} else {
		fprintf(d->out, "%" PRIu64, e->arg);
	}
}

void dump_put_result(const struct dump *d, const struct trace_event *e)
{
	fputs(" = ", d->out);
	if (e->op == TRACE_BARRIER_LEAVE && e->result == PTHREAD_BARRIER_SERIAL_THREAD) {
		fputs("serial-thread", d->out);
	} else {
		dump_put_errno(d->out, e->result);
	}
}

static const char *word_of(const char *const *words, size_t count, uint64_t index)
{
	return index < count && words[index] ? words[index] : "unknown";
}

static void put_call(const struct dump *d, const struct trace_event *e)
{
	fprintf(d->out, " call=%s", trace_call_name((unsigned)e->arg));
	if (e->op == TRACE_UNBLOCK) {
		dump_put_result(d, e);
	}
}

static void put_futex_wait(const struct dump *d, const struct trace_event *e)
{
	fprintf(d->out, " value=%#" PRIx64 "%s", e->arg >> 1, e->arg & 1 ? " mode=timed" : "");
}

static void put_mask(const struct dump *d, const struct trace_event *e)
{
	fputs(" blocked=", d->out);
	dump_put_signals(d->out, e->arg);
}

static void put_action(const struct dump *d, const struct trace_event *e)
{
	unsigned packed = (unsigned)e->result;

	fputs(" signal=", d->out);
	dump_put_signal(d->out, packed >> 2);
	fprintf(d->out, " action=%s", word_of(action_words, 3, packed & 3));
	if (e->arg) {
		fputs(" blocked=", d->out);
		dump_put_signals(d->out, e->arg);
	}
}

static void put_hold(const struct dump *d, const struct trace_event *e)
{
	uint64_t bits = e->arg & ((1u << TRACE_HOLD_DEPTH_SHIFT) - 1);
	uint64_t depth = (e->arg >> TRACE_HOLD_DEPTH_SHIFT) + 1;

	if (bits) {
		fputs(" mode=", d->out);
		dump_put_bits(d->out, bits, hold_bits);
	}
	if (depth > 1) {
		fprintf(d->out, " depth=%" PRIu64, depth);
	}
	fprintf(d->out, " for=%" PRId32 "us", e->result);
}

static void put_reap(const struct dump *d, const struct trace_event *e)
{
	fprintf(d->out, " pid=%" PRIu64 " = ", e->arg);
	if (e->result < 0) {
		dump_put_errno(d->out, -e->result);
	} else {
		dump_put_wait_status(d->out, e->result);
	}
}

static void put_task(const struct dump *d, const struct trace_event *e)
{
	const struct trace_process *p = d->process;

	fprintf(d->out, " task=%" PRIu64, e->arg);
	if (e->arg < p->task_count && p->tasks[e->arg].name) {
		putc(' ', d->out);
		escape_terminal(d->out, p->tasks[e->arg].name);
	}
	fprintf(d->out, " step=%s",
		word_of(step_words, sizeof(step_words) / sizeof(step_words[0]),
			(uint64_t)e->result));
}

static void put_task_new(const struct dump *d, const struct trace_event *e)
{
	unsigned kind = e->result > 0 ? (unsigned)e->result : 0;

	fprintf(d->out, " task=%" PRIu64 " kind=%s", e->arg, trace_task_word(kind));
	if (*trace_task_library(kind)) {
		fprintf(d->out, " (%s)", trace_task_library(kind));
	}
	dump_put_context(d, e->arg);
}

static void put_task_arm(const struct dump *d, const struct trace_event *e)
{
	uint32_t callback = e->result > 0 ? (uint32_t)e->result >> 1 : 0;

	fprintf(d->out, " task=%" PRIu64 "%s", e->arg, e->result & 1 ? " once" : "");
	if (callback && callback < d->process->stack_count) {
		fputs(" to-call", d->out);
		dump_put_stack(d, callback, e->time_ns);
	}
}

static void put_turn(const struct dump *d, const struct trace_event *e)
{
	fprintf(d->out, " waited=%" PRIu64 "us%s", e->arg >> 1,
		e->arg & 1 ? " without timeout" : "");
	if (e->result < 0) {
		fputs(" = ", d->out);
		dump_put_errno(d->out, -e->result);
	} else {
		fprintf(d->out, " ready=%" PRId32, e->result);
	}
}

static void put_blocked(const struct dump *d, const struct trace_event *e)
{
	fprintf(d->out, " call=%s for=%" PRId32 "us", trace_call_name((unsigned)e->arg), e->result);
}

static void put_busy(const struct dump *d, const struct trace_event *e)
{
	fprintf(d->out, " in=%" PRIu64 "us processor=%" PRId32 "us", e->arg, e->result);
}

static void put_woken(const struct dump *d, const struct trace_event *e)
{
	unsigned packed = (unsigned)e->result;
	uint32_t thread = (uint32_t)e->arg;

	if ((packed & (TRACE_WOKEN_MORE - 1)) == TRACE_WAKER_OTHER) {
		fputs(" by other things", d->out);
		return;
	}
	fprintf(d->out, " %sthrough %s %u", packed & TRACE_WOKEN_MORE ? "and " : "",
		trace_waker_word(packed & (TRACE_WOKEN_MORE - 1)), packed >> TRACE_WOKEN_SHIFT);
	if (thread && thread < d->process->thread_count) {
		fputs(" by thread=", d->out);
		dump_put_thread(d, thread);
	}
	if (e->arg >> 32) {
		fprintf(d->out, " task=%" PRIu64, e->arg >> 32);
	}
}

void dump_put_other(const struct dump *d, const struct trace_event *e)
{
	if (e->op == TRACE_REQUEST) {
		if (e->other) {
			fputs(" holder=", d->out);
			dump_put_thread(d, e->other);
		}
		return;
	}
	putc(' ', d->out);
	dump_put_object(d, e->other);
}

bool dump_is_special(unsigned op)
{
	return arguments[op].put;
}

void dump_put_special(const struct dump *d, const struct trace_event *e)
{
	if (arguments[e->op].put) {
		arguments[e->op].put(d, e);
	}
}
