/* SPDX-License-Identifier: MIT */
/*
 * page_graph.c - which lock was taken while which was held: a picture where it is small enough to be read, and a table of
 * all pairs.
 */
#include "../analyzer/report/escape.h"
#include "../analyzer/report/html_text.h"
#include "../analyzer/report/words.h"
#include "graph_layout.h"
#include "page_cells.h"
#include "page_screens.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
	NODES_MOST = 80,
	EDGES_MOST = 400,
	BOX_WIDTH = 170,
	BOX_HEIGHT = 40,
	COLUMN = BOX_WIDTH + 110,
	LINE = BOX_HEIGHT + 26,
	MARGIN = 70, /* room for arrows beside the first and the last column */
	EDGE = 12,
};

struct drawing {
	const struct page *page;
	FILE *out;
	struct graph_node node[NODES_MOST];
	uint32_t process[NODES_MOST], object[NODES_MOST];
	size_t nodes;
	struct graph_edge edge[EDGES_MOST];
	const struct table_order *order[EDGES_MOST];
	size_t edges;
	bool left_out;
};

static size_t find_node(struct drawing *d, uint32_t process, uint32_t object)
{
	for (size_t i = 0; i < d->nodes; i++)
		if (d->process[i] == process && d->object[i] == object)
			return i;
	if (d->nodes == NODES_MOST)
		return SIZE_MAX;
	d->process[d->nodes] = process;
	d->object[d->nodes] = object;
	d->node[d->nodes].component = 1000000 + (uint32_t)d->nodes;
	return d->nodes++;
}

static void add_edge(struct drawing *d, const struct table_order *o)
{
	size_t from = find_node(d, o->process, o->edge.from);
	size_t to = find_node(d, o->process, o->edge.to);

	if (from == SIZE_MAX || to == SIZE_MAX || d->edges == EDGES_MOST) {
		d->left_out = true;
		return;
	}
	if (o->edge.cycle != ORDER_NO_CYCLE)
		d->node[from].component = d->node[to].component = o->process * 4096 + o->edge.cycle;
	d->edge[d->edges] = (struct graph_edge){ (uint32_t)from, (uint32_t)to };
	d->order[d->edges++] = o;
}

/* Cycles first, then their neighbours, then the rest, as far as there is room. */
static void choose_edges(struct drawing *d)
{
	const struct tables *t = d->page->tables;
	size_t cyclic;

	for (size_t i = 0; i < t->order_count; i++)
		if (t->order[i].edge.cycle != ORDER_NO_CYCLE)
			add_edge(d, &t->order[i]);
	cyclic = d->nodes;
	for (int near = 1; near >= 0; near--)
		for (size_t i = 0; i < t->order_count; i++) {
			const struct table_order *o = &t->order[i];
			bool touches = false;

			for (size_t n = 0; n < cyclic; n++)
				touches = touches || (d->process[n] == o->process &&
						      (d->object[n] == o->edge.from ||
						       d->object[n] == o->edge.to));
			if (o->edge.cycle == ORDER_NO_CYCLE && touches == near)
				add_edge(d, o);
		}
}

static int left_of(const struct graph_node *n)
{
	return MARGIN + (int)n->layer * COLUMN;
}

static int middle_of(const struct graph_node *n)
{
	return EDGE + (int)n->place * LINE + BOX_HEIGHT / 2;
}

/* Thicker where it happened more often: a step for each power of ten. */
static int width_of(uint64_t count)
{
	int width = 15;

	for (; count >= 10 && width < 45; count /= 10)
		width += 5;
	return width;
}

static void put_edge(const struct drawing *d, size_t i)
{
	const struct graph_node *from = &d->node[d->edge[i].from], *to = &d->node[d->edge[i].to];
	const struct table_order *o = d->order[i];
	const char *class = o->edge.cycle != ORDER_NO_CYCLE ? "cyclic" : "plain";
	int width = width_of(o->edge.count), y0 = middle_of(from), y1 = middle_of(to), x0, x1, bend;

	if (from->layer == to->layer) { /* down on the right side, up on the left one */
		bool down = to->place > from->place;
		int reach = 24 + 12 * abs((int)to->place - (int)from->place);

		x0 = left_of(from) + (down ? BOX_WIDTH : 0);
		x1 = left_of(to) + (down ? BOX_WIDTH : 0);
		bend = down ? reach : -reach;
		fprintf(d->out,
			"<path class=\"edge %s\" marker-end=\"url(#graph-%s)\" stroke-width=\"%d.%d\" d=\"M%d %d "
			"C%d %d %d %d %d %d\">",
			class, class, width / 10, width % 10, x0, y0, x0 + bend, y0, x1 + bend, y1,
			x1 + (down ? 7 : -7), y1);
	} else {
		x0 = left_of(from) + BOX_WIDTH;
		x1 = left_of(to) - 7;
		bend = (x1 - x0) / 2;
		fprintf(d->out,
			"<path class=\"edge %s\" marker-end=\"url(#graph-%s)\" stroke-width=\"%d.%d\" d=\"M%d %d "
			"C%d %d %d %d %d %d\">",
			class, class, width / 10, width % 10, x0, y0, x0 + bend, y0, x1 - bend, y1,
			x1, y1);
	}
	fprintf(d->out, "<title>%" PRIu64 " times</title></path>\n", o->edge.count);
}

