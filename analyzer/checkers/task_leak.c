/* SPDX-License-Identifier: MIT */
/*
 * task_leak.c - rules leaked-handle, leaked-task and unbounded-tasks: what loops and pools were given and never got rid of.
 *
 * Alive at the end is no leak: a server is ended while its loop runs. What counts is
 *   - a loop that was closed, or could not be, with handles that nobody closed; a request or work item of a loop that ended
 *     before it ran; a task that was thrown away before it said how it ended; an active handle whose memory was used for another;
 *   - a place that goes on making handles which stay, or which can do nothing any more: over the slices of the run their number
 *     only grows;
 *   - requests and work that pile up in the same way.
 */
#include "../../trace/trace_ops.h"
#include "../model/model_loops.h"
#include "sites.h"

#include <stdlib.h>
#include <string.h>

enum {
	MANY = 32,	    /* handles of one place, from which on growth is told from a pool */
	MANY_ANYWAY = 1000, /* however few of those that were made stay */
	MANY_IDLE = 64,	    /* that can do nothing any more */
	MANY_PENDING = 512, /* requests */
};
#define POSTED_LONG_NS UINT64_C(200000000)

struct left_over {
	uint32_t site; /* job site */
	uint32_t task; /* one of them */
	uint32_t callback_parent;
	uint64_t count, idle, called;
	uint64_t dropped; /* the program gave its loop up */
	uint64_t unrun;	  /* its loop was closed, or left for good */
	bool left;
};

/* The newest attempt to close a loop, which failed. */
struct failed_close {
	uint32_t loop, thread, stack;
	uint64_t time_ns;
};

struct task_leak {
	struct sites *thrown; /* DESTROYED, LOST, CLOSE of a loop in use */
	struct failed_close *failed;
	size_t failed_count, failed_room;
};

static void *task_leak_begin(struct analysis *a)
{
	struct task_leak *s = calloc(1, sizeof(*s));

	(void)a;
	if (!s)
		abort();
	s->thrown = sites_new();
	return s;
}

static void task_leak_release(void *state)
{
	struct task_leak *s = state;

	sites_free(s->thrown);
	free(s->failed);
	free(s);
}

static struct finding *describe(struct analysis *a, struct finding *f, uint32_t task, uint32_t kind,
				uint32_t callback, const struct model_site *made)
{
	analysis_add_task(a, f, task, kind, callback, made->stack);
	analysis_add_stack(a, f, ROLE_CREATES, made->thread, 0, made->stack, made->time_ns, NULL, 0)
		->note = "made here";
	return f;
}

static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

/* Of the words in spec/tasks.def. */
static const char *article(const char *word)
{
	return strchr("aeioAEIOH", *word) ? "an" : "a";
}

/*
 * A bounded trace tells of each task that it was made, and of its end as long as nothing was overwritten: then what has no end
 * there may have had one.
 */
static bool ends_are_known(const struct analysis *a)
{
	return !a->model->process->expired_chunks;
}

/* ---- what one record shows ---- */

/* A loop that was closed, or could not be: each place with handles of it that were open then, and are now. */
static void report_loop_in_use(struct task_leak *s, struct analysis *a,
			       const struct failed_close *at, bool failed)
{
	const struct model_job *j;
	struct finding *f;

	if (!ends_are_known(a) || !model_loop_job_count(a->model, at->loop))
		return;
	for (size_t i = 0; (j = model_next_job(a->model, &i));) {
		if (j->loop != at->loop || model_job_life(j->kind) != MODEL_LIFE_HANDLE ||
		    j->made.time_ns > at->time_ns ||
		    model_loop_is_dropped(a->model, j->loop)) /* that is judged in the end */
			continue;
		f = sites_begin(s->thrown, a, RULE_LEAKED_HANDLE, CONFIDENCE_OBSERVED,
				j->made.stack, j->kind);
		if (!f)
			continue;
		describe(a, f, j->id, j->kind, j->callback_stack, &j->made);
		analysis_add_stack(a, f, ROLE_DESTROYS, at->thread, 0, at->stack, at->time_ns, NULL,
				   0)
			->note = failed ? "closing the loop failed: it is in use"
					: "the loop was closed here";
		f->title = analysis_printf(
			a, "%s %s was %s when its event loop was closed",
			article(trace_task_word(j->kind)), trace_task_word(j->kind),
			j->state == MODEL_JOB_CLOSING ? "still closing" : "never closed");
		f->message = analysis_printf(
			a, "%s. Close every handle that was made before the loop is closed%s.",
			f->title,
			strcmp(trace_task_library(j->kind), "libuv") == 0
				? ", then run the loop until the close callbacks were called"
				: "");
	}
}

