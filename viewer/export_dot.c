/* SPDX-License-Identifier: MIT */
/*
 * export_dot.c - a trace as graphs for Graphviz: of each process image the order in which locks were taken, and who waits for whom at the end.
 *
 * A box is a lock, an ellipse a thread. Locks that are taken in a ring, and threads and locks that wait for each other in one, lie in a
 * cluster each. Tooltips have the places. A graph of more than MOST_LOCKS locks is cut to what is in rings and beside them; a
 * note says what was left out.
 *
 * Keeps the pairs of locks that were held at once, and what a wait-for graph needs, of one image at a time.
 */
#include "export.h"

#include "../analyzer/report/escape.h"
#include "../analyzer/wait_world.h"
#include "names.h"
#include "order_graph.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MOST_LOCKS 250u
#define SITE_BYTES 512

struct dot {
	const struct export_source *source;
	FILE *out;
	struct order_graph order;
	struct wait_history *history; /* owned */
	const struct scan *scan;
	uint64_t end_ns; /* of the run, in the time of the image */
	uint8_t *shown;	 /* owned; by object: enum place */
};

/* Where a lock of the order graph lies. */
enum place { PLACE_NONE, PLACE_PLAIN, PLACE_DRAWN };

/* ---- text ---- */

/* Inside double quotes. Graphviz reads a backslash itself: \N would be the node's name. */
static void put_text(const struct dot *d, const char *text)
{
	char *clean = escape_terminal_copy(text);

	for (const char *p = clean; p && *p; p++) {
		if (*p == '"' || *p == '\\')
			fputc('\\', d->out);
		if (*p == '&') /* Graphviz decodes entities */
			fputs("&amp;", d->out);
		else
			fputc(*p, d->out);
	}
	free(clean);
}

static void put_object(const struct dot *d, uint32_t object)
{
	char name[NAMES_BYTES];

	put_text(d, names_object(d->source, d->scan->index, object, name, sizeof(name)));
}

static void put_thread(const struct dot *d, uint32_t thread)
{
	char name[NAMES_BYTES];

	put_text(d, names_thread(d->scan->process, thread, name, sizeof(name)));
}

static void put_site(const struct dot *d, const char *what, uint32_t stack, uint64_t time_ns)
{
	char site[SITE_BYTES];

	names_site(d->source, d->scan->index, stack, time_ns, site, sizeof(site));
	fprintf(d->out, "\\n%s", what);
	put_text(d, *site ? site : "a place that is not known");
}

/* ---- the order in which locks were taken ---- */

static void put_order_node(const struct dot *d, uint32_t object, const char *indent)
{
	const struct trace_object *o = &d->scan->process->objects[object];

	if (d->shown[object] == PLACE_DRAWN)
		return;
	d->shown[object] = PLACE_DRAWN;
	fprintf(d->out, "%so%zu_%" PRIu32 " [shape=box label=\"", indent, d->scan->index, object);
	put_object(d, object);
	fputs("\" tooltip=\"", d->out);
	put_object(d, object);
	put_site(d, "first seen: ", o->stack, o->time_ns);
	fputs("\"]\n", d->out);
}

static void put_order_edge(const struct dot *d, const struct order_edge *e)
{
	fprintf(d->out,
		"\t\to%zu_%" PRIu32 " -> o%zu_%" PRIu32 " [label=\"%" PRIu64 "\" %s%stooltip=\"",
		d->scan->index, e->from, d->scan->index, e->to, e->count,
		e->cycle != ORDER_NO_CYCLE ? "color=\"#b5361c\" penwidth=2 " : "",
		e->only_tries	? "style=dashed "
		: e->only_reads ? "style=dotted "
				: "");
	if (e->thread == ORDER_MANY_THREADS)
		fputs("several threads, first ", d->out);
	put_thread(d, e->first_thread);
	fputs(" took ", d->out);
	put_object(d, e->to);
	fputs(" while it held ", d->out);
	put_object(d, e->from);
	put_site(d, "held since: ", e->hold_stack, e->first_ns);
	put_site(d, e->only_tries ? "tried: " : "taken: ", e->request_stack, e->first_ns);
	fputs("\"]\n", d->out);
}

/* First all rings, then their neighbours, then the rest, as far as there is room. Returns how many locks are left out. */
static uint32_t choose_locks(const struct dot *d)
{
	uint32_t chosen = 0, left = 0;

	for (unsigned round = 0; round < 3; round++)
		for (uint32_t i = 0; i < d->order.count; i++) {
			const struct order_edge *e = &d->order.edge[i];
			bool has_room = chosen + !d->shown[e->from] + !d->shown[e->to] <=
					MOST_LOCKS;
			bool fits = round == 0 ? e->cycle != ORDER_NO_CYCLE
				    : round == 1
					    ? has_room && (d->shown[e->from] || d->shown[e->to])
					    : has_room;

			if (!fits)
				continue;
			chosen += !d->shown[e->from] + !d->shown[e->to];
			d->shown[e->from] = d->shown[e->to] = PLACE_PLAIN;
		}
	for (uint32_t i = 0; i < d->order.count; i++)
		left += (!d->shown[d->order.edge[i].from] || !d->shown[d->order.edge[i].to]);
	return left;
}

