/* SPDX-License-Identifier: MIT */
/*
 * fork_book.c - pages of the book, by parent and pid of the child. Knows no model.
 */
#include "fork_book.h"

#include <stdlib.h>
#include <string.h>

void fork_book_init(struct fork_book *book, struct trace_reader *reader)
{
	*book = (struct fork_book){ .reader = reader };
}

void fork_book_release(struct fork_book *book)
{
	for (uint32_t i = 0; i < book->count; i++)
		free(book->page[i].lock);
	free(book->page);
	memset(book, 0, sizeof(*book));
}

/* Made by fork and not by exec: the first image of its pid in this life. */
static bool is_child(const struct trace_process *child, const struct trace_process *parent)
{
	return child->ppid == parent->pid &&
	       (!child->parent_image || child->parent_image == parent->image);
}

bool fork_book_is_wanted(const struct fork_book *book, size_t parent, uint32_t child)
{
	const struct trace_process *p = trace_reader_get_process(book->reader, parent);

	for (size_t i = parent + 1; i < trace_reader_process_count(book->reader); i++) {
		const struct trace_process *c = trace_reader_get_process(book->reader, i);

		if ((c->pid == child || !child) && is_child(c, p))
			return true;
	}
	return false;
}

void fork_book_add(struct fork_book *book, const struct fork_page *page)
{
	if (book->count == book->capacity) {
		book->capacity = book->capacity ? 2 * book->capacity : 16;
		book->page = reallocarray(book->page, book->capacity, sizeof(*book->page));
		if (!book->page)
			abort();
	}
	book->page[book->count++] = *page;
}

static uint32_t find(const struct fork_book *book, size_t child)
{
	const struct trace_process *c = trace_reader_get_process(book->reader, child);

	for (uint32_t i = book->count; i-- > 0;)
		if ((book->page[i].child == c->pid || !book->page[i].child) &&
		    book->page[i].parent < child &&
		    is_child(c, trace_reader_get_process(book->reader, book->page[i].parent)))
			return i;
	return UINT32_MAX;
}

/* An image that exec made has new memory, with no locks in it. */
static bool was_forked(const struct fork_book *book, size_t child)
{
	const struct trace_process *c = trace_reader_get_process(book->reader, child);

	for (size_t i = child; i-- > 0;) {
		const struct trace_process *p = trace_reader_get_process(book->reader, i);

		if (p->pid == c->pid)
			return p->exit_kind != TRACE_EXIT_EXEC;
	}
	return true;
}

const struct fork_page *fork_book_find(const struct fork_book *book, size_t child)
{
	uint32_t i = was_forked(book, child) ? find(book, child) : UINT32_MAX;

	return i == UINT32_MAX ? NULL : &book->page[i];
}

void fork_book_drop(struct fork_book *book, size_t child)
{
	uint32_t i = find(book, child);

	if (i == UINT32_MAX)
		return;
	free(book->page[i].lock);
	book->page[i] = book->page[--book->count];
}

const struct fork_lock *fork_page_find(const struct fork_page *page, uint64_t address)
{
	uint32_t low = 0, high = page->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (page->lock[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < page->count && page->lock[low].address == address ? &page->lock[low] : NULL;
}

/* ---- the fork, event by event ---- */

static bool is_acquire(unsigned op)
{
	switch (op) {
	case TRACE_ACQUIRE:
	case TRACE_ACQUIRE_SHARED:
	case TRACE_ACQUIRE_TRY:
	case TRACE_ACQUIRE_TRY_SHARED:
	case TRACE_ACQUIRE_TIMED:
	case TRACE_ACQUIRE_TIMED_SHARED:
	case TRACE_ACQUIRE_OWNERDEAD:
		return true;
	default: /* any byte of a file */
		return false;
	}
}

struct search {
	const struct trace_process *process;
	uint64_t address, begin_ns, end_ns; /* run time */
	uint32_t thread;		    /* 0 = any */
	struct fork_lock *found;
};

static bool is_it(const struct search *s, uint32_t object)
{
	return object && object < s->process->object_count &&
	       s->process->objects[object].address == s->address;
}

/* Follows the newest hold; one that ended before the fork began is forgotten. */
static void follow(struct search *s, const struct trace_event *e)
{
	struct fork_lock *f = s->found;
	bool wake = e->op == TRACE_COND_WAKE && is_it(s, e->other);

	if (s->thread && e->thread != s->thread)
		return;
	if (wake || (is_acquire(e->op) && is_it(s, e->object))) {
		f->kind = s->process->objects[wake ? e->other : e->object].kind;
		f->thread = e->thread;
		f->stack = e->stack;
		f->since_ns = e->time_ns;
	} else if (e->thread == f->thread && e->time_ns < s->begin_ns &&
		   ((e->op == TRACE_RELEASE && is_it(s, e->object)) ||
		    (e->op == TRACE_COND_WAIT && is_it(s, e->other)))) {
		f->thread = 0;
	}
}

/* 0 = no thread of the process has it. */
static uint32_t thread_of_tid(const struct trace_process *p, uint32_t tid)
{
	for (uint32_t i = 1; i < p->thread_count; i++)
		if (p->threads[i].tid == tid)
			return i;
	for (size_t i = 0; i < p->wait_count; i++)
		if (p->waits[i].tid == tid)
			return p->waits[i].thread;
	return 0;
}

bool fork_page_search(const struct fork_book *book, const struct fork_page *page, uint64_t address,
		      uint32_t tid, struct fork_lock *ret_lock)
{
	const struct trace_process *p = trace_reader_get_process(book->reader, page->parent);
	uint64_t start_ns = trace_reader_get_start_ns(book->reader, page->parent);
	struct search s = { .process = p,
			    .address = address,
			    .begin_ns = start_ns + page->time_ns,
			    .end_ns = start_ns + page->end_ns,
			    .thread = tid ? thread_of_tid(p, tid) : 0,
			    .found = ret_lock };
	struct trace_pass *pass;
	struct trace_event event;
	struct diag diag;

	*ret_lock = (struct fork_lock){ .address = address, .process = page->parent };
	if ((tid && !s.thread) || trace_pass_new(book->reader, page->parent, &pass, &diag))
		return false;
	while (trace_pass_next(pass, &event) && event.time_ns <= s.end_ns)
		follow(&s, &event);
	trace_pass_free(pass);
	ret_lock->since_ns -= ret_lock->since_ns < start_ns ? ret_lock->since_ns : start_ns;
	ret_lock->by_forker = ret_lock->thread == page->thread;
	return ret_lock->thread;
}
