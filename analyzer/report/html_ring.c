/* SPDX-License-Identifier: MIT */
/*
 * html_ring.c - geometry and markup of wait-for rings and lock-order rings.
 *
 * Colour is never the only sign: waits are dashed and orange, holds are solid and blue, threads
 * have round ends, locks square corners.
 */
#include "html_ring.h"

#include "../fingerprint.h"
#include "../frame_class.h"
#include "escape.h"
#include "html_text.h"
#include "words.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define BOX_WIDTH 172
#define BOX_HEIGHT 50
#define NAME_CHARACTERS 20
#define ROW_WIDTH 284
#define ROW_CHARACTERS 36
#define MARGIN 12
#define EDGE_LABELS 6 /* rings with more nodes have no room for words at their edges */

struct point {
	double x, y;
};

/* cos and sin of 1/n of a turn, n = 1 … 12: spares the math library. */
static const struct point turn[RING_DRAWN_NODES + 1] = {
	{ 1, 0 },
	{ 1, 0 },
	{ -1, 0 },
	{ -0.5, 0.8660254037844386 },
	{ 0, 1 },
	{ 0.30901699437494745, 0.9510565162951535 },
	{ 0.5, 0.8660254037844386 },
	{ 0.6234898018587335, 0.7818314824680298 },
	{ 0.7071067811865476, 0.7071067811865476 },
	{ 0.766044443118978, 0.6427876096865394 },
	{ 0.8090169943749475, 0.5877852522924731 },
	{ 0.8412535328311812, 0.5406408174555976 },
	{ 0.8660254037844386, 0.5 },
};

struct edge_style {
	const char *class, *marker, *label;
};

static const struct edge_style edge_styles[] = {
	[RING_WAITS_FOR] = { "waits", "arrow-waits", "waits for" },
	[RING_HELD_BY] = { "held", "arrow-held", "held by" },
	[RING_EXPECTS] = { "waits", "arrow-waits", "needs" },
	[RING_THEN] = { "then", "arrow-then", "then" },
};

/* ---- text ---- */

static const char *node_words(const struct finding *f, const struct ring_node *node, char *buffer,
			      size_t bytes)
{
	return node->is_thread ? words_thread(f, node->id, buffer, bytes)
			       : words_lock(f, node->id, buffer, bytes);
}

/* Function in which the edge came to be; "" = unknown. */
static const char *edge_function(const struct ring_node *node, char *buffer, size_t bytes)
{
	const struct frame *frame = node->stack ? html_program_frame(&node->stack->frames) : NULL;

	*buffer = '\0';
	if (frame)
		function_bare_name(frame->function, buffer, bytes);
	return buffer;
}

/* ---- geometry ---- */

static int rounded(double x)
{
	return (int)(x < 0 ? x - 0.5 : x + 0.5);
}

/*
 * Where the line from the centre of a box towards `target` leaves the box, and a little further for
 * the arrow.
 */
static struct point box_exit(struct point center, struct point target, double gap)
{
	double dx = target.x - center.x, dy = target.y - center.y;
	double ax = dx < 0 ? -dx : dx, ay = dy < 0 ? -dy : dy;
	double half_width = BOX_WIDTH / 2.0 + gap, half_height = BOX_HEIGHT / 2.0 + gap;
	double scale = ax * half_height > ay * half_width ? half_width / ax
		       : ay > 0				  ? half_height / ay
							  : 0;

	return (struct point){ center.x + dx * scale, center.y + dy * scale };
}

static void put_node(FILE *out, const struct finding *f, const struct ring_node *node,
		     struct point center)
{
	char kind[WORDS_BYTES], name[WORDS_BYTES], full[WORDS_BYTES];

	if (node->is_thread)
		html_thread_lines(f, node->id, kind, name, sizeof(kind));
	else
		html_lock_lines(f, node->id, kind, name, sizeof(kind));
	html_box(out, &(struct html_box){ .x = rounded(center.x),
					  .y = rounded(center.y),
					  .width = BOX_WIDTH,
					  .height = BOX_HEIGHT,
					  .is_thread = node->is_thread,
					  .kind = kind,
					  .name = name,
					  .full = node_words(f, node, full, sizeof(full)),
					  .characters = NAME_CHARACTERS });
}

static void put_edge_label(FILE *out, const struct ring_node *node, int x, int y)
{
	char function[WORDS_BYTES];

	fprintf(out, "<text class=\"edge-label\" x=\"%d\" y=\"%d\">%s", x, y,
		edge_styles[node->edge].label);
	if (node->edge == RING_THEN && *edge_function(node, function, sizeof(function))) {
		fputs(" in ", out);
		html_short(out, function, NAME_CHARACTERS);
	}
	fputs("</text>\n", out);
}

