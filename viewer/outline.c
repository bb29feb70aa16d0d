/* SPDX-License-Identifier: MIT */
/*
 * outline.c - see outline.h.
 */
#include "outline.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- threads ---- */

/* As lanes_thread_name. */
static void name_lane(const struct trace_process *p, struct outline_lane *lane)
{
	const struct trace_thread *t = &p->threads[lane->thread];

	if (lane->thread == 1 || t->flags & TF_THREAD_MAIN)
		snprintf(lane->name, sizeof(lane->name), "main");
	else if (t->name && *t->name)
		snprintf(lane->name, sizeof(lane->name), "%s", t->name);
	else
		snprintf(lane->name, sizeof(lane->name), "thread %" PRIu32, lane->thread);
}

static int compare_pieces(const void *left, const void *right)
{
	const struct outline_piece *a = left, *b = right;

	if (a->start_ns != b->start_ns)
		return a->start_ns < b->start_ns ? -1 : 1;
	return a->end_ns < b->end_ns ? -1 : a->end_ns > b->end_ns;
}

/* In order; of two that overlap the later one begins where the other ends, so that a file's lies cost no time. */
static void finish_lane(struct outline_lane *lane)
{
	uint64_t before = 0;

	qsort(lane->piece, lane->piece_count, sizeof(*lane->piece), compare_pieces);
	for (size_t i = 0; i < lane->piece_count; i++) {
		struct outline_piece *p = &lane->piece[i];

		p->start_ns = p->start_ns < before ? before : p->start_ns;
		p->end_ns = p->end_ns < p->start_ns ? p->start_ns : p->end_ns;
		before = p->end_ns;
		lane->events += p->events;
	}
}

static int compare_lanes(const void *left, const void *right)
{
	const struct outline_lane *a = left, *b = right;

	if (a->piece->start_ns != b->piece->start_ns)
		return a->piece->start_ns < b->piece->start_ns ? -1 : 1;
	return a->thread < b->thread ? -1 : a->thread > b->thread;
}

/* ---- an image ---- */

/* Pieces of each thread of an image. NULL = out of memory. */
static size_t *count_pieces(const struct trace_reader *reader, size_t index)
{
	const struct trace_process *p = trace_reader_get_process(reader, index);
	size_t *count = calloc(p->thread_count + 1, sizeof(*count));

	for (size_t i = 0; count && i < trace_reader_piece_count(reader, index); i++)
		count[trace_reader_get_piece(reader, index, i).thread]++;
	return count;
}

/* Turns counts into lanes, and each count into the number of its lane. */
static bool add_lanes(struct outline *o, const struct trace_process *p, size_t index, size_t *count)
{
	struct outline_piece *piece = o->piece + o->piece_count;
	size_t lanes = 0;
	struct outline_lane *grown;

	for (size_t t = 1; t < p->thread_count; t++) {
		lanes += count[t] != 0;
		o->left_out += !count[t] && p->threads[t].defined;
	}
	grown = realloc(o->lane, (o->lane_count + lanes + 1) * sizeof(*grown));
	if (!grown)
		return false;
	o->lane = grown;
	for (size_t t = 1; t < p->thread_count; t++) {
		struct outline_lane *lane = &o->lane[o->lane_count];

		if (!count[t])
			continue;
		*lane = (struct outline_lane){ .process = (uint32_t)index,
					       .thread = (uint32_t)t,
					       .piece = piece };
		name_lane(p, lane);
		piece += count[t];
		o->piece_count += count[t];
		count[t] = o->lane_count++;
	}
	return true;
}

static void add_pieces(struct outline *o, const struct trace_reader *reader, size_t index,
		       const size_t *lane_of)
{
	uint64_t start_ns = o->process[index].start_ns;

	for (size_t i = 0; i < trace_reader_piece_count(reader, index); i++) {
		struct trace_piece from = trace_reader_get_piece(reader, index, i);
		struct outline_lane *lane = &o->lane[lane_of[from.thread]];

		if (from.thread)
			lane->piece[lane->piece_count++] =
				(struct outline_piece){ from.start_ns + start_ns,
							from.end_ns + start_ns, from.events };
	}
}

