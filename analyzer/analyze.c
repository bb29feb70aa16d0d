/* SPDX-License-Identifier: MIT */
/*
 * analyze.c - drives one process image after the other through the model and the checkers.
 */
#include "analyze.h"

#include "checker.h"
#include "run_union.h"

#include <stdlib.h>
#include <string.h>

#define MAX_CHECKERS 32u
#define PROGRESS_EVENTS (UINT64_C(1) << 20)

struct analyze_image {
	struct analysis analysis;
	void *state[MAX_CHECKERS]; /* by checker_table index; owned by the checkers */
	void *again[MAX_CHECKERS]; /* second pass: what each checker asked for, NULL = not in it */
	bool second_pass;
	/* Checkers that want each op, as indexes, ended by MAX_CHECKERS. */
	uint8_t subscriber[TF_OPS][MAX_CHECKERS + 1];
	/* The same of those that did not ask for the op but for what may happen with it. */
	uint8_t by_flags[TF_OPS][MAX_CHECKERS + 1];
	uint32_t flags; /* any checker's on_flags */
};

static const struct analyze_options default_options;

const char *prune_reason_text(enum prune_reason reason)
{
	switch (reason) {
	case PRUNE_ONE_THREAD:
		return "one thread makes two of the edges";
	case PRUNE_GATE:
		return "a gate lock is held on both sides";
	case PRUNE_ORDERED_CREATE:
		return "ordered by thread creation or join";
	case PRUNE_ORDERED_BARRIER:
		return "ordered by a barrier";
	case PRUNE_READ_READ:
		return "both sides only read";
	case PRUNE_DESTROYED:
		return "a lock was destroyed before another part happened";
	case PRUNE_OBSERVED:
		return "reported as a deadlock that happened";
	case PRUNE_ACROSS_RUNS:
		return "threads, locks or order keep the runs' parts apart";
	case PRUNE_BUDGET:
		return "search budget spent";
	case PRUNE_COUNT:
		break;
	}
	return "unknown";
}

static bool takes_part(const struct analyze_image *image, unsigned i)
{
	if (image->analysis.run && !checker_table[i]->in_run)
		return false;
	return !image->second_pass || image->again[i];
}

static uint64_t consumes(const struct analyze_image *image, unsigned i)
{
	return image->second_pass && checker_table[i]->consumes_again
		       ? checker_table[i]->consumes_again
		       : checker_table[i]->consumes;
}

static void subscribe(struct analyze_image *image)
{
	for (unsigned op = 0; op < TF_OPS; op++) {
		unsigned n = 0, flagged = 0;

		for (unsigned i = 0; checker_table[i] && i < MAX_CHECKERS; i++) {
			if (!takes_part(image, i) || !checker_table[i]->on_event)
				continue;
			if (consumes(image, i) >> op & 1)
				image->subscriber[op][n++] = (uint8_t)i;
			else if (checker_table[i]->on_flags)
				image->by_flags[op][flagged++] = (uint8_t)i;
		}
		image->subscriber[op][n] = image->by_flags[op][flagged] = MAX_CHECKERS;
	}
	for (unsigned i = 0; checker_table[i] && i < MAX_CHECKERS; i++)
		if (takes_part(image, i))
			image->flags |= checker_table[i]->on_flags;
}

/* Checkers that did not ask for the op but for what happened with it. */
static void dispatch_by_flags(struct analyze_image *image, const struct trace_event *event,
			      const struct model_step *step)
{
	for (const uint8_t *next = image->by_flags[event->op]; *next < MAX_CHECKERS; next++)
		if (checker_table[*next]->on_flags & step->flags)
			checker_table[*next]->on_event(image->state[*next], &image->analysis, event,
						       step);
}

/* `again` is NULL in the first pass. */
static struct analyze_image *image_new(const struct analysis *analysis, void *const *again)
{
	struct analyze_image *image = calloc(1, sizeof(*image));

	if (!image)
		abort();
	image->analysis = *analysis;
	image->analysis.model = model_new(analysis->process);
	image->second_pass = again != NULL;
	if (again)
		memcpy(image->again, again, sizeof(image->again));
	subscribe(image);
	for (unsigned i = 0; checker_table[i] && i < MAX_CHECKERS; i++) {
		image->analysis.again = image->again[i];
		if (takes_part(image, i) && checker_table[i]->begin)
			image->state[i] = checker_table[i]->begin(&image->analysis);
	}
	return image;
}

struct analyze_image *analyze_image_begin(const struct trace_process *process, size_t index,
					  const struct analyze_options *options,
					  struct finding_list *findings,
					  struct analyze_stats *stats)
{
	struct analysis analysis = { .process = process,
				     .process_index = index,
				     .findings = findings,
				     .options = options ? options : &default_options,
				     .stats = stats };