static void put_edge(FILE *out, const struct ring *ring, size_t i, const struct point *at)
{
	const struct ring_node *node = &ring->node[i];
	const struct edge_style *style = &edge_styles[node->edge];
	struct point a = at[i], b = at[(i + 1) % ring->count];
	struct point middle = { (a.x + b.x) / 2, (a.y + b.y) / 2 };
	/* Bent outwards; two nodes need a real gap between the way there and the way back. */
	double out_by = ring->count == 3 ? 1.7 : 1.25;
	struct point bend = { middle.x * out_by, middle.y * out_by };
	struct point from, to;

	if (ring->count == 2)
		bend = (struct point){ 0, a.x < b.x ? -92 : 92 };
	from = box_exit(a, bend, 0);
	to = box_exit(b, bend, 7);
	fprintf(out, "<path class=\"edge %s\" marker-end=\"url(#%s)\" d=\"M%d %dQ%d %d %d %d\"/>\n",
		style->class, style->marker, rounded(from.x), rounded(from.y), rounded(bend.x),
		rounded(bend.y), rounded(to.x), rounded(to.y));
	if (ring->count <= EDGE_LABELS)
		put_edge_label(out, node, rounded((from.x + 2 * bend.x + to.x) / 4),
			       rounded((from.y + 2 * bend.y + to.y) / 4 + 4));
}

static void place_nodes(const struct ring *ring, struct point *ret_at)
{
	size_t n = ring->count;
	double radius_x = n == 2 ? 150 : n == 3 ? 205 : 80.0 + 28.0 * (double)n;
	double radius_y = n == 3 ? 105 : 30.0 + 23.0 * (double)n;
	struct point direction = n == 2 ? (struct point){ -1, 0 } : (struct point){ 0, -1 };

	for (size_t i = 0; i < n; i++) {
		struct point d = direction;

		ret_at[i] = (struct point){ d.x * radius_x, d.y * radius_y };
		direction = (struct point){ d.x * turn[n].x - d.y * turn[n].y,
					    d.x * turn[n].y + d.y * turn[n].x };
	}
}

static void put_round(FILE *out, const struct ring *ring, const struct finding *f)
{
	struct point at[RING_DRAWN_NODES];
	double width = 0, top = 0, bottom = 0;

	place_nodes(ring, at);
	for (size_t i = 0; i < ring->count; i++) {
		width = at[i].x > width ? at[i].x : width;
		top = at[i].y < top ? at[i].y : top;
		bottom = at[i].y > bottom ? at[i].y : bottom;
	}
	if (ring->count == 2)
		top = -50, bottom = 50;
	if (ring->count == 3)
		bottom += 20;
	width += BOX_WIDTH / 2.0 + MARGIN;
	top -= BOX_HEIGHT / 2.0 + MARGIN;
	bottom += BOX_HEIGHT / 2.0 + MARGIN;
	fprintf(out,
		"<svg class=\"ring\" aria-hidden=\"true\" viewBox=\"%d %d %d %d\" width=\"%d\" height=\"%d\">\n",
		rounded(-width), rounded(top), rounded(2 * width), rounded(bottom - top),
		rounded(2 * width), rounded(bottom - top));
	for (size_t i = 0; i < ring->count; i++)
		put_edge(out, ring, i, at);
	for (size_t i = 0; i < ring->count; i++)
		put_node(out, f, &ring->node[i], at[i]);
	fputs("</svg>\n", out);
}

/* Measures of a ladder: roomy with words at its edges, or dense for long rings. */
struct ladder {
	int step, box_height;
	bool labels;
};

static const struct ladder roomy = { 94, BOX_HEIGHT, true }, dense = { 42, 26, false };

/* What it is and its name on one line, in a dense ladder. */
static void put_row(FILE *out, const struct finding *f, const struct ring_node *node, int x, int y,
		    int height)
{
	char words[WORDS_BYTES];

	node_words(f, node, words, sizeof(words));
	fprintf(out, "<g class=\"node %s\"><title>", node->is_thread ? "thread" : "lock");
	escape_html(out, words);
	fprintf(out,
		"</title><rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"%d\"/><text class=\"name\" x=\"%d\" "
		"y=\"%d\">",
		x, y - height / 2, ROW_WIDTH, height, node->is_thread ? height / 2 : 3,
		x + ROW_WIDTH / 2, y + 5);
	html_short(out, words, ROW_CHARACTERS);
	fputs("</text></g>\n", out);
}

