/* SPDX-License-Identifier: MIT */
/*
 * server.h - the page and its data over HTTP on the loopback address, for traces that are too large for one file.
 *
 * Invariants
 *  - Listens on 127.0.0.1 only, answers GET and HEAD only, and only below a random path that nobody else knows; a request whose Host
 *    is not this server's is refused, so that no page of another site gets here by a name that it made point here.
 *  - Reads nothing but the page in memory; writes nothing; no path of a request ever becomes one of a file.
 *  - A client that is slow or says nothing is let go after SERVER_PATIENCE seconds; at most SERVER_CLIENTS at a time.
 *  - Answers from server_start on: first with the trace's outline, from server_show on with all of it.
 *
 * Below the random path: nothing = the page, or while there is none the way to `outline/`; `model` = the JSON of page_data.h;
 * `blocks?row=R&first=B&count=N` = blocks of a row, one behind the other; `far?row=R` = its picture from afar; `progress` = the JSON of reading.h;
 * `alive` = nothing, from a page that is still open. Below `outline/` the page of page_outline.h and its `model`, `far`, `progress` and `alive`.
 */
#ifndef THRUM_VIEWER_SERVER_H
#define THRUM_VIEWER_SERVER_H

#include "outline.h"
#include "page.h"
#include "reading.h"

#include <signal.h>

enum { SERVER_PATIENCE = 10, SERVER_CLIENTS = 64, SERVER_BLOCKS = 64, SERVER_IDLE = 600 };

struct server_options {
	uint16_t port;	       /* 0 = any that is free */
	unsigned idle_seconds; /* ends after so long without a request; 0 = SERVER_IDLE */
	const volatile sig_atomic_t
		*is_stopped; /* ends soon after it is set; looked at ten times a second */
	const char *version; /* of thrum */
};

struct server;

/* Begins to answer, on a thread of its own. Takes `outline`, also where it fails: THRUM_EIO where the port cannot be had, THRUM_ENOMEM. */
int server_start(const struct server_options *options, struct outline *outline,
		 struct server **ret_server, struct diag *diag);
/* "http://127.0.0.1:4711/…/" */
const char *server_url(const struct server *server);
/* For whoever reads the trace to tell how far that is; any thread. */
struct reading *server_get_reading(struct server *server);

/* The trace has been read: serves `page` until it is to end, then answers no more. THRUM_ENOMEM. */
int server_show(struct server *server, struct page *page, const struct report *report,
		struct diag *diag);
void server_free(struct server *server); /* takes NULL */

#endif
