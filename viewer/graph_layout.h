/* SPDX-License-Identifier: MIT */
/*
 * graph_layout.h - where the nodes of a small directed graph go: in layers from left to right along its edges, those of a cycle together
 * in one layer. Deterministic: the same graph, the same places.
 *
 * A node's layer is the longest way to its component over the graph of components; inside a layer nodes are in the order of the middle of
 * what leads to them, which leaves few crossings in graphs as small as these.
 */
#ifndef THRUM_VIEWER_GRAPH_LAYOUT_H
#define THRUM_VIEWER_GRAPH_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct graph_node {
	uint32_t component; /* nodes of one cycle have the same; any number else, but none twice */
	uint32_t layer, place; /* result: column, and row in it, from 0 */
};

struct graph_edge {
	uint32_t from, to; /* indexes of nodes */
};

/* Fills layer and place. `ret_layers`, `ret_places`: columns, and the most rows of one. False = out of memory. */
bool graph_layout(struct graph_node *node, size_t nodes, const struct graph_edge *edge,
		  size_t edges, uint32_t *ret_layers, uint32_t *ret_places);

#endif
