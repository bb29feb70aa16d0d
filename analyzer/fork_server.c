/* SPDX-License-Identifier: MIT */
/*
 * fork_server.c - a second look at the events of fork servers.
 */
#include "fork_server.h"

#include <stdlib.h>
#include <string.h>

/* Children under way, by pid. */
struct served {
	uint32_t *pid; /* owned */
	size_t count, capacity;
};

static void add_child(struct served *s, uint64_t pid)
{
	if (s->count == s->capacity) {
		s->capacity = s->capacity ? 2 * s->capacity : 16;
		s->pid = reallocarray(s->pid, s->capacity, sizeof(*s->pid));
		if (!s->pid)
			abort();
	}
	s->pid[s->count++] = (uint32_t)pid;
}

static bool take_child(struct served *s, uint64_t pid)
{
	for (size_t i = s->count; i-- > 0;)
		if (s->pid[i] == pid) {
			s->pid[i] = s->pid[--s->count];
			return true;
		}
	return false;
}

/* Before its events are read: does any stack look so? */
static bool may_serve(const struct trace_process *p,
		      bool (*is_served)(const struct trace_process *, uint32_t stack))
{
	for (uint32_t i = 1; i < p->stack_count; i++)
		if (is_served(p, i))
			return true;
	return false;
}

size_t fork_server_ends(const struct fork_book *book, size_t image,
			bool (*is_served)(const struct trace_process *, uint32_t stack),
			struct server_child *ret_ends, size_t max)
{
	const struct trace_process *of = trace_reader_get_process(book->reader, image);
	uint64_t start_ns = trace_reader_get_start_ns(book->reader, image);
	size_t found = 0;

	for (size_t i = 0; i < trace_reader_process_count(book->reader) && found < max; i++) {
		const struct trace_process *p = trace_reader_get_process(book->reader, i);
		struct served served = { 0 };
		struct trace_pass *pass;
		struct trace_event e;

		if (p->ppid != of->pid || !may_serve(p, is_served) ||
		    trace_pass_new(book->reader, i, &pass, NULL))
			continue;
		while (found < max && trace_pass_next(pass, &e)) {
			if (e.op == TRACE_FORK && is_served(p, e.stack))
				add_child(&served, e.arg);
			if (e.op == TRACE_REAP && take_child(&served, e.arg) && e.result > 0)
				ret_ends[found++] = (struct server_child){
					.pid = (uint32_t)e.arg,
					.server = p->pid,
					.status = e.result,
					.ended_ns = e.time_ns > start_ns ? e.time_ns - start_ns : 0,
				};
		}
		trace_pass_free(pass);
		free(served.pid);
	}
	return found;
}