/* After a failure the program may close what is left, and try again: that is judged in the end. */
static void on_loop_closed(struct task_leak *s, struct analysis *a, const struct trace_event *event)
{
	struct failed_close at = { event->object, event->thread, event->stack, event->time_ns };
	size_t i = 0;

	while (i < s->failed_count && s->failed[i].loop != event->object)
		i++;
	if (!event->result) {
		if (i < s->failed_count)
			s->failed[i] = s->failed[--s->failed_count];
		report_loop_in_use(s, a, &at, false);
		return;
	}
	if (i == s->failed_room) {
		s->failed_room = s->failed_room ? s->failed_room * 2 : 4;
		s->failed = realloc(s->failed, s->failed_room * sizeof(*s->failed));
		if (!s->failed)
			abort();
	}
	s->failed_count += i == s->failed_count;
	s->failed[i] = at;
}

/* A task that was to give a result. One of thrum.h may have run and be thrown away: a fiber never finishes. */
static void on_thrown_away(struct task_leak *s, struct analysis *a, const struct trace_event *event,
			   const struct model_job *j)
{
	struct finding *f;

	if ((model_job_life(j->kind) != MODEL_LIFE_REQUEST &&
	     model_job_life(j->kind) != MODEL_LIFE_WORK) ||
	    (j->kind == TRACE_TASK_ANNOTATED && j->calls))
		return;
	f = sites_begin(s->thrown, a, RULE_LEAKED_TASK, CONFIDENCE_OBSERVED, j->made.stack,
			j->kind);
	if (!f)
		return;
	describe(a, f, j->id, j->kind, j->callback_stack, &j->made);
	if (event->stack)
		analysis_add_stack(a, f, ROLE_DESTROYS, event->thread, 0, event->stack,
				   event->time_ns, NULL, 0)
			->note = "thrown away here";
	f->title =
		analysis_printf(a, "{task:%u} was thrown away before it %s", j->id,
				j->calls || j->kind == TRACE_TASK_G_TASK ? "gave a result" : "ran");
	f->message = analysis_printf(
		a,
		"%s. What waits for it waits for ever. Give each task a result, or cancel it, on every path.",
		f->title);
}

/* Its memory was used for the next one while its loop could still call it. */
static void on_lost(struct task_leak *s, struct analysis *a, const struct trace_event *event,
		    const struct model_job *j)
{
	struct finding *f;

	if (model_job_life(j->kind) != MODEL_LIFE_HANDLE || j->state != MODEL_JOB_ARMED ||
	    !ends_are_known(a))
		return;
	f = sites_begin(s->thrown, a, RULE_LEAKED_HANDLE, CONFIDENCE_OBSERVED, j->made.stack,
			j->kind);
	if (!f)
		return;
	describe(a, f, j->id, j->kind, j->callback_stack, &j->made);
	if (event->stack)
		analysis_add_stack(a, f, ROLE_DESTROYS, event->thread, 0, event->stack,
				   event->time_ns, NULL, 0)
			->note = "another one was made in its memory";
	f->title = analysis_printf(
		a, "{task:%u} was active and never closed: its memory was used again", j->id);
	f->message = analysis_printf(
		a,
		"%s. The loop still has it. Close it, and wait for the close callback, before the memory goes.",
		f->title);
}

