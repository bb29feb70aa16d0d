/* SPDX-License-Identifier: MIT */
/*
 * symbols_debuginfod.c - loads elfutils' client library and asks it, with an end to its patience.
 *
 * Prototypes are those of <elfutils/debuginfod.h> 0.188; the library has kept them since 0.179.
 */
#include "symbols_debuginfod.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LIBRARY "libdebuginfod.so.1"
#define NS_PER_SECOND 1000000000ull

typedef struct debuginfod_client debuginfod_client;
typedef int find_function(debuginfod_client *, const unsigned char *build_id, int build_id_bytes,
			  char **ret_path);

struct symbols_debuginfod {
	bool tried;
	uint64_t left_ns; /* patience */
	const char *trouble;
	debuginfod_client *client; /* owns; NULL = nobody can be asked */
	find_function *find[DEBUGINFOD_KINDS];
	void (*end)(debuginfod_client *);
};

/* Of the question that is being asked: the library's callback gets nothing of ours. */
static uint64_t deadline_ns;

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

static uint64_t patience_ns(void)
{
	const char *text = getenv("DEBUGINFOD_MAXTIME");
	unsigned long seconds = text ? strtoul(text, NULL, 10) : 0;

	if (!seconds || seconds > 86400)
		seconds = DEBUGINFOD_SECONDS;
	return seconds * NS_PER_SECOND;
}

struct symbols_debuginfod *symbols_debuginfod_new(void)
{
	struct symbols_debuginfod *client = calloc(1, sizeof(*client));

	if (!client)
		abort();
	client->left_ns = patience_ns();
	return client;
}

void symbols_debuginfod_free(struct symbols_debuginfod *client)
{
	if (client && client->client)
		client->end(client->client);
	free(client);
}

/* Called about every second while the library waits; anything but 0 ends the question. */
static int is_over(debuginfod_client *client, long a, long b)
{
	(void)client;
	(void)a;
	(void)b;
	return now_ns() >= deadline_ns;
}

/*
 * The library is never unloaded: libcurl and the TLS libraries below it register handlers for the
 * end of the program.
 */
static void load(struct symbols_debuginfod *client)
{
	const char *urls = getenv("DEBUGINFOD_URLS");
	void (*set_progress)(debuginfod_client *, int (*)(debuginfod_client *, long, long));
	debuginfod_client *(*begin)(void);
	void *library;

	client->tried = true;
	if (!urls || !urls[strspn(urls, " \t\n")])
		return;
	client->trouble = "DEBUGINFOD_URLS is set, but " LIBRARY " cannot be loaded: "
			  "install libdebuginfod1";
	library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!library)
		return;
	begin = (debuginfod_client * (*)(void)) dlsym(library, "debuginfod_begin");
	set_progress =
		(void (*)(debuginfod_client *, int (*)(debuginfod_client *, long, long)))dlsym(
			library, "debuginfod_set_progressfn");
	client->end = (void (*)(debuginfod_client *))dlsym(library, "debuginfod_end");
	client->find[DEBUGINFOD_MODULE] =
		(find_function *)dlsym(library, "debuginfod_find_executable");
	client->find[DEBUGINFOD_DEBUG] =
		(find_function *)dlsym(library, "debuginfod_find_debuginfo");
	if (!begin || !set_progress || !client->end || !client->find[DEBUGINFOD_MODULE] ||
	    !client->find[DEBUGINFOD_DEBUG])
		return;
	client->client = begin();
	if (!client->client)
		return;
	set_progress(client->client, is_over);
	client->trouble = NULL;
}

int symbols_debuginfod_find(struct symbols_debuginfod *client, enum debuginfod_kind kind,
			    const uint8_t *build_id, size_t build_id_bytes, char **ret_path)
{
	uint64_t start_ns, spent_ns;
	int fd;

	if (!client->tried)
		load(client);
	if (!client->client || !client->left_ns || build_id_bytes < 2)
		return -1;
	start_ns = now_ns();
	deadline_ns = start_ns + client->left_ns;
	*ret_path = NULL;
	fd = client->find[kind](client->client, build_id, (int)build_id_bytes, ret_path);
	spent_ns = now_ns() - start_ns;
	client->left_ns -= spent_ns < client->left_ns ? spent_ns : client->left_ns;
	if (!client->left_ns)
		client->trouble = "the servers of DEBUGINFOD_URLS were too slow: the rest was not "
				  "asked for; DEBUGINFOD_MAXTIME sets the seconds";
	if (fd >= 0 && *ret_path)
		return fd;
	if (fd >= 0)
		close(fd);
	free(*ret_path);
	*ret_path = NULL;
	return -1;
}

const char *symbols_debuginfod_trouble(const struct symbols_debuginfod *client)
{
	return client->trouble;
}
