/* SPDX-License-Identifier: MIT */
/*
 * progress.c - see progress.h.
 */
#include "progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FIRST_NS UINT64_C(1000000000)
#define AGAIN_NS UINT64_C(100000000)
#define BAR_COLUMNS 24u

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void progress_begin(struct progress *progress, const char *what, bool quiet)
{
	const char *term = getenv("TERM");

	*progress = (struct progress){ .what = what, .began_ns = now_ns() };
	progress->is_wanted = !quiet && isatty(STDERR_FILENO) && term && *term &&
			      strcmp(term, "dumb") != 0;
}

void progress_tell(void *cookie, uint64_t done, uint64_t total)
{
	struct progress *progress = cookie;
	uint64_t now = progress->is_wanted ? now_ns() : 0;
	unsigned filled, percent;
	char bar[BAR_COLUMNS + 1];

	if (!progress->is_wanted || !total || now - progress->began_ns < FIRST_NS ||
	    now - progress->drawn_ns < AGAIN_NS)
		return;
	progress->drawn_ns = now;
	progress->is_drawn = true;
	if (total == UINT64_MAX) {
		fprintf(stderr, "\r\x1b[Kthrum: %s: %.1f M", progress->what, (double)done / 1e6);
		fflush(stderr);
		return;
	}
	done = done < total ? done : total;
	filled = (unsigned)((double)done / (double)total * BAR_COLUMNS);
	percent = (unsigned)((double)done / (double)total * 100);
	memset(bar, '#', filled);
	memset(bar + filled, '.', BAR_COLUMNS - filled);
	bar[BAR_COLUMNS] = '\0';
	fprintf(stderr, "\r\x1b[Kthrum: %s [%s] %u %%", progress->what, bar, percent);
	fflush(stderr);
}

bool progress_tell_on(void *cookie, uint64_t done, uint64_t total)
{
	progress_tell(cookie, done, total);
	return true;
}

void progress_end(struct progress *progress)
{
	if (progress->is_drawn)
		fputs("\r\x1b[K", stderr);
	progress->is_drawn = false;
	progress->is_wanted = false;
}