static void task_leak_on_event(void *state, struct analysis *a, const struct trace_event *event,
			       const struct model_step *step)
{
	struct task_leak *s = state;

	if (step->flags & MODEL_STEP_ENDED && event->result == TRACE_TASK_DESTROYED)
		on_thrown_away(s, a, event, step->ended);
	else if (step->flags & MODEL_STEP_ENDED && event->result == TRACE_TASK_LOST)
		on_lost(s, a, event, step->ended);
	if (event->op == TRACE_LOOP && event->arg == TRACE_LOOP_CLOSE && a->model->loops)
		on_loop_closed(s, a, event);
}

/* ---- what the whole run shows ---- */

/* More in each of the later slices than in the one before, or nearly. */
static bool only_grows(const struct model_job_site *s)
{
	unsigned grew = 0;

	for (unsigned i = 1; i < MODEL_SLICES; i++) {
		if (s->live_at[i] + s->live_at[i] / 16 < s->live_at[i - 1])
			return false;
		grew += s->live_at[i] > s->live_at[i - 1];
	}
	return grew >= MODEL_SLICES / 2 &&
	       s->live_at[MODEL_SLICES - 1] > s->live_at[MODEL_SLICES / 2];
}

/* Nobody can run it any more, or finish what a pool did for it. */
static void count_unrun(struct analysis *a, struct left_over *l, const struct model_job *j)
{
	bool left = a->model->exit_kind == TRACE_EXIT_DESTRUCTORS &&
		    model_loop_is_left(a->model, j->loop);

	if (j->state == MODEL_JOB_CALLED || !(left || model_loop_is_closed(a->model, j->loop)))
		return;
	l->unrun++;
	l->left |= left;
	l->task = j->id;
}

/* Its loop was closed, or could not be, with the handle open: that is told. */
static bool is_told(const struct task_leak *s, const struct analysis *a, const struct model_job *j)
{
	size_t i = 0;

	if (model_job_life(j->kind) != MODEL_LIFE_HANDLE ||
	    model_loop_is_dropped(a->model, j->loop))
		return false;
	while (i < s->failed_count &&
	       (s->failed[i].loop != j->loop || j->made.time_ns > s->failed[i].time_ns))
		i++;
	return i < s->failed_count || model_loop_is_closed(a->model, j->loop);
}

/*
 * Posted all along, and more and more waited: as many were made as the poster found time for. At the end they may have been worked
 * off, by a pool that a program waits for, or a library that is shut down at exit. A heap of work that is made in one go and
 * then done is none of these: posting it took little of the time.
 */
static bool piled_up(const struct analysis *a, const struct model_job_site *s)
{
	uint64_t posted_ns = s->last.time_ns - s->first.time_ns;
	uint64_t end_ns = a->model->exit_kind ? a->model->exit_ns : a->model->process->end_ns;

	if (!s->live && s->ended_ns < end_ns)
		end_ns = s->ended_ns;
	if (s->post_count < MODEL_POSTS / 2 || posted_ns < POSTED_LONG_NS ||
	    posted_ns * 3 < end_ns - s->first.time_ns)
		return false;
	for (uint32_t i = 1; i < s->post_count; i++)
		if (s->post_at[i] + s->post_at[i] / 16 < s->post_at[i - 1])
			return false;
	return s->post_at[s->post_count - 1] >= MANY_PENDING &&
	       s->post_at[s->post_count - 1] > s->post_at[s->post_count / 2] &&
	       s->post_at[s->post_count / 2] > s->post_at[s->post_count / 4] &&
	       s->post_at[s->post_count - 1] * 4 > s->made;
}

static struct left_over *count_left_over(const struct task_leak *s, struct analysis *a)
{
	size_t count = model_job_site_count(a->model);
	struct left_over *left = calloc(count ? count : 1, sizeof(*left));
	const struct model_job *j;