static void put_node(const struct drawing *d, size_t i)
{
	char kind[WORDS_BYTES], name[WORDS_BYTES], full[2 * WORDS_BYTES];
	struct html_box box = { .x = left_of(&d->node[i]) + BOX_WIDTH / 2,
				.y = middle_of(&d->node[i]),
				.width = BOX_WIDTH,
				.height = BOX_HEIGHT,
				.kind = kind,
				.name = name,
				.full = full,
				.characters = 20 };

	page_object_words(d->page, d->process[i], d->object[i], kind, sizeof(kind), name,
			  sizeof(name));
	snprintf(full, sizeof(full), "%s %s", kind, name);
	html_box(d->out, &box);
}

static void put_drawing(struct drawing *d)
{
	uint32_t layers, places;

	choose_edges(d);
	if (!d->edges || !graph_layout(d->node, d->nodes, d->edge, d->edges, &layers, &places))
		return;
	fprintf(d->out,
		"<div class=\"picture\" tabindex=\"0\" role=\"group\" aria-label=\"Picture\"><svg class=\"graph\" width=\"%u\" "
		"height=\"%u\" role=\"img\" aria-label=\"Locks, from those taken first on the left; the same pairs are in the "
		"table below\"><defs>",
		layers * COLUMN + 2 * MARGIN, places * LINE + 2 * EDGE);
	for (int cyclic = 0; cyclic < 2; cyclic++)
		fprintf(d->out,
			"<marker id=\"graph-%s\" viewBox=\"0 0 10 10\" refX=\"3\" refY=\"5\" markerWidth=\"9\" markerHeight=\"9\" "
			"markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path class=\"head %s\" d=\"M0 0L10 5L0 10z\"/></marker>",
			cyclic ? "cyclic" : "plain", cyclic ? "cyclic" : "plain");
	fputs("</defs>\n", d->out);
	for (size_t i = 0; i < d->edges; i++)
		put_edge(d, i);
	for (size_t i = 0; i < d->nodes; i++)
		put_node(d, i);
	fputs("</svg></div>\n", d->out);
	if (d->left_out)
		fputs("<p class=\"facts\">The picture has the cycles and what is near them; the table has more.</p>\n",
		      d->out);
}

/* ---- the table ---- */

static void put_pair(const struct page *page, const struct table_order *o, FILE *out)
{
	char kind[WORDS_BYTES], name[WORDS_BYTES];

	fputs("<tr><td>", out);
	page_put_object(page, o->process, o->edge.from, out);
	page_object_words(page, o->process, o->edge.to, kind, sizeof(kind), name, sizeof(name));
	fputs("</td><td><details><summary>", out);
	escape_html(out, kind);
	fputc(' ', out);
	escape_html(out, name);
	fputs("</summary>\n", out);
	page_put_stack(page, o->process, o->edge.hold_stack, "The first was taken", out);
	page_put_stack(page, o->process, o->edge.request_stack, "The second was taken", out);
	fprintf(out, "</details></td><td>%s</td>",
		o->edge.cycle != ORDER_NO_CYCLE
			? "<span class=\"bad\">also the other way round</span>"
			: "");
	page_cell_count(out, o->edge.count);
	fputs("<td>", out);
	if (o->edge.thread == ORDER_MANY_THREADS)
		fputs("several", out);
	else
		page_put_thread(page, o->process, o->edge.thread, out);
	fputs("</td><td>", out);
	page_put_place(page, o->process, o->edge.request_stack, out);
	fputs("</td></tr>\n", out);
}

static void put_pairs(const struct page *page, FILE *out)
{
	static const struct page_column columns[] = {
		{ "Held", false }, { "Then taken", false }, { "Order", false },
		{ "Times", true }, { "Threads", false },    { "In", false },
	};
	const struct tables *t = page->tables;
	size_t shown = 0;

	page_table_begin(out, columns, sizeof(columns) / sizeof(columns[0]));
	for (int plain = 0; plain < 2; plain++)
		for (size_t i = 0; i < t->order_count && shown < PAGE_ROWS; i++)
			if ((t->order[i].edge.cycle == ORDER_NO_CYCLE) == plain) {
				put_pair(page, &t->order[i], out);
				shown++;
			}
	page_table_end(out, t->order_count - shown + (size_t)t->orders_left_out, "pair");
}

void page_graph_put(const struct page *page, FILE *out)
{
	struct drawing *d;

	if (!page->tables->order_count)
		return;
	d = calloc(1, sizeof(*d));
	fputs("<section class=\"screen\" id=\"graph\">\n<h2>Lock graph</h2>\n"
	      "<p class=\"facts\">An arrow goes from a lock that was held to one that was taken meanwhile, thicker "
	      "where that happened often. Locks that were taken in both orders are red; whether that can deadlock is "
	      "said by the findings.</p>\n",
	      out);
	if (d) {
		d->page = page;
		d->out = out;
		put_drawing(d);
		free(d);
	}
	put_pairs(page, out);
	fputs("</section>\n", out);
}
