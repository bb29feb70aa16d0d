/* SPDX-License-Identifier: MIT */
/* SHOWS GIO: a request to a socket service holds up all others for 300 ms, once for each cause; one callback serves them all */
/* BUILD needs=glib */
/* EXPECT loop-stall confidence=observed says=on+the+processor stacks=on_incoming */
/* EXPECT loop-stall confidence=observed tasks=on_request says=in+sleep stacks=stall_in_sleep */
/* EXPECT loop-stall confidence=observed tasks=on_request says=held+by+thread locks=sessions threadnames=sweeper stacks=stall_on_lock,session_sweeper roles=blocks,holds */
/* EXPECT loop-stall confidence=observed tasks=on_request says=in+read+of+pipe stacks=stall_on_file */
/* EXPECT loop-stall confidence=observed tasks=on_request says=in+recv stacks=stall_on_socket */
/* EXPECT loop-stall confidence=observed tasks=on_request says=in+getaddrinfo stacks=stall_on_name */
/* EXPECT loop-stall confidence=observed tasks=on_request says=in+pthread_join+of+thread stacks=stall_in_join */
/* EXPECT blocking-call-in-loop confidence=observed count=6 */
/* RUN clean */
#include "stall_causes.h"

#include <gio/gio.h>

static GMainLoop *loop;
static const char *const paths[] = { "/report", "/retry",   "/session", "/list", "/proxy",
				     "/lookup", "/picture", "/end",	NULL };
static void (*const causes[])(void) = { stall_on_processor, stall_in_sleep,
					stall_on_lock,	    stall_on_file,
					stall_on_socket,    stall_on_name,
					stall_in_join,	    NULL };

static gboolean quit(gpointer data)
{
	g_main_loop_quit(data);
	return G_SOURCE_REMOVE;
}

static void serve(const char *line)
{
	for (int i = 0; paths[i]; i++) {
		if (!g_strstr_len(line, -1, paths[i]))
			continue;
		if (causes[i])
			causes[i]();
		else
			g_timeout_add(50, quit, loop);
	}
}

/* The first line of a request is there: GIO calls this when the loop turns. */
static void on_request(GObject *stream, GAsyncResult *result, gpointer data)
{
	static const char answer[] =
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
	GSocketConnection *connection = data;
	char *line = g_data_input_stream_read_line_finish(G_DATA_INPUT_STREAM(stream), result, NULL,
							  NULL);

	GIVES(1, line != NULL);
	serve(line);
	g_free(line);
	GIVES(TRUE,
	      g_output_stream_write_all(g_io_stream_get_output_stream(G_IO_STREAM(connection)),
					answer, sizeof(answer) - 1, NULL, NULL, NULL));
	GIVES(TRUE,
	      g_socket_shutdown(g_socket_connection_get_socket(connection), FALSE, TRUE, NULL));
	g_object_unref(connection);
}

static gboolean on_incoming(GSocketService *service, GSocketConnection *connection, GObject *source,
			    gpointer data)
{
	GDataInputStream *in =
		g_data_input_stream_new(g_io_stream_get_input_stream(G_IO_STREAM(connection)));

	(void)service, (void)source, (void)data;
	g_data_input_stream_set_newline_type(in, G_DATA_STREAM_NEWLINE_TYPE_CR_LF);
	g_data_input_stream_read_line_async(in, G_PRIORITY_DEFAULT, NULL, on_request,
					    g_object_ref(connection));
	g_object_unref(in);
	return FALSE;
}

int main(void)
{
	int s = bound_socket(SOCK_STREAM);
	pid_t client = stall_client(address_of(s).sin_port, paths);
	GSocketService *service = g_socket_service_new();
	GSocket *socket = g_socket_new_from_fd(s, NULL);

	stall_prepare();
	loop = g_main_loop_new(NULL, FALSE);
	GIVES(TRUE, g_socket_listener_add_socket(G_SOCKET_LISTENER(service), socket, NULL, NULL));
	g_signal_connect(service, "incoming", G_CALLBACK(on_incoming), NULL);
	g_socket_service_start(service);
	g_main_loop_run(loop);
	g_socket_service_stop(service);
	g_object_unref(service);
	g_object_unref(socket);
	g_main_loop_unref(loop);
	stall_end(client);
	puts("done");
	return 0;
}