/* An edge is of a ring with its number, and edges are in the order of their locks: one walk a ring. */
static void put_order_cycles(const struct dot *d)
{
	for (uint32_t cycle = 0; cycle < d->order.cycles; cycle++) {
		fprintf(d->out,
			"\t\tsubgraph cluster_order%zu_%" PRIu32 " {\n\t\t\tlabel=\"ring %" PRIu32
			"\" color=\"#b5361c\" style=rounded\n",
			d->scan->index, cycle, cycle + 1);
		for (uint32_t i = 0; i < d->order.count; i++) {
			if (d->order.edge[i].cycle != cycle)
				continue;
			put_order_node(d, d->order.edge[i].from, "\t\t\t");
			put_order_node(d, d->order.edge[i].to, "\t\t\t");
		}
		fputs("\t\t}\n", d->out);
	}
}

static void put_order(const struct dot *d)
{
	uint32_t left_out;

	if (!d->order.count)
		return;
	left_out = choose_locks(d);
	fprintf(d->out,
		"\tsubgraph cluster_order%zu {\n"
		"\t\tlabel=\"Order of locks: an arrow leads from what was held to what was taken then, and how often\"\n",
		d->scan->index);
	put_order_cycles(d);
	for (uint32_t i = 0; i < d->order.count; i++) {
		const struct order_edge *e = &d->order.edge[i];

		if (!d->shown[e->from] || !d->shown[e->to])
			continue;
		put_order_node(d, e->from, "\t\t");
		put_order_node(d, e->to, "\t\t");
		put_order_edge(d, e);
	}
	if (left_out || d->order.left_out)
		fprintf(d->out,
			"\t\tmore%zu [shape=note label=\"%" PRIu64
			" more pairs of locks are in no ring and not shown\"]\n",
			d->scan->index, left_out + d->order.left_out);
	fputs("\t}\n", d->out);
}

/* ---- who waits for whom ---- */

/* Threads that wait for something, and what hangs on that. */
static bool is_waiting(const struct wait_world *w, uint32_t node)
{
	return !wait_node_is_thread(w, node) ||
	       (w->party[node].status >= WAIT_RUNNING && w->party[node].kind != TRACE_WAIT_NONE);
}

static void put_wait_node(const struct dot *d, const struct wait_world *w, uint32_t node,
			  const char *indent)
{
	fprintf(d->out, "%sw%zu_%" PRIu32, indent, d->scan->index, node);
	if (wait_node_is_thread(w, node)) {
		const struct wait_party *party = &w->party[node];

		fputs(" [shape=ellipse label=\"", d->out);
		put_thread(d, node);
		fputs("\" tooltip=\"", d->out);
		put_thread(d, node);
		if (party->kind != TRACE_WAIT_NONE)
			put_site(d, "waits in: ", party->stack, party->since_ns);
		fputs("\"]\n", d->out);
		return;
	}
	fputs(" [shape=box label=\"", d->out);
	put_object(d, wait_world_get_target(w, node)->object);
	fputs("\" tooltip=\"", d->out);
	put_object(d, wait_world_get_target(w, node)->object);
	fputs("\"]\n", d->out);
}

static void put_hold(const struct dot *d, uint32_t thread, uint32_t object)
{
	const struct model_thread *t = model_get_thread(d->scan->model, thread);
	const struct model_held *h = t ? model_find_held(t, object) : NULL;

	if (!h) {
		fputs("label=\"may give it\" style=dashed tooltip=\"", d->out);
		put_thread(d, thread);
		fputs(" may give it\"]\n", d->out);
		return;
	}
	fputs("label=\"held by\" tooltip=\"", d->out);
	put_thread(d, thread);
	fputs(" holds ", d->out);
	put_object(d, object);
	put_site(d, "taken: ", h->stack, h->time_ns);
	fputs("\"]\n", d->out);
}

static void put_wait_edge(const struct dot *d, const struct wait_world *w, uint32_t from,
			  uint32_t to)
{
	const struct wait_party *party = wait_node_is_thread(w, from) ? &w->party[from] : NULL;

	fprintf(d->out, "\t\tw%zu_%" PRIu32 " -> w%zu_%" PRIu32 " [", d->scan->index, from,
		d->scan->index, to);
	if (!party) {
		put_hold(d, to, wait_world_get_target(w, from)->object);
		return;
	}
	fputs("label=\"waits for\" tooltip=\"", d->out);
	put_thread(d, from);
	fprintf(d->out, " has waited for %.3f s",
		party->since_ns < d->end_ns ? (double)(d->end_ns - party->since_ns) / 1e9 : 0.0);
	put_site(d, "in: ", party->stack, party->since_ns);
	fputs("\"]\n", d->out);
}

/* Marks what waits and what that leads to. Returns whether there is anything. */
static bool mark_waits(struct wait_world *w, uint8_t *marked)
{
	bool any = false;

	for (uint32_t node = 1; node < w->graph.nodes; node++) {
		size_t count = 0;
		const uint32_t *out;

		if (!is_waiting(w, node))
			continue;
		out = wait_graph_get_out(&w->graph, node, &count);
		for (size_t i = 0; i < count; i++)
			marked[out[i]] = 1;
		marked[node] |= count > 0;
		any |= count > 0;
	}
	return any;
}

