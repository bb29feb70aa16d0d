/* SPDX-License-Identifier: MIT */
/*
 * export_lockgraph.c - the lock order of a trace as a file to be merged with that of other runs. Keeps all of it in memory.
 */
#include "export.h"

#include "../analyzer/fleet/lockgraph_collect.h"

int export_lockgraph_write(const struct export_source *source, FILE *out, struct diag *diag)
{
	struct lockgraph *g = lockgraph_new();
	int error = lockgraph_collect(source->reader, source->symbolize, g, diag);

	if (!error)
		error = lockgraph_write(g, out, diag);
	lockgraph_free(g);
	return error;
}
