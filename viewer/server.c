/* SPDX-License-Identifier: MIT */
/*
 * server.c - see server.h.
 */
#include "server.h"

#include "lane_rows.h"
#include "page_data.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

enum { TOKEN_BYTES = 16, TOKEN_CHARS = 2 * TOKEN_BYTES };

struct server {
	const struct page *page;
	char token[TOKEN_CHARS + 1];
	char host[2][32];   /* what Host may say */
	char *html, *model; /* owned */
	size_t html_bytes, model_bytes;
	atomic_llong last_request; /* seconds of the monotonic clock */
};

static long long seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* ---- answers ---- */

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, const char *type,
			      const void *bytes, size_t count, enum MHD_ResponseMemoryMode mode)
{
	static const char *const headers[][2] = {
		{ "X-Content-Type-Options", "nosniff" },
		{ "Referrer-Policy", "no-referrer" },
		{ "Cross-Origin-Resource-Policy", "same-origin" },
		{ "X-Frame-Options", "DENY" },
		{ "Cache-Control", "no-store" },
	};
	struct MHD_Response *response =
		MHD_create_response_from_buffer(count, (void *)(uintptr_t)bytes, mode);
	enum MHD_Result result;

	if (!response) {
		if (mode == MHD_RESPMEM_MUST_FREE)
			free((void *)(uintptr_t)bytes);
		return MHD_NO;
	}
	MHD_add_response_header(response, "Content-Type", type);
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		MHD_add_response_header(response, headers[i][0], headers[i][1]);
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, "Allow", "GET, HEAD");
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result refuse(struct MHD_Connection *connection, unsigned status, const char *words)
{
	return answer(connection, status, "text/plain", words, strlen(words),
		      MHD_RESPMEM_PERSISTENT);
}

/* A number of the query, digits only; false = not there, or above `most`. */
static bool get_number(struct MHD_Connection *connection, const char *name, uint64_t most,
		       uint64_t *ret_value)
{
	const char *text = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, name);
	size_t digits = text ? strspn(text, "0123456789") : 0;

	if (!digits || digits > 18 || text[digits])
		return false;
	*ret_value = strtoull(text, NULL, 10);
	return *ret_value <= most;
}

static const struct lane_row *get_row(const struct server *s, struct MHD_Connection *connection)
{
	const struct lanes *lanes = s->page->lanes;
	uint64_t row;

	return lanes->row_count && get_number(connection, "row", lanes->row_count - 1, &row)
		       ? &lanes->row[row]
		       : NULL;
}

static enum MHD_Result send_blocks(const struct server *s, struct MHD_Connection *connection)
{
	const struct lane_row *row = get_row(s, connection);
	uint64_t first, count;
	size_t bytes = 0, at = 0;
	uint8_t *copy;

	if (!row || !row->block_count ||
	    !get_number(connection, "first", row->block_count - 1, &first) ||
	    !get_number(connection, "count", SERVER_BLOCKS, &count) || !count ||
	    count > row->block_count - first)
		return refuse(connection, MHD_HTTP_BAD_REQUEST, "no such blocks\n");
	for (uint64_t i = first; i < first + count; i++)
		bytes += row->block[i].size;
	copy = malloc(bytes ? bytes : 1);
	if (!copy)
		return MHD_NO;
	for (uint64_t i = first; i < first + count; i++) {
		memcpy(copy + at, row->block[i].bytes, row->block[i].size);
		at += row->block[i].size;
	}
	return answer(connection, MHD_HTTP_OK, "application/octet-stream", copy, bytes,
		      MHD_RESPMEM_MUST_FREE);
}

static enum MHD_Result send_far(const struct server *s, struct MHD_Connection *connection)
{
	const struct lane_row *row = get_row(s, connection);

	if (!row || !row->far)
		return refuse(connection, MHD_HTTP_BAD_REQUEST, "no such row\n");
	return answer(connection, MHD_HTTP_OK, "application/octet-stream", row->far,
		      LANE_FAR_BUCKETS, MHD_RESPMEM_PERSISTENT);
}

/* ---- who asks, and for what ---- */

static bool is_ours(const struct server *s, struct MHD_Connection *connection)
{
	const char *host = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Host");

	return host && (!strcmp(host, s->host[0]) || !strcmp(host, s->host[1]));
}

/* Past "/TOKEN/"; NULL where that is not how it begins. Every character is looked at, so that time tells nothing. */
static const char *after_token(const struct server *s, const char *url)
{
	unsigned different = 0;

	if (strlen(url) < TOKEN_CHARS + 2 || url[0] != '/' || url[TOKEN_CHARS + 1] != '/')
		return NULL;
	for (unsigned i = 0; i < TOKEN_CHARS; i++)
		different |= (unsigned char)url[1 + i] ^ (unsigned char)s->token[i];
	return different ? NULL : url + TOKEN_CHARS + 2;
}

