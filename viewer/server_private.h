/* SPDX-License-Identifier: MIT */
/*
 * server_private.h - what server.c, its life, and server_answer.c, its answers, share.
 */
#ifndef THRUM_VIEWER_SERVER_PRIVATE_H
#define THRUM_VIEWER_SERVER_PRIVATE_H

#include "server.h"

#include <microhttpd.h>
#include <stdatomic.h>

enum { TOKEN_BYTES = 16, TOKEN_CHARS = 2 * TOKEN_BYTES };

/* A document and the JSON of its script. */
struct server_texts {
	char *html, *model; /* owned */
	size_t html_bytes, model_bytes;
};

struct server {
	struct server_options options;
	struct MHD_Daemon *daemon; /* owned */
	char token[TOKEN_CHARS + 1];
	char host[2][32]; /* what Host may say */
	char url[96];
	struct reading reading;
	/* Of the outline; owned. Nothing of it changes while the server answers. */
	struct outline *outline;
	struct server_texts outlined;
	/* Of the trace: not looked at before reading_get_state says READING_DONE, nor changed after. */
	const struct page *page; /* borrowed */
	struct server_texts shown;
	atomic_llong last_request; /* seconds of the monotonic clock */
};

long long server_seconds_now(void);

/* microhttpd's callback; `cookie` is the server. */
enum MHD_Result server_answer(void *cookie, struct MHD_Connection *connection, const char *url,
			      const char *method, const char *version, const char *upload,
			      size_t *upload_bytes, void **request);

#endif