	if (!left)
		abort();
	for (size_t i = 0; (j = model_next_job(a->model, &i));) {
		struct left_over *l = &left[j->site];

		if (is_told(s, a, j) || j->state == MODEL_JOB_CLOSING)
			continue;
		if (!l->count++ || j->id > l->task)
			l->task = j->id;
		/* Stopped, or a timer that ran out, and no member of a pool, which is used again. */
		l->called += j->calls != 0;
		l->dropped += a->model->exit_kind == TRACE_EXIT_DESTRUCTORS &&
			      model_loop_is_dropped(a->model, j->loop);
		l->idle += j->state == MODEL_JOB_STOPPED && j->calls <= 1;
		count_unrun(a, l, j);
	}
	return left;
}

static void report_growth(struct analysis *a, const struct model_job_site *s,
			  const struct left_over *l, enum rule rule, const char *what)
{
	struct finding *f;

	if (!analysis_wants(a, rule))
		return;
	f = analysis_begin(a, rule, CONFIDENCE_POTENTIAL);
	f->count = l->count;
	describe(a, f, l->task, s->kind, 0, &s->last);
	f->title = analysis_printf(a, "%llu %s%s %s", (unsigned long long)l->count,
				   trace_task_word(s->kind), plural(l->count), what);
	f->message = analysis_printf(
		a,
		"%s: %llu were made at this place, %llu of them ended; a quarter of the run before its end %llu were alive.",
		f->title, (unsigned long long)s->made, (unsigned long long)s->ended,
		(unsigned long long)s->live_at[MODEL_SLICES * 3 / 4 - 1]);
	analysis_commit(a, f);
}

/* They were worked off in the end. */
static void report_pile(struct analysis *a, const struct model_job_site *s)
{
	struct finding *f;

	if (!analysis_wants(a, RULE_UNBOUNDED_TASKS))
		return;
	f = analysis_begin(a, RULE_UNBOUNDED_TASKS, CONFIDENCE_POTENTIAL);
	f->count = s->live_most;
	analysis_add_stack(a, f, ROLE_CREATES, s->last.thread, 0, s->last.stack, s->last.time_ns,
			   NULL, 0)
		->note = "made here";
	f->title = analysis_printf(a, "%llu %s%s waited to be run, and there were more and more",
				   (unsigned long long)s->live_most, trace_task_word(s->kind),
				   plural(s->live_most));
	f->message = analysis_printf(
		a,
		"%s while they were posted: %llu were made at this place in %.1f ms. Limit how many may wait.",
		f->title, (unsigned long long)s->made,
		(double)(s->last.time_ns - s->first.time_ns) / 1e6);
	analysis_commit(a, f);
}

static void report_unrun(struct analysis *a, const struct model_job_site *s,
			 const struct left_over *l)
{
	const struct model_object *pool = model_get_object(a->model, s->loop);
	struct finding *f;

	if (!analysis_wants(a, RULE_LEAKED_TASK))
		return;
	f = analysis_begin(a, RULE_LEAKED_TASK, CONFIDENCE_OBSERVED);
	f->count = l->unrun;
	describe(a, f, l->task, s->kind, 0, &s->last);
	f->title = analysis_printf(
		a, "%llu %s%s never finished: %s before", (unsigned long long)l->unrun,
		trace_task_word(s->kind), plural(l->unrun),
		l->left					  ? "the event loop was left for good"
		: pool && pool->kind == TRACE_OBJECT_POOL ? "the pool was freed"
							  : "the event loop was closed");
	f->message = analysis_printf(
		a, "%s. What waits for %s waits for ever, and what it holds is leaked.", f->title,
		l->unrun == 1 ? "it" : "them");
	analysis_commit(a, f);
}