	return image_new(&analysis, NULL);
}

struct analyze_image *analyze_image_begin_run(const struct trace_process *process,
					      const struct run_processes *run,
					      const struct analyze_options *options,
					      struct finding_list *findings,
					      struct analyze_stats *stats)
{
	struct analysis analysis = { .process = process,
				     .run = run,
				     .findings = findings,
				     .options = options ? options : &default_options,
				     .stats = stats };

	return image_new(&analysis, NULL);
}

void analyze_image_event(struct analyze_image *image, const struct trace_event *event)
{
	struct model_step step;
	const uint8_t *next;

	model_apply(image->analysis.model, event, &step);
	if (!step.thread || event->op >= TF_OPS)
		return;
	for (next = image->subscriber[event->op]; *next < MAX_CHECKERS; next++)
		checker_table[*next]->on_event(image->state[*next], &image->analysis, event, &step);
	if (step.flags & image->flags)
		dispatch_by_flags(image, event, &step);
}

/* Returns whether a checker asks for a second pass; `ret_again` has what each asked for. */
static bool finish_checkers(struct analyze_image *image, void **ret_again)
{
	struct analysis *a = &image->analysis;
	struct model_thread *t;
	bool any = false;

	while ((t = model_finish(a->model)))
		for (unsigned i = 0; checker_table[i] && i < MAX_CHECKERS; i++)
			if (takes_part(image, i) && checker_table[i]->on_thread_over)
				checker_table[i]->on_thread_over(image->state[i], a, t);
	for (unsigned i = 0; checker_table[i] && i < MAX_CHECKERS; i++) {
		a->again = NULL;
		if (takes_part(image, i) && checker_table[i]->finish)
			checker_table[i]->finish(image->state[i], a);
		ret_again[i] = a->again;
		any |= a->again != NULL;
	}
	for (unsigned i = 0; checker_table[i] && i < MAX_CHECKERS; i++)
		if (takes_part(image, i) && checker_table[i]->release)
			checker_table[i]->release(image->state[i]);
	return any;
}

struct analyze_image *analyze_image_end(struct analyze_image *image)
{
	struct analysis *a = &image->analysis;
	void *again[MAX_CHECKERS] = { NULL };
	struct analyze_image *next = NULL;
	bool wanted = finish_checkers(image, again);

	if (!image->second_pass)
		a->stats->events += a->model->events;
	model_free(a->model);
	if (wanted && !image->second_pass) {
		next = image_new(a, again); /* owns `observed` now */
	} else {
		for (size_t i = 0; i < a->observed_count; i++)
			free(a->observed[i]);
		free(a->observed);
	}
	free(image);
	return next;
}

static int run_image(struct trace_reader *reader, struct fork_book *forks, size_t index,
		     const struct analyze_options *options, struct finding_list *findings,
		     struct analyze_stats *stats, struct diag *diag)
{
	const struct trace_process *process = trace_reader_get_process(reader, index);
	struct analysis analysis = { .process = process,
				     .process_index = index,
				     .forks = forks,
				     .findings = findings,
				     .options = options,
				     .stats = stats };
	struct analyze_image *image = image_new(&analysis, NULL);
	struct trace_event event;
	int error = 0;

	while (image) {
		uint64_t events = 0;

		error = error ? error : trace_reader_rewind(reader, index, diag);
		while (!error && trace_reader_next(reader, &event) == 1) {
			analyze_image_event(image, &event);
			if (++events % PROGRESS_EVENTS == 0 && options->progress &&
			    !options->progress(options->cookie, index, events, process->events))
				error = diag_set(diag, THRUM_ESTOPPED, "stopped");
		}
		image = analyze_image_end(image);
	}
	stats->lost_events += process->lost_events;
	stats->objects += process->object_count ? process->object_count - 1 : 0;
	stats->threads += process->thread_count ? process->thread_count - 1 : 0;
	return error;
}

int analyze_run(struct trace_reader *reader, const struct analyze_options *options,
		struct finding_list *findings, struct analyze_stats *ret_stats, struct diag *diag)
{
	struct fork_book forks;
	int error = 0;

	memset(ret_stats, 0, sizeof(*ret_stats));
	if (!options)
		options = &default_options;
	fork_book_init(&forks, reader);
	for (size_t i = 0; i < trace_reader_process_count(reader) && !error; i++) {
		error = run_image(reader, &forks, i, options, findings, ret_stats, diag);
		fork_book_drop(&forks, i);
	}
	fork_book_release(&forks);
	if (!error)
		error = run_union_analyze(reader, options, findings, diag);
	return error;
}
