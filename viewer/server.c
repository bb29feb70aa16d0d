/* SPDX-License-Identifier: MIT */
/*
 * server.c - beginning and end of the server; see server.h.
 */
#include "server_private.h"

#include "page_data.h"
#include "page_outline.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

long long server_seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* ---- texts ---- */

struct text_files {
	FILE *html, *model;
};

static bool texts_open(struct server_texts *texts, struct text_files *ret_files)
{
	*ret_files = (struct text_files){ open_memstream(&texts->html, &texts->html_bytes),
					  open_memstream(&texts->model, &texts->model_bytes) };
	return ret_files->html && ret_files->model;
}

static void texts_close(struct text_files *files)
{
	if (files->html)
		fclose(files->html);
	if (files->model)
		fclose(files->model);
}

static int write_outline(struct server *s, struct diag *diag)
{
	struct text_files files;
	bool ok = texts_open(&s->outlined, &files) &&
		  !page_outline_put(s->outline, s->options.version, files.html) &&
		  !page_outline_model_put(s->outline, files.model);

	texts_close(&files);
	return ok ? 0 : diag_set(diag, THRUM_ENOMEM, "out of memory");
}

static int write_page(struct server *s, struct page *page, const struct report *report,
		      struct diag *diag)
{
	struct report served = *report;
	struct text_files files;
	int error = 0;

	served.view = page_serve(page);
	if (!texts_open(&s->shown, &files))
		error = diag_set(diag, THRUM_ENOMEM, "out of memory");
	if (!error)
		error = sink_find("html")->write(&served, files.html, diag);
	if (!error && page_model_put(page, report, files.model))
		error = diag_set(diag, THRUM_ENOMEM, "out of memory");
	texts_close(&files);
	return error;
}

/* ---- beginning and end ---- */

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
		MHD_USE_INTERNAL_POLLING_THREAD, port, NULL, NULL, server_answer, s,
		MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)SERVER_CLIENTS, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SERVER_PATIENCE,
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

int server_start(const struct server_options *options, struct outline *outline,
		 struct server **ret_server, struct diag *diag)
{
	struct server *s = calloc(1, sizeof(*s));
	int error;

	if (!s) {
		outline_free(outline);
		return diag_set(diag, THRUM_ENOMEM, "out of memory");
	}
	s->options = *options;
	s->outline = outline;
	atomic_store(&s->last_request, server_seconds_now());
	error = make_token(s, diag);
	if (!error)
		error = write_outline(s, diag);
	if (!error) {
		s->daemon = listen_on(s, options->port, diag);
		error = s->daemon ? 0 : THRUM_EIO;
	}
	if (error) {
		server_free(s);
		return error;
	}
	snprintf(s->url, sizeof(s->url), "http://%s/%s/", s->host[0], s->token);
	*ret_server = s;
	return 0;
}

const char *server_url(const struct server *server)
{
	return server->url;
}

struct reading *server_get_reading(struct server *server)
{
	return &server->reading;
}

static void wait_until_over(const struct server *s)
{
	unsigned idle = s->options.idle_seconds ? s->options.idle_seconds : SERVER_IDLE;
	const struct timespec tenth = { .tv_nsec = 100000000 };

	while (!(s->options.is_stopped && *s->options.is_stopped) &&
	       server_seconds_now() - atomic_load(&s->last_request) < (long long)idle)
		nanosleep(&tenth, NULL);
}

static void stop_answering(struct server *s)
{
	if (s->daemon)
		MHD_stop_daemon(s->daemon);
	s->daemon = NULL;
}

int server_show(struct server *s, struct page *page, const struct report *report, struct diag *diag)
{
	int error = write_page(s, page, report, diag);

	if (error)
		return error;
	s->page = page;
	atomic_store(&s->last_request, server_seconds_now());
	reading_finish(&s->reading); /* pairs with reading_get_state in server_answer.c */
	wait_until_over(s);
	stop_answering(s); /* the page is the caller's again */
	return 0;
}

void server_free(struct server *s)
{
	if (!s)
		return;
	stop_answering(s);
	outline_free(s->outline);
	free(s->outlined.html);
	free(s->outlined.model);
	free(s->shown.html);
	free(s->shown.model);
	free(s);
}
