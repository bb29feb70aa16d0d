/* SPDX-License-Identifier: MIT */
/*
 * loop_stall_report.c - findings of loop-stall and blocking-call-in-loop.
 */
#include "loop_stall.h"

#include <string.h>

static const char *cause_words(struct analysis *a, const struct cause *c)
{
	const char *call = c->call ? trace_call_name(c->call) : NULL;

	if (call && c->call == TRACE_CALL_JOIN && c->holder)
		return analysis_printf(a, "%s of {thread:%u}", call, c->holder);
	if (call && c->object)
		return analysis_printf(a, "%s of {lock:%u}", call, c->object);
	if (call)
		return call;
	if (c->holder)
		return analysis_printf(a, "a wait for {lock:%u}, held by {thread:%u}", c->object,
				       c->holder);
	return analysis_printf(a, "a wait for {lock:%u}", c->object);
}

/* Who was waited for, and where it had taken the lock. */
static void add_holder(struct analysis *a, struct finding *f, const struct cause *c)
{
	analysis_add_thread(a, f, c->holder);
	if (c->held_stack)
		analysis_add_stack(a, f, ROLE_HOLDS, c->holder, c->object, c->held_stack,
				   c->held_ns, NULL, 0);
}

/* A task is made once, a timer or handle is armed or posted each time. */
static const char *posted_words(const struct model_callback *c)
{
	return model_job_life(c->kind) == MODEL_LIFE_COROUTINE
		       ? "the task was made here"
		       : "the callback was armed or posted here";
}

/* One wait that was long by itself, on the thread of a loop. */
void stall_report_blocking(struct sites *blocking, struct analysis *a, uint32_t thread,
			   const struct model_callback *callback, const struct cause *c)
{
	struct finding *f;

	/* Each new connection may be an object of its own: only locks tell places apart. */
	f = sites_begin(blocking, a, RULE_BLOCKING_CALL_IN_LOOP, CONFIDENCE_OBSERVED, c->stack,
			c->call ? 0 : c->object);
	if (!f)
		return;
	if (callback)
		analysis_add_task(a, f, callback->task, callback->kind, callback->stack,
				  callback->posted.stack);
	analysis_add_stack(a, f, ROLE_BLOCKS, thread, c->object, c->stack, c->since_ns, NULL, 0)
		->note = analysis_printf(a, "for %.1f ms", (double)c->total_ns / 1e6);
	add_holder(a, f, c);
	if (callback && callback->posted.stack)
		analysis_add_stack(a, f, ROLE_SIGNALS, callback->posted.thread, 0,
				   callback->posted.stack, callback->posted.time_ns, NULL, 0)
			->note = posted_words(callback);
	f->title = analysis_printf(
		a, "%s spent %.1f ms in %s%s on the thread of its event loop",
		callback ? analysis_printf(a, "{task:%u}", callback->task) : "one turn of the loop",
		(double)c->total_ns / 1e6, cause_words(a, c), !c->call && c->holder ? "," : "");
	f->message = analysis_printf(
		a,
		"%s. No other callback of the loop could run meanwhile. Use an asynchronous call, or do it on a worker thread.",
		f->title);
}

/*
 * Where the thread was just before it did longest nothing that is recorded: near the code that took the time. Which record that is
 * differs from run to run, so it is no part of the fingerprint.
 */
static void add_gap(struct analysis *a, struct finding *f, const struct stall *x)
{
	struct finding_stack *s;

	if (!x->gap_stack || x->gap_stack == x->callback.stack || x->gap_stack == x->callback.stood)
		return; /* or all that is told of it */
	s = analysis_add_stack(a, f, ROLE_BLOCKS, x->thread, 0, x->gap_stack, x->since_ns, NULL, 0);
	s->beside = true;
	s->note = x->gap_ns * 4 >= x->worst_ns
			  ? analysis_printf(a, "here just before %.1f ms without a record",
					    (double)x->gap_ns / 1e6)
			  : "here somewhere in between";
}

/* Who ended the wait that the turn began with. That differs from run to run: no part of the fingerprint. */
static const char *add_wakers(struct analysis *a, struct finding *f, const struct model_wake *w)
{
	const char *text = "";

	for (uint32_t i = 0; i < w->count; i++) {
		const char *through = analysis_printf(a, "%s %u", trace_waker_word(w->by[i].kind),
						      w->by[i].descriptor);
		bool timer = w->by[i].kind == TRACE_WAKER_TIMERFD;
		struct finding_stack *s;

		text = analysis_printf(a, "%s%s %s", text,
				       i ? " and" : " The turn began when it was woken through",
				       through);
		if (!w->by[i].thread)
			continue;
		text = analysis_printf(a, "%s, %s by {thread:%u}%s", text,
				       timer ? "set" : "written to", w->by[i].thread,
				       i + 1 < w->count ? "," : "");
		s = analysis_add_stack(a, f, ROLE_SIGNALS, w->by[i].thread, 0, w->by[i].stack,
				       w->time_ns, NULL, 0);
		s->beside = true;
		s->note = timer ? "the timer that woke the loop was set here"
				: "the loop was woken from here";
	}
	return w->count ? analysis_printf(a, "%s.", text) : "";
}

