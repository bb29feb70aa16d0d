/* SPDX-License-Identifier: MIT */
/*
 * server_answer.c - who gets an answer of the server, and which.
 */
#include "server_private.h"

#include "lane_rows.h"
#include "page_outline.h"
#include "page_private.h"

#include <stdlib.h>
#include <string.h>

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
	if (status == MHD_HTTP_FOUND)
		MHD_add_response_header(response, "Location", "outline/");
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result refuse(struct MHD_Connection *connection, unsigned status, const char *words)
{
	return answer(connection, status, "text/plain", words, strlen(words),
		      MHD_RESPMEM_PERSISTENT);
}

static enum MHD_Result send_text(struct MHD_Connection *connection, const char *type,
				 const char *text, size_t bytes)
{
	return answer(connection, MHD_HTTP_OK, type, text, bytes, MHD_RESPMEM_PERSISTENT);
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

static enum MHD_Result send_blocks(struct server *s, struct MHD_Connection *connection)
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

static enum MHD_Result send_far(struct server *s, struct MHD_Connection *connection)
{
	const struct lane_row *row = get_row(s, connection);

	if (!row || !row->far)
		return refuse(connection, MHD_HTTP_BAD_REQUEST, "no such row\n");
	return answer(connection, MHD_HTTP_OK, "application/octet-stream", row->far,
		      LANE_FAR_BUCKETS, MHD_RESPMEM_PERSISTENT);
}

static enum MHD_Result send_page(struct server *s, struct MHD_Connection *connection)
{
	return send_text(connection, "text/html; charset=utf-8", s->shown.html,
			 s->shown.html_bytes);
}

static enum MHD_Result send_model(struct server *s, struct MHD_Connection *connection)
{
	return send_text(connection, "application/json", s->shown.model, s->shown.model_bytes);
}

/* ---- the outline ---- */

static enum MHD_Result send_outline(struct server *s, struct MHD_Connection *connection)
{
	return send_text(connection, "text/html; charset=utf-8", s->outlined.html,
			 s->outlined.html_bytes);
}

static enum MHD_Result send_outline_model(struct server *s, struct MHD_Connection *connection)
{
	return send_text(connection, "application/json", s->outlined.model,
			 s->outlined.model_bytes);
}

static enum MHD_Result send_outline_far(struct server *s, struct MHD_Connection *connection)
{
	uint64_t lane;
	uint8_t *far;

	if (!s->outline->lane_count ||
	    !get_number(connection, "row", s->outline->lane_count - 1, &lane))
		return refuse(connection, MHD_HTTP_BAD_REQUEST, "no such row\n");
	far = malloc(LANE_FAR_BUCKETS);
	if (!far)
		return MHD_NO;
	page_outline_far(s->outline, lane, far);
	return answer(connection, MHD_HTTP_OK, "application/octet-stream", far, LANE_FAR_BUCKETS,
		      MHD_RESPMEM_MUST_FREE);
}

static enum MHD_Result send_progress(struct server *s, struct MHD_Connection *connection)
{
	char text[256];
	size_t bytes = reading_put(&s->reading, text, sizeof(text));

	return answer(connection, MHD_HTTP_OK, "application/json", text, bytes,
		      MHD_RESPMEM_MUST_COPY);
}

static enum MHD_Result send_nothing(struct server *s, struct MHD_Connection *connection)
{
	(void)s;
	return answer(connection, MHD_HTTP_NO_CONTENT, "text/plain", "", 0, MHD_RESPMEM_PERSISTENT);
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

/* What there is below the random path. */
static const struct {
	const char *what;
	bool needs_trace; /* not there before it has been read */
	enum MHD_Result (*send)(struct server *s, struct MHD_Connection *connection);
} answers[] = {
	{ "", true, send_page },
	{ "model", true, send_model },
	{ "blocks", true, send_blocks },
	{ "far", true, send_far },
	{ "progress", false, send_progress },
	{ "alive", false, send_nothing },
	{ "outline/", false, send_outline },
	{ "outline/model", false, send_outline_model },
	{ "outline/far", false, send_outline_far },
	{ "outline/progress", false, send_progress },
	{ "outline/alive", false, send_nothing },
};

static enum MHD_Result send_what(struct server *s, struct MHD_Connection *connection,
				 const char *what)
{
	bool is_read = reading_get_state(&s->reading) == READING_DONE;

	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		if (strcmp(what, answers[i].what) != 0)
			continue;
		if (is_read || !answers[i].needs_trace)
			return answers[i].send(s, connection);
		return *what ? refuse(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "not read yet\n")
			     : refuse(connection, MHD_HTTP_FOUND, "not read yet\n");
	}
	return refuse(connection, MHD_HTTP_NOT_FOUND, "nothing here\n");
}

enum MHD_Result server_answer(void *cookie, struct MHD_Connection *connection, const char *url,
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
	atomic_store(&s->last_request, server_seconds_now());
	return send_what(s, connection, what);
}
