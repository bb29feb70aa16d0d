/* SPDX-License-Identifier: MIT */
/*
 * engage_transfer.h - exercises of the rows of c-ares, libcurl and liburing. Absent: nothing is expected. Nothing leaves this machine.
 */
#ifndef THRUM_TESTS_ENGAGE_TRANSFER_H
#define THRUM_TESTS_ENGAGE_TRANSFER_H

static const char *const cares[] = { "libcares.so.2", NULL };
static const char *const curl[] = { "libcurl.so.4", "libcurl-gnutls.so.4", NULL };
static const char *const uring[] = { "liburing.so.2", NULL };

/* ---- c-ares: destroying a channel calls back what is pending: a query's four records and the end of the channel ---- */

static unsigned ares_answers;
static void ares_answered(void *p, int status, int timeouts)
{
	(void)status;
	(void)timeouts;
	++*(unsigned *)p;
}

static void *ares_channel(void)
{
	int (*init)(void **) = (int (*)(void **))library_function(cares, "ares_init");
	int (*servers)(void *, const char *) =
		(int (*)(void *, const char *))library_function(cares, "ares_set_servers_csv");
	void *channel = NULL;

	if (!init || !servers || init(&channel) || servers(channel, "127.0.0.1:9")) {
		return NULL;
	}
	return channel;
}

#define ARES_ASK(name, params, args)                                                     \
	static int exercise_##name(void)                                                 \
	{                                                                                \
		struct sockaddr_in here = { .sin_family = AF_INET,                       \
					    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) }; \
		unsigned before = ares_answers;                                          \
		void *c = ares_channel();                                                \
                                                                                         \
		(void)here;                                                              \
		if (!c) {                                                                \
			return 0;                                                        \
		}                                                                        \
		((void(*) params)library_function(cares, #name)) args;                   \
		((void (*)(void *))library_function(cares, "ares_destroy"))(c);          \
		return ares_answers == before + 1 ? 5 : 1000;                            \
	}
#define ARES_HOW ares_answered, &ares_answers
ARES_ASK(ares_query, (void *, const char *, int, int, void (*)(void *, int, int), void *),
	 (c, "nobody.invalid", 1, 1, ARES_HOW))
ARES_ASK(ares_search, (void *, const char *, int, int, void (*)(void *, int, int), void *),
	 (c, "nobody.invalid.", 1, 1, ARES_HOW))
ARES_ASK(ares_send, (void *, const void *, int, void (*)(void *, int, int), void *),
	 (c, "bad", 3, ARES_HOW))
ARES_ASK(ares_gethostbyname, (void *, const char *, int, void (*)(void *, int, int), void *),
	 (c, "127.0.0.1", AF_INET, ARES_HOW))
ARES_ASK(ares_gethostbyaddr, (void *, const void *, int, int, void (*)(void *, int, int), void *),
	 (c, &here.sin_addr, 4, AF_INET, ARES_HOW))
ARES_ASK(ares_getaddrinfo,
	 (void *, const char *, const char *, const void *, void (*)(void *, int, int), void *),
	 (c, "127.0.0.1", "80", (int[8]){ 0 }, ARES_HOW))
ARES_ASK(ares_getnameinfo, (void *, const void *, int, int, void (*)(void *, int, int), void *),
	 (c, &here, (int)sizeof(here), 1 << 1 /* as a number */, ARES_HOW))
static int exercise_ares_destroy(void)
{
	return exercise_ares_query();
}

/* ---- libcurl ---- */

static void *curl_new(const char *what)
{
	void *(*make)(void) = (void *(*)(void))library_function(curl, what);

	return make ? make() : NULL;
}

static void curl_call(const char *name, void *a, void *b)
{
	((int (*)(void *, void *))library_function(curl, name))(a, b);
}

/* Made, armed; done; out of it. */
static int curl_transfer(bool removed)
{
	void *m = curl_new("curl_multi_init"), *e = curl_new("curl_easy_init");
	int running = 1, left;

	if (!m || !e) {
		return 0;
	}
	((int (*)(void *, int, ...))library_function(curl, "curl_easy_setopt"))(
		e, 10002 /* URL */, "file:///nonexistent/file");
	curl_call("curl_multi_add_handle", m, e);
	while (running) {
		curl_call("curl_multi_perform", m, &running);
	}
	((void *(*)(void *, int *))library_function(curl, "curl_multi_info_read"))(m, &left);
	if (removed) {
		curl_call("curl_multi_remove_handle", m, e);
	}
	((void (*)(void *))library_function(curl, "curl_easy_cleanup"))(e);
	((int (*)(void *))library_function(curl, "curl_multi_cleanup"))(m);
	return 4;
}
static int exercise_curl_multi_add_handle(void)
{
	return curl_transfer(true);
}
static int exercise_curl_multi_remove_handle(void)
{
	return curl_transfer(true);
}
static int exercise_curl_multi_info_read(void)
{
	return curl_transfer(true);
}
static int exercise_curl_easy_cleanup(void)
{
	return curl_transfer(false);
}
static int exercise_curl_multi_wakeup(void)
{
	void *m = curl_new("curl_multi_init");

	if (!m) {
		return 0;
	}
	((int (*)(void *))library_function(curl, "curl_multi_wakeup"))(m);
	((int (*)(void *))library_function(curl, "curl_multi_cleanup"))(m);
	return 1;
}
/* No record outside of callbacks: it has to come back with its error. */
static int exercise_curl_easy_perform(void)
{
	void *e = curl_new("curl_easy_init");

	if (!e) {
		return 0;
	}
	return ((int (*)(void *))library_function(curl, "curl_easy_perform"))(e) == 3 /* no URL */
		       ? 0
		       : 1000;
}

/* ---- liburing: one turn each, where the kernel lets us have a ring ---- */

#define URING(name, params, args)                                                      \
	static int exercise_##name(void)                                               \
	{                                                                              \
		static _Alignas(16) char r[1024];                                      \
		struct {                                                               \
			int64_t seconds;                                               \
			long long ns;                                                  \
		} t = { 0, 1000000 };                                                  \
		void *e = NULL;                                                        \
		int (*init)(unsigned, void *, unsigned) =                              \
			(int (*)(unsigned, void *, unsigned))library_function(         \
				uring, "io_uring_queue_init");                         \
		int(*wait) params = (int(*) params)library_function(uring, #name);     \
                                                                                       \
		(void)t;                                                               \
		(void)e;                                                               \
		if (!init || !wait || init(4, r, 0)) {                                 \
			return 0;                                                      \
		}                                                                      \
		usleep(3000); /* turns are recorded at most once a millisecond */      \
		wait args;                                                             \
		((void (*)(void *))library_function(uring, "io_uring_queue_exit"))(r); \
		return 1;                                                              \
	}
URING(io_uring_submit_and_wait, (void *, unsigned), (r, 0))
URING(io_uring_submit_and_wait_timeout, (void *, void *, unsigned, void *, void *),
      (r, &e, 1, &t, NULL))
URING(io_uring_wait_cqes, (void *, void *, unsigned, void *, void *), (r, &e, 1, &t, NULL))
URING(io_uring_wait_cqe_timeout, (void *, void *, void *), (r, &e, &t))
URING(__io_uring_get_cqe, (void *, void *, unsigned, unsigned, void *), (r, &e, 0, 0, NULL))

#endif
