/* SPDX-License-Identifier: MIT */
/*
 * page_link.c - see page_link.h.
 */
#include "page_link.h"

#include "progress.h"

#include <errno.h>
#include <malloc.h>
#include <string.h>
#include <time.h>

#define LOOK_NS 100000000

/* A trace that still grows may have more for the reader that was opened later. */
static bool is_known(const struct page_link *link, size_t process)
{
	return process < trace_reader_process_count(link->frames.reader);
}

static bool get_frames(void *context, size_t process, uint32_t stack, struct frames *ret_frames)
{
	struct page_link *link = context;

	return is_known(link, process) && frame_source_resolve(&link->frames, process, stack,
							       SYMBOLS_TIME_UNKNOWN, ret_frames);
}

static const char *get_variable(void *context, size_t process, uint64_t address, uint64_t time_ns)
{
	struct page_link *link = context;

	return is_known(link, process) ? frame_source_data(&link->frames, process, address, time_ns)
				       : NULL;
}

/* ---- the pass ---- */

static bool tell(void *cookie, uint64_t done, uint64_t total)
{
	struct page_link *link = cookie;
	const struct inputs_follower *f = link->follower;

	atomic_store(&link->done, done);
	atomic_store(&link->total, total);
	return !atomic_load(&link->is_stopped) && (!f || f->progress(f->cookie, done, total));
}

static void *draw(void *cookie)
{
	struct page_link *link = cookie;

	link->error = page_new(&link->source, &link->page, &link->diag);
	return NULL;
}

int page_link_start(struct page_link *link, const struct options *options,
		    const struct inputs *inputs, const struct inputs_follower *follower,
		    struct diag *diag)
{
	const struct input *only = inputs->count == 1 ? &inputs->input[0] : NULL;
	int error = 0;

	*link = (struct page_link){ .is_open = only && only->reader, .follower = follower };
	if (!link->is_open)
		return 0;
	frame_source_init(&link->frames, options, &only->place, only->reader);
	if (follower)
		error = trace_reader_open(only->place.dir, &link->reader, diag);
	else
		malloc_trim(0); /* what the analysis had: the two need not be there together */
	if (error)
		return error;
	link->source = (struct page_source){
		.reader = link->reader ? link->reader : only->reader,
		.frames = get_frames,
		.variable = get_variable,
		.context = link,
		.scan = { .end_real_ns = only->run.end_real_ns, .progress = tell, .cookie = link }
	};
	link->is_running = !pthread_create(&link->thread, NULL, draw, link);
	if (!link->is_running)
		draw(link);
	return 0;
}

static void wait_until_drawn(struct page_link *link, const struct options *options)
{
	struct progress progress;
	struct timespec next;

	progress_begin(&progress, "drawing", options->quiet);
	do {
		progress_tell(&progress, atomic_load(&link->done), atomic_load(&link->total));
		clock_gettime(CLOCK_REALTIME, &next);
		next.tv_nsec += LOOK_NS;
		next.tv_sec += next.tv_nsec / 1000000000;
		next.tv_nsec %= 1000000000;
	} while (pthread_timedjoin_np(link->thread, NULL, &next) == ETIMEDOUT);
	link->is_running = false;
	progress_end(&progress);
}

int page_link_finish(struct page_link *link, const struct options *options, struct diag *diag)
{
	if (link->is_running)
		wait_until_drawn(link, options);
	if (link->error)
		*diag = link->diag;
	return link->error;
}

const struct report_view *page_link_view(const struct page_link *link)
{
	return link->page ? page_get_view(link->page) : NULL;
}

void page_link_release(struct page_link *link)
{
	atomic_store(&link->is_stopped, true);
	if (link->is_running)
		pthread_join(link->thread, NULL);
	page_free(link->page);
	trace_reader_free(link->reader);
	if (link->is_open)
		frame_source_release(&link->frames);
}