/* References that nobody has any more: the loop cannot end either. */
static void report_dropped(struct analysis *a, const struct model_job_site *s,
			   const struct left_over *l)
{
	struct finding *f;
	bool is_ev;

	if (!analysis_wants(a, RULE_LEAKED_HANDLE))
		return;
	f = analysis_begin(a, RULE_LEAKED_HANDLE, CONFIDENCE_OBSERVED);
	f->count = l->dropped;
	describe(a, f, l->task, s->kind, 0, &s->last);
	is_ev = strcmp(trace_task_library(s->kind), "libev") == 0;
	f->title = analysis_printf(a, "%llu %s%s %s never %s, though the event loop was%s",
				   (unsigned long long)l->dropped, trace_task_word(s->kind),
				   plural(l->dropped), l->dropped == 1 ? "was" : "were",
				   is_ev ? "stopped" : "given up", is_ev ? " destroyed" : "");
	f->message = analysis_printf(
		a, "%s. %s", f->title,
		is_ev ? "Their memory was not freed either: it is leaked, with what their callbacks were to do."
		      : "What is left keeps the loop alive: its memory and its descriptors are leaked.");
	analysis_commit(a, f);
}

static void judge_site(struct analysis *a, const struct model_job_site *s,
		       const struct left_over *l)
{
	enum model_life life = model_job_life(s->kind);

	bool is_queued = life == MODEL_LIFE_REQUEST || life == MODEL_LIFE_WORK ||
			 s->kind == TRACE_TASK_G_IDLE;

	if (is_queued && ends_are_known(a) && !(l->count >= MANY_PENDING && only_grows(s)) &&
	    !l->unrun && piled_up(a, s)) {
		report_pile(a, s);
		return;
	}
	if (!l->count || life == MODEL_LIFE_STATE || life == MODEL_LIFE_CALL ||
	    (!ends_are_known(a) && (life == MODEL_LIFE_HANDLE || life == MODEL_LIFE_SOURCE)))
		return;
	if (life == MODEL_LIFE_HANDLE) {
		if (l->dropped)
			report_dropped(a, s, l);
		else if (l->count >= MANY && (l->count * 4 > s->made || l->count >= MANY_ANYWAY) &&
			 only_grows(s))
			report_growth(
				a, s, l, RULE_LEAKED_HANDLE,
				"made at one place were never closed, and there are more and more");
		else if (l->idle >= MANY_IDLE && l->idle * 2 > l->count)
			report_growth(
				a, s, l, RULE_LEAKED_HANDLE,
				"made at one place were never closed, though they are not active any more");
		return;
	}
	/* One that waits for its time may be meant to: those that were called go on for ever. */
	if (life == MODEL_LIFE_SOURCE && s->kind != TRACE_TASK_G_IDLE) {
		if ((l->called >= MANY || l->count >= MANY_PENDING) && l->count * 4 > s->made &&
		    only_grows(s))
			report_growth(
				a, s, l, RULE_LEAKED_HANDLE,
				"made at one place were never removed, and there are more and more");
		return;
	}
	if (l->unrun && life != MODEL_LIFE_SOURCE && life != MODEL_LIFE_COROUTINE &&
	    ends_are_known(a))
		report_unrun(a, s, l);
	else if (l->count >= MANY_PENDING && only_grows(s) &&
		 (life != MODEL_LIFE_COROUTINE || ends_are_known(a)))
		report_growth(a, s, l, RULE_UNBOUNDED_TASKS,
			      "wait to be run, and there are more and more");
}

static void task_leak_finish(void *state, struct analysis *a)
{
	struct task_leak *s = state;
	struct left_over *left = count_left_over(s, a);

	for (size_t i = 0; i < s->failed_count; i++)
		report_loop_in_use(s, a, &s->failed[i], true);
	sites_commit(s->thrown, a);
	for (size_t i = 0; i < model_job_site_count(a->model); i++)
		judge_site(a, model_get_job_site(a->model, i), &left[i]);
	free(left);
}

const struct checker checker_task_leak = {
	.name = "task_leak",
	.consumes = CHECKER_OP(TRACE_LOOP),
	.on_flags = MODEL_STEP_ENDED,
	.begin = task_leak_begin,
	.on_event = task_leak_on_event,
	.finish = task_leak_finish,
	.release = task_leak_release,
};
