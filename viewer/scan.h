/* SPDX-License-Identifier: MIT */
/*
 * scan.h - one pass over all events of a trace, image after image, for several who want to see them:
 * each gets the model after the event and what the event changed.
 */
#ifndef THRUM_VIEWER_SCAN_H
#define THRUM_VIEWER_SCAN_H

#include "../analyzer/model/model.h"

struct scan_options {
	uint64_t
		end_real_ns; /* when the run was over, as the launcher says; 0 = at the last record */
	/* Called about every million events; false = stop. May be NULL. */
	bool (*progress)(void *cookie, uint64_t events, uint64_t total);
	void *cookie;
};

/* Where the pass is. */
struct scan {
	const struct trace_process *process;
	size_t index;	   /* of it in the reader */
	uint64_t start_ns; /* add it to a time of the image to get run time */
	struct model *model;
};

/* A part of the pass returns false where it is out of memory: that ends the pass. NULL = not interested. */
struct scan_part {
	void *state;
	bool (*begin)(void *state, const struct scan *scan);
	bool (*event)(void *state, const struct scan *scan, const struct trace_event *event,
		      const struct model_step *step);
	/* After the last event of the image, and after model_finish. */
	bool (*end)(void *state, const struct scan *scan);
	void (*release)(void *state); /* after the pass, whatever came of it */
};

/* `options` may be NULL. THRUM_ENOMEM, THRUM_ESTOPPED, or an error of the reader. */
int scan_run(struct trace_reader *reader, const struct scan_options *options,
	     const struct scan_part *parts, size_t count, struct diag *diag);

/* Run time at which the run was over: of the newest record, or later where `options` knows. */
uint64_t scan_end_ns(const struct trace_reader *reader, const struct scan_options *options);

#endif