static void put_rung(FILE *out, const struct ladder *l, const struct ring_node *node, int center,
		     int y)
{
	fprintf(out, "<path class=\"edge %s\" marker-end=\"url(#%s)\" d=\"M%d %dV%d\"/>\n",
		edge_styles[node->edge].class, edge_styles[node->edge].marker, center, y,
		y + l->step - l->box_height - 7);
	if (!l->labels)
		return;
	fputs("<g class=\"beside\">", out);
	put_edge_label(out, node, center + 14, y + (l->step - l->box_height) / 2 + 4);
	fputs("</g>", out);
}

/* One node below the other, arrows down, and a way back up on the left. */
static void put_ladder(FILE *out, const struct ring *ring, const struct finding *f)
{
	const struct ladder *l = ring->count <= RING_DRAWN_NODES ? &roomy : &dense;
	const int left = 44, width = l->labels ? BOX_WIDTH : ROW_WIDTH, center = left + width / 2;
	int first = MARGIN + l->box_height / 2, last = first + ((int)ring->count - 1) * l->step;
	int height = last + l->box_height / 2 + MARGIN;
	const struct edge_style *closing = &edge_styles[ring->node[ring->count - 1].edge];

	fprintf(out,
		"<svg class=\"ladder\" aria-hidden=\"true\" viewBox=\"0 0 340 %d\" width=\"340\" height=\"%d\">\n",
		height, height);
	for (size_t i = 0; i + 1 < ring->count; i++)
		put_rung(out, l, &ring->node[i], center,
			 first + (int)i * l->step + l->box_height / 2);
	fprintf(out,
		"<path class=\"edge %s\" marker-end=\"url(#%s)\" d=\"M%d %dH24Q12 %d 12 %dV%dQ12 %d 24 %dH%d\"/>\n",
		closing->class, closing->marker, left, last, last, last - 12, first + 12, first,
		first, left - 7);
	for (size_t i = 0; i < ring->count; i++) {
		int y = first + (int)i * l->step;

		if (l->labels)
			put_node(out, f, &ring->node[i], (struct point){ center, y });
		else
			put_row(out, f, &ring->node[i], left, y, l->box_height);
	}
	fputs("</svg>\n", out);
}

/* ---- the figure ---- */

void html_ring_markers(FILE *out)
{
	static const char *const names[] = { "waits", "held", "then", "access" };

	fputs("<svg class=\"markers\" aria-hidden=\"true\" width=\"0\" height=\"0\"><defs>\n", out);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		fprintf(out,
			"<marker id=\"arrow-%s\" class=\"head %s\" viewBox=\"0 0 10 10\" refX=\"5\" refY=\"5\" "
			"markerUnits=\"userSpaceOnUse\" markerWidth=\"13\" markerHeight=\"13\" orient=\"auto\">"
			"<path d=\"M0 0L10 5L0 10z\"/></marker>\n",
			names[i], names[i]);
	fputs("</defs></svg>\n", out);
}

/* The picture in words, for those who cannot see it. */
static void put_alternative(FILE *out, const struct ring *ring, const struct finding *f)
{
	char words[WORDS_BYTES];

	for (size_t i = 0; i < ring->count; i++) {
		escape_html(out, node_words(f, &ring->node[i], words, sizeof(words)));
		fprintf(out, " %s ", edge_styles[ring->node[i].edge].label);
	}
	escape_html(out, node_words(f, &ring->node[0], words, sizeof(words)));
}

/* Words for edges that have no room for them. */
static void put_legend(FILE *out, const struct ring *ring)
{
	fputs(ring->node[0].edge == RING_THEN
		      ? "<figcaption>arrow: taken while the first is held</figcaption>\n"
		      : "<figcaption>dashed: waits for. solid: held by.</figcaption>\n",
	      out);
}

void html_ring(FILE *out, const struct ring *ring, const struct finding *f)
{
	if (ring->count < 2)
		return;
	fprintf(out, "<figure class=\"%s%s\" role=\"img\" aria-label=\"",
		ring->count <= RING_DRAWN_NODES ? "both" : "long",
		ring->count > EDGE_LABELS && ring->count <= RING_DRAWN_NODES ? " wide" : "");
	put_alternative(out, ring, f);
	fputs("\">\n", out);
	if (ring->count <= RING_DRAWN_NODES)
		put_round(out, ring, f);
	put_ladder(out, ring, f);
	if (ring->count > EDGE_LABELS)
		put_legend(out, ring);
	fputs("</figure>\n", out);
}