static void put_wait_rings(const struct dot *d, const struct wait_world *w,
			   const uint32_t *component, const uint32_t *members, uint8_t *marked)
{
	unsigned rings = 0;

	for (uint32_t first = 1; first < w->graph.nodes; first++) {
		uint32_t ring = component[first];

		if (marked[first] != 1 || ring == WAIT_NO_COMPONENT || members[ring] < 2)
			continue;
		rings++;
		fprintf(d->out,
			"\t\tsubgraph cluster_waits%zu_%u {\n\t\t\tlabel=\"ring %u\" color=\"#b5361c\" style=rounded\n",
			d->scan->index, rings, rings);
		for (uint32_t node = first; node < w->graph.nodes; node++) {
			if (component[node] != ring || marked[node] != 1)
				continue;
			put_wait_node(d, w, node, "\t\t\t");
			marked[node] = 2;
		}
		fputs("\t\t}\n", d->out);
	}
}

static void put_wait_graph(const struct dot *d, struct wait_world *w, uint32_t *component,
			   uint32_t *members, uint8_t *marked)
{
	fprintf(d->out,
		"\tsubgraph cluster_waits%zu {\n\t\tlabel=\"Who waits for whom at the end\"\n",
		d->scan->index);
	wait_graph_components(&w->graph, marked, component);
	for (uint32_t node = 1; node < w->graph.nodes; node++)
		if (component[node] != WAIT_NO_COMPONENT)
			members[component[node]]++;
	put_wait_rings(d, w, component, members, marked);
	for (uint32_t node = 1; node < w->graph.nodes; node++)
		if (marked[node] == 1)
			put_wait_node(d, w, node, "\t\t");
	for (uint32_t node = 1; node < w->graph.nodes; node++) {
		size_t count = 0;
		const uint32_t *out = wait_graph_get_out(&w->graph, node, &count);

		for (size_t i = 0; i < count && marked[node] && is_waiting(w, node); i++)
			put_wait_edge(d, w, node, out[i]);
	}
	fputs("\t}\n", d->out);
}

static bool put_waits(const struct dot *d)
{
	struct wait_world *w = wait_world_new(d->scan->model, d->history, NULL);
	uint32_t *component = calloc(w->graph.nodes + 1, sizeof(*component)),
		 *members = calloc(w->graph.nodes + 1, sizeof(*members));
	uint8_t *marked = calloc(w->graph.nodes + 1, 1);
	bool ok = component && members && marked;

	if (ok && mark_waits(w, marked))
		put_wait_graph(d, w, component, members, marked);
	free(component);
	free(members);
	free(marked);
	wait_world_free(w);
	return ok;
}

/* ---- the pass ---- */

static bool on_begin(void *state, const struct scan *scan)
{
	struct dot *d = state;

	d->history = wait_history_new(scan->model);
	return true;
}

static bool on_event(void *state, const struct scan *scan, const struct trace_event *event,
		     const struct model_step *step)
{
	struct dot *d = state;

	(void)scan;
	if (WAIT_HISTORY_CONSUMES >> event->op & 1)
		wait_history_apply(d->history, event, step);
	return true;
}

static bool on_end(void *state, const struct scan *scan)
{
	struct dot *d = state;
	bool ok;

	d->scan = scan;
	d->end_ns = scan_end_ns(d->source->reader, d->source->scan) - scan->start_ns;
	d->shown = calloc(scan->process->object_count + 1, 1);
	ok = d->shown != NULL;
	if (ok) {
		fprintf(d->out, "subgraph cluster_process%zu {\n\tlabel=\"process %" PRIu32 ": ",
			scan->index, scan->process->pid);
		put_text(d, scan->process->command);
		fputs("\"\n", d->out);
		put_order(d);
		ok = put_waits(d);
		fputs("}\n", d->out);
	}
	free(d->shown);
	d->shown = NULL;
	wait_history_free(d->history);
	d->history = NULL;
	return ok;
}

int export_dot_write(const struct export_source *source, FILE *out, struct diag *diag)
{
	struct dot d = { .source = source, .out = out };
	/* The graph of an image is whole before what writes it. */
	struct scan_part parts[] = {
		order_graph_part(&d.order),
		{ .state = &d, .begin = on_begin, .event = on_event, .end = on_end },
	};
	int error;

	fputs("digraph thrum {\n"
	      "graph [rankdir=LR fontname=\"sans-serif\" labeljust=l]\n"
	      "node [fontname=\"sans-serif\"]\n"
	      "edge [fontname=\"sans-serif\"]\n",
	      out);
	error = scan_run(source->reader, source->scan, parts, 2, diag);
	fputs("}\n", out);
	order_graph_release(&d.order);
	wait_history_free(d.history);
	if (!error && ferror(out))
		error = diag_set(diag, THRUM_EIO, "cannot write: %s", strerror(errno));
	return error;
}