static bool add_image(struct outline *o, const struct trace_reader *reader, size_t index)
{
	const struct trace_process *p = trace_reader_get_process(reader, index);
	uint64_t start_ns = trace_reader_get_start_ns(reader, index);
	size_t first = o->lane_count, *count = count_pieces(reader, index);
	bool ok = count && add_lanes(o, p, index, count);

	o->process[index] =
		(struct outline_process){ .pid = p->pid,
					  .command = strdup(p->command ? p->command : ""),
					  .start_ns = start_ns,
					  .end_ns = start_ns + p->end_ns };
	if (ok)
		add_pieces(o, reader, index, count);
	for (size_t i = first; ok && i < o->lane_count; i++)
		finish_lane(&o->lane[i]);
	if (ok && o->lane_count > first)
		qsort(o->lane + first, o->lane_count - first, sizeof(*o->lane), compare_lanes);
	if (o->process[index].end_ns > o->end_ns)
		o->end_ns = o->process[index].end_ns;
	o->events += p->events;
	free(count);
	return ok && o->process[index].command;
}

int outline_new(const struct trace_reader *reader, struct outline **ret_outline, struct diag *diag)
{
	struct outline *o = calloc(1, sizeof(*o));
	size_t images = trace_reader_process_count(reader), pieces = 0;
	bool ok = o;

	for (size_t i = 0; i < images; i++)
		pieces += trace_reader_piece_count(reader, i);
	if (ok) {
		o->process = calloc(images + 1, sizeof(*o->process));
		o->piece = calloc(pieces + 1, sizeof(*o->piece));
		o->process_count = o->process ? images : 0;
		ok = o->process && o->piece;
	}
	for (size_t i = 0; ok && i < images; i++)
		ok = add_image(o, reader, i);
	if (!ok) {
		outline_free(o);
		return diag_set(diag, THRUM_ENOMEM, "out of memory");
	}
	*ret_outline = o;
	return 0;
}

void outline_free(struct outline *o)
{
	if (!o)
		return;
	for (size_t i = 0; i < o->process_count; i++)
		free(o->process[i].command);
	free(o->process);
	free(o->piece);
	free(o->lane);
	free(o);
}

/* ---- shades ---- */

static double density(const struct outline_piece *p)
{
	return (double)p->events / (double)(p->end_ns - p->start_ns + 1);
}

/* Pieces of a few events say little: two within a nanosecond would be the densest of all. */
#define FEW_EVENTS 64u

static double most_density(const struct outline *o)
{
	double most = 0, most_of_few = 0;

	for (size_t i = 0; i < o->piece_count; i++) {
		double *of = o->piece[i].events < FEW_EVENTS ? &most_of_few : &most;

		if (density(&o->piece[i]) > *of)
			*of = density(&o->piece[i]);
	}
	return most > 0 ? most : most_of_few;
}

static uint8_t shade_of(double density, double most)
{
	uint8_t shade = OUTLINE_SHADES;

	while (shade > 1 && density * 4 < most) {
		density *= 4;
		shade--;
	}
	return shade;
}

void outline_shade(const struct outline *o, const struct outline_lane *lane, uint8_t *ret_shade,
		   size_t count)
{
	double scale = (double)count / ((double)o->end_ns + 1), most = most_density(o);

	memset(ret_shade, 0, count);
	for (size_t i = 0; i < lane->piece_count; i++) {
		const struct outline_piece *p = &lane->piece[i];
		uint8_t shade = shade_of(density(p), most);
		size_t last = (size_t)((double)p->end_ns * scale);

		for (size_t b = (size_t)((double)p->start_ns * scale); b <= last && b < count; b++)
			if (ret_shade[b] < shade)
				ret_shade[b] = shade;
	}
}
