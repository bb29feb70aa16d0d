/* SPDX-License-Identifier: MIT */
/*
 * loop_stretch.c - where the time of a stretch went. Judges nothing.
 */
#include "loop_stretch.h"

#define BUSY_NS UINT64_C(11000000) /* BUSY tells of no less: the rest is taken for work */

void stretch_add_cause(struct stretch *x, const struct cause *c)
{
	struct cause *least = &x->cause[0];

	for (uint32_t i = 0; i < x->cause_count; i++) {
		struct cause *known = &x->cause[i];

		if (known->call == c->call && known->object == c->object &&
		    known->stack == c->stack) {
			known->total_ns += c->total_ns;
			return;
		}
		least = known->total_ns < least->total_ns ? known : least;
	}
	if (x->cause_count < MAX_CAUSES)
		x->cause[x->cause_count++] = *c;
	else if (least->total_ns < c->total_ns)
		*least = *c;
}

/*
 * How much of a stretch the thread was on a processor. What it neither was nor waited, the system gave to others: that is no
 * doing of the program.
 */
uint64_t stretch_processor_ns(const struct stretch *x, uint64_t stretch_ns)
{
	uint64_t rest_ns = stretch_ns > x->wall_ns ? stretch_ns - x->wall_ns : 0;

	if (!x->wall_ns || rest_ns > BUSY_NS)
		return UINT64_MAX;
	return x->processor_ns + rest_ns < stretch_ns ? x->processor_ns + rest_ns : stretch_ns;
}

uint64_t stretch_waited_ns(const struct stretch *x)
{
	uint64_t total = 0;

	for (uint32_t i = 0; i < x->cause_count; i++)
		total += x->cause[i].total_ns;
	return total;
}

const struct cause *stretch_worst_cause(const struct stretch *x)
{
	const struct cause *worst = NULL;

	for (uint32_t i = 0; i < x->cause_count; i++)
		if (!worst || x->cause[i].total_ns > worst->total_ns)
			worst = &x->cause[i];
	return worst;
}

bool stretch_is_most(uint64_t part_ns, uint64_t whole_ns)
{
	return part_ns >= whole_ns - whole_ns / 10;
}

void stretch_note_inner(struct stretch *x, const struct model_callback *callback, uint64_t now_ns)
{
	uint64_t since = callback->since_ns > x->since_ns ? callback->since_ns : x->since_ns;
	uint64_t ns = now_ns > since ? now_ns - since : 0;

	if (!callback->stack || stretch_is_most(x->inner_ns, ns))
		return;
	x->inner = *callback;
	x->inner_ns = ns;
}

void stretch_note_gap(struct stretch *x, uint64_t now_ns, uint32_t after)
{
	if (x->last_ns && now_ns > x->last_ns + x->gap_ns) {
		x->gap_ns = now_ns - x->last_ns;
		x->gap_stack = x->last_stack ? x->last_stack : after;
	}
}

void stretch_begin(struct stretch *x, uint64_t now_ns)
{
	x->since_ns = now_ns;
	x->cause_count = 0;
	x->newest_since_ns = x->newest_ns = 0;
	x->last_ns = now_ns;
	x->last_stack = x->gap_stack = 0;
	x->gap_ns = 0;
	x->wall_ns = x->processor_ns = 0;
	x->inner_ns = 0;
}

void stretch_note_busy(struct stretch *x, const struct trace_event *event)
{
	x->wall_ns += event->arg * 1000;
	x->processor_ns += event->result > 0 ? (uint64_t)event->result * 1000 : 0;
}