static enum MHD_Result handle(void *cookie, struct MHD_Connection *connection, const char *url,
			      const char *method, const char *version, const char *upload,
			      size_t *upload_bytes, void **request)
{
	struct server *s = cookie;
	const char *what;

	(void)version;
	(void)upload;
	if (strcmp(method, MHD_HTTP_METHOD_GET) && strcmp(method, MHD_HTTP_METHOD_HEAD))
		return *upload_bytes
			       ? MHD_NO
			       : refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "read only\n");
	if (!*request) { /* the first call has only the headers */
		*request = s;
		return MHD_YES;
	}
	if (!is_ours(s, connection))
		return refuse(connection, MHD_HTTP_FORBIDDEN, "not this host\n");
	what = after_token(s, url);
	if (!what)
		return refuse(connection, MHD_HTTP_NOT_FOUND, "nothing here\n");
	atomic_store(&s->last_request, seconds_now());
	if (!*what)
		return answer(connection, MHD_HTTP_OK, "text/html; charset=utf-8", s->html,
			      s->html_bytes, MHD_RESPMEM_PERSISTENT);
	if (!strcmp(what, "model"))
		return answer(connection, MHD_HTTP_OK, "application/json", s->model, s->model_bytes,
			      MHD_RESPMEM_PERSISTENT);
	if (!strcmp(what, "blocks"))
		return send_blocks(s, connection);
	if (!strcmp(what, "far"))
		return send_far(s, connection);
	if (!strcmp(what, "alive"))
		return answer(connection, MHD_HTTP_NO_CONTENT, "text/plain", "", 0,
			      MHD_RESPMEM_PERSISTENT);
	return refuse(connection, MHD_HTTP_NOT_FOUND, "nothing here\n");
}

/* ---- beginning and end ---- */

static int make_texts(struct server *s, struct page *page, const struct report *report,
		      struct diag *diag)
{
	struct report served = *report;
	FILE *html, *model;
	int error;

	served.view = page_serve(page);
	html = open_memstream(&s->html, &s->html_bytes);
	model = open_memstream(&s->model, &s->model_bytes);
	if (!html || !model)
		error = diag_set(diag, THRUM_ENOMEM, "out of memory");
	else
		error = sink_find("html")->write(&served, html, diag);
	if (!error && page_model_put(page, report, model))
		error = diag_set(diag, THRUM_ENOMEM, "out of memory");
	if (html)
		fclose(html);
	if (model)
		fclose(model);
	return error;
}

static int make_token(struct server *s, struct diag *diag)
{
	uint8_t random[TOKEN_BYTES];

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return diag_set(diag, THRUM_EIO, "no random numbers: %s", strerror(errno));
	for (unsigned i = 0; i < TOKEN_BYTES; i++)
		snprintf(s->token + 2 * i, 3, "%02x", random[i]);
	return 0;
}

/* Nothing here has a name that needs %xx: as it is, it is refused. */
static size_t leave_escapes(void *cookie, struct MHD_Connection *connection, char *text)
{
	(void)cookie;
	(void)connection;
	return strlen(text);
}

static struct MHD_Daemon *listen_on(struct server *s, uint16_t port, struct diag *diag)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(port),
				       .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct MHD_Daemon *daemon = MHD_start_daemon(
		MHD_USE_INTERNAL_POLLING_THREAD, port, NULL, NULL, handle, s, MHD_OPTION_SOCK_ADDR,
		(struct sockaddr *)&address, MHD_OPTION_CONNECTION_LIMIT, (unsigned)SERVER_CLIENTS,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SERVER_PATIENCE,
		MHD_OPTION_UNESCAPE_CALLBACK, leave_escapes, NULL, MHD_OPTION_END);
	const union MHD_DaemonInfo *info;

	if (!daemon) {
		diag_set(diag, THRUM_EIO, "cannot listen on 127.0.0.1:%u: %s", port,
			 strerror(errno));
		return NULL;
	}
	info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);
	snprintf(s->host[0], sizeof(s->host[0]), "127.0.0.1:%u", info->port);
	snprintf(s->host[1], sizeof(s->host[1]), "localhost:%u", info->port);
	return daemon;
}

static void wait_until_over(const struct server *s, const struct server_options *options)
{
	unsigned idle = options->idle_seconds ? options->idle_seconds : SERVER_IDLE;
	const struct timespec tenth = { .tv_nsec = 100000000 };

	while (!(options->is_stopped && *options->is_stopped) &&
	       seconds_now() - atomic_load(&s->last_request) < (long long)idle)
		nanosleep(&tenth, NULL);
}

int server_run(struct page *page, const struct report *report, const struct server_options *options,
	       struct diag *diag)
{
	struct server s = { .page = page };
	struct MHD_Daemon *daemon = NULL;
	char url[96];
	int error = make_token(&s, diag);

	if (!error)
		error = make_texts(&s, page, report, diag);
	if (!error) {
		atomic_store(&s.last_request, seconds_now());
		daemon = listen_on(&s, options->port, diag);
		error = daemon ? 0 : THRUM_EIO;
	}
	if (!error) {
		snprintf(url, sizeof(url), "http://%s/%s/", s.host[0], s.token);
		if (options->ready)
			options->ready(options->cookie, url);
		wait_until_over(&s, options);
		MHD_stop_daemon(daemon);
	}
	free(s.html);
	free(s.model);
	return error;
}