/* Python's import of a module goes on there. */
static bool is_importing(const struct trace_process *p, uint32_t stack)
{
	for (uint32_t i = 0; stack < p->stack_count && i < p->stacks[stack].frames; i++) {
		uint64_t place = p->stacks[stack].ip[i] - TF_PLACE;
		const char *file = place < p->place_count ? p->places[place].file : NULL;

		if (file && !strncmp(file, "<frozen importlib", strlen("<frozen importlib")))
			return true;
	}
	return false;
}

/*
 * The callback, and where it came to: a coroutine has a line where it waits now, else there is the function only. That line is innocent
 * where it is known what took the time.
 */
static void add_callback(struct analysis *a, struct finding *f, const struct stall *x)
{
	const struct model_callback *c = &x->callback;
	bool innocent = c->stood && stall_is_main(&x->cause, x->counted_ns);
	bool bare = !c->stack && !c->stood;
	struct finding_stack *s;

	s = analysis_add_stack(a, f, innocent ? ROLE_AWAITS : ROLE_BLOCKS, x->thread, 0,
			       bare	  ? x->turn_stack
			       : c->stood ? c->stood
					  : c->stack,
			       x->since_ns, NULL, 0);
	s->is_chain = c->stood != 0;
	s->note = innocent   ? "after that the task went on, and came to wait here"
		  : bare     ? "the loop waits for descriptors here"
		  : c->stood ? "the task, up to where it waits here"
			     : "the callback";
}

void stall_report(struct analysis *a, const struct stall *x)
{
	/* A module is imported once, mostly before there is anything to do: worth a note. */
	bool imports = !stall_is_main(&x->cause, x->counted_ns) &&
		       is_importing(a->process, x->gap_stack);
	struct finding *f =
		analysis_begin(a, RULE_LOOP_STALL, imports ? CONFIDENCE_HINT : CONFIDENCE_OBSERVED);
	double ms = (double)x->worst_ns / 1e6, waited_ms = (double)x->waited_ns / 1e6;
	const struct model_callback *c = &x->callback;
	const char *what, *did, *woken;

	f->count = x->count;
	if (c->task) {
		analysis_add_task(a, f, c->task, c->kind, c->stack, c->posted.stack);
		what = analysis_printf(a, "{task:%u}", c->task);
	} else {
		what = "one turn of the loop";
	}
	if (stall_is_main(&x->cause, x->counted_ns)) {
		analysis_add_stack(a, f, ROLE_BLOCKS, x->thread, x->cause.object, x->cause.stack,
				   x->cause.since_ns, NULL, 0)
			->note =
			analysis_printf(a, "for %.1f ms of it", (double)x->cause.total_ns / 1e6);
		add_holder(a, f, &x->cause);
	}
	add_callback(a, f, x);
	if (c->posted.stack)
		analysis_add_stack(a, f, ROLE_SIGNALS, c->posted.thread, 0, c->posted.stack,
				   c->posted.time_ns, NULL, 0)
			->note = posted_words(c);
	woken = add_wakers(a, f, &x->wake);
	if (!stall_is_main(&x->cause, x->counted_ns))
		add_gap(a, f, x);
	if (stall_is_main(&x->cause, x->counted_ns))
		did = analysis_printf(a, "%.1f ms of it in %s", (double)x->cause.total_ns / 1e6,
				      cause_words(a, &x->cause));
	else
		did = analysis_printf(a, "%.1f ms of it on the processor",
				      x->processor_ns != UINT64_MAX ? (double)x->processor_ns / 1e6
								    : ms - waited_ms);
	f->title = analysis_printf(a, "%s %s the event loop of {thread:%u} for %.1f ms, %s", what,
				   x->unfinished ? "has held up" : "held up", x->thread, ms, did);
	f->message = analysis_printf(
		a, "%s.%s%s %sIt was held up for more than %.0f ms %s, %.1f ms in total.", f->title,
		imports ? " It was importing modules, which is done once." : "", woken,
		x->unfinished ? "It had not come back when the run ended. " : "",
		(double)stall_threshold_ns(a) / 1e6,
		x->count == 1 ? "once"
			      : analysis_printf(a, "%llu times", (unsigned long long)x->count),
		(double)x->total_ns / 1e6);
	analysis_commit(a, f);
}
