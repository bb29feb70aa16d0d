/* SPDX-License-Identifier: MIT */
/*
 * scan.c - see scan.h.
 */
#include "scan.h"

#define PROGRESS_EVENTS (UINT64_C(1) << 20)

uint64_t scan_end_ns(const struct trace_reader *reader, const struct scan_options *options)
{
	uint64_t end_ns = 0, began_ns = 0;

	for (size_t i = 0; i < trace_reader_process_count(reader); i++) {
		const struct trace_process *p = trace_reader_get_process(reader, i);
		uint64_t end = trace_reader_get_start_ns(reader, i) + p->end_ns;

		end_ns = end > end_ns ? end : end_ns;
		if (i == 0)
			began_ns = p->start_real_ns;
	}
	/* The wall clock may have been set meanwhile: an end a day later is no end. */
	if (options && began_ns && options->end_real_ns > began_ns + end_ns &&
	    options->end_real_ns - began_ns < end_ns + UINT64_C(86400000000000))
		end_ns = options->end_real_ns - began_ns;
	return end_ns;
}

static uint64_t count_events(const struct trace_reader *reader)
{
	uint64_t total = 0;

	for (size_t i = 0; i < trace_reader_process_count(reader); i++)
		total += trace_reader_get_process(reader, i)->events;
	return total;
}

struct pass {
	struct trace_reader *reader;
	const struct scan_options *options;
	const struct scan_part *part;
	size_t count;
	uint64_t seen, total;
	bool is_stopped;
};

/* False = the pass is to end. */
static bool tell(struct pass *p)
{
	if (++p->seen % PROGRESS_EVENTS || !p->options || !p->options->progress)
		return true;
	p->is_stopped = !p->options->progress(p->options->cookie, p->seen, p->total);
	return !p->is_stopped;
}

static bool feed(struct pass *p, const struct scan *scan)
{
	struct trace_event event;
	struct model_step step;
	bool ok = true;

	for (size_t i = 0; ok && i < p->count; i++)
		ok = !p->part[i].begin || p->part[i].begin(p->part[i].state, scan);
	while (ok && trace_reader_next(p->reader, &event) > 0) {
		model_apply(scan->model, &event, &step);
		if (!step.thread || event.op >= TF_OPS)
			continue;
		for (size_t i = 0; ok && i < p->count; i++)
			ok = p->part[i].event(p->part[i].state, scan, &event, &step);
		ok = tell(p) && ok;
	}
	while (ok && model_finish(scan->model))
		;
	for (size_t i = 0; ok && i < p->count; i++)
		ok = !p->part[i].end || p->part[i].end(p->part[i].state, scan);
	return ok;
}

static int scan_process(struct pass *p, size_t index, struct diag *diag)
{
	struct scan scan = { .process = trace_reader_get_process(p->reader, index),
			     .index = index,
			     .start_ns = trace_reader_get_start_ns(p->reader, index) };
	int error = trace_reader_rewind(p->reader, index, diag);

	if (error)
		return error;
	scan.model = model_new(scan.process);
	if (!feed(p, &scan))
		error = p->is_stopped ? diag_set(diag, THRUM_ESTOPPED, "stopped")
				      : diag_set(diag, THRUM_ENOMEM, "out of memory");
	model_free(scan.model);
	return error;
}

int scan_run(struct trace_reader *reader, const struct scan_options *options,
	     const struct scan_part *parts, size_t count, struct diag *diag)
{
	struct pass p = { .reader = reader,
			  .options = options,
			  .part = parts,
			  .count = count,
			  .total = count_events(reader) };
	int error = 0;

	for (size_t i = 0; !error && i < trace_reader_process_count(reader); i++)
		error = scan_process(&p, i, diag);
	for (size_t i = 0; i < count; i++)
		if (parts[i].release)
			parts[i].release(parts[i].state);
	return error;
}
