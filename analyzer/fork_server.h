/* SPDX-License-Identifier: MIT */
/*
 * fork_server.h - children that a process has made by another one, a fork server, which collects them too: of their ends the trace of the process
 * itself knows nothing.
 *
 * Reads the events of the servers again: for a process that hangs.
 */
#ifndef THRUM_ANALYZER_FORK_SERVER_H
#define THRUM_ANALYZER_FORK_SERVER_H

#include "fork_book.h"

struct server_child {
	uint32_t pid, server; /* process ids */
	int32_t status;	      /* as waitpid gave it to the server; not 0 */
	uint64_t ended_ns;    /* in the time of the image that the server works for */
};

/*
 * Up to `max` children of servers of image `image` that ended with another status than 0. A server is a child of the image that forks at a
 * stack that `is_served` says yes to. Returns how many.
 */
size_t fork_server_ends(const struct fork_book *book, size_t image,
			bool (*is_served)(const struct trace_process *, uint32_t stack),
			struct server_child *ret_ends, size_t max);

#endif
