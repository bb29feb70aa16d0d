/* SPDX-License-Identifier: MIT */
/*
 * graph_layout.c - see graph_layout.h.
 */
#include "graph_layout.h"

#include <stdlib.h>

/* The graph of components has no cycle: after as many rounds as there are nodes nothing moves any more. */
static void set_layers(struct graph_node *node, size_t nodes, const struct graph_edge *edge,
		       size_t edges)
{
	bool moved = true;

	for (size_t i = 0; i < nodes; i++)
		node[i].layer = 0;
	for (size_t round = 0; moved && round <= nodes; round++) {
		moved = false;
		for (size_t i = 0; i < edges; i++) {
			const struct graph_node *from = &node[edge[i].from];
			struct graph_node *to = &node[edge[i].to];

			if (from->component == to->component || to->layer > from->layer)
				continue;
			for (size_t n = 0; n < nodes; n++)
				if (node[n].component == to->component && n != edge[i].to)
					node[n].layer = from->layer + 1;
			to->layer = from->layer + 1;
			moved = true;
		}
	}
}

struct key {
	double middle;
	uint32_t component, index;
};

static int compare_keys(const void *left, const void *right)
{
	const struct key *a = left, *b = right;

	if (a->component != b->component && a->middle != b->middle)
		return a->middle < b->middle ? -1 : 1;
	if (a->component != b->component)
		return a->component < b->component ? -1 : 1;
	return (a->index > b->index) - (a->index < b->index);
}

/* Of what leads to the component from layers before; where nothing does, where it is. */
static double find_middle(const struct graph_node *node, const struct graph_edge *edge,
			  size_t edges, uint32_t component)
{
	double sum = 0;
	unsigned count = 0;

	for (size_t i = 0; i < edges; i++)
		if (node[edge[i].to].component == component &&
		    node[edge[i].from].component != component) {
			sum += node[edge[i].from].place;
			count++;
		}
	return count ? sum / count : 1e9;
}

bool graph_layout(struct graph_node *node, size_t nodes, const struct graph_edge *edge,
		  size_t edges, uint32_t *ret_layers, uint32_t *ret_places)
{
	struct key *key = calloc(nodes + 1, sizeof(*key));
	uint32_t layers = 0, places = 0;

	if (!key)
		return false;
	set_layers(node, nodes, edge, edges);
	for (size_t i = 0; i < nodes; i++)
		layers = node[i].layer >= layers ? node[i].layer + 1 : layers;
	for (uint32_t layer = 0; layer < layers; layer++) {
		uint32_t count = 0;

		for (size_t i = 0; i < nodes; i++)
			if (node[i].layer == layer)
				key[count++] = (struct key){ find_middle(node, edge, edges,
									 node[i].component),
							     node[i].component, (uint32_t)i };
		qsort(key, count, sizeof(*key), compare_keys);
		for (uint32_t i = 0; i < count; i++)
			node[key[i].index].place = i;
		places = count > places ? count : places;
	}
	free(key);
	*ret_layers = layers;
	*ret_places = places;
	return true;
}
