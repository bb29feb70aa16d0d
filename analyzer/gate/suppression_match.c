/* SPDX-License-Identifier: MIT */
/*
 * suppression_match.c - does an entry speak of this finding? Names only: never addresses or lines.
 */
#include "../fingerprint.h"
#include "../frame_class.h"
#include "suppression_entry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_BYTES 1024

bool suppression_glob(const char *pattern, const char *text)
{
	const char *star = NULL, *again = NULL;

	while (*text) {
		if (*pattern == '*') {
			star = ++pattern;
			again = text;
		} else if (*pattern == '?' || *pattern == *text) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star;
			text = ++again;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

/* TSan's: a part, unless ^ or $ pin it. */
static bool matches_part(const char *pattern, const char *text)
{
	char glob[NAME_BYTES + 2];
	size_t bytes = strlen(pattern);
	bool first = bytes && *pattern == '^', last = bytes && pattern[bytes - 1] == '$';

	if (first)
		pattern++, bytes--;
	if (last && bytes)
		bytes--;
	if (bytes + 3 > sizeof(glob))
		return false;
	snprintf(glob, sizeof(glob), "%s%.*s%s", first ? "" : "*", (int)bytes, pattern,
		 last ? "" : "*");
	return suppression_glob(glob, text);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool matches_name(const struct pattern *p, const char *text)
{
	if (!text)
		return false;
	return p->kind == PATTERN_PART ? matches_part(p->text, text)
				       : suppression_glob(p->text, text);
}

void suppression_names_release(struct suppression_names *names)
{
	for (size_t i = 0; i < SUPPRESSION_NAMES; i++)
		free(names->bare[i]);
}

static const char *bare_name(struct suppression_names *names, const char *function)
{
	uint64_t hash = (uint64_t)(uintptr_t)function * UINT64_C(0x9e3779b97f4a7c15);
	size_t slot = hash >> 32 & (SUPPRESSION_NAMES - 1);
	char bare[NAME_BYTES];

	if (names->function[slot] != function) {
		function_bare_name(function, bare, sizeof(bare));
		free(names->bare[slot]);
		names->function[slot] = function;
		names->bare[slot] = strdup(bare);
		if (!names->bare[slot])
			abort();
	}
	return names->bare[slot];
}

static bool matches_function(const struct pattern *p, const char *function,
			     struct suppression_names *names)
{
	const char *bare;

	if (!function)
		return false;
	if (matches_name(p, function))
		return true;
	bare = bare_name(names, function);
	return *bare && matches_name(p, bare);
}

static bool matches_frame(const struct pattern *p, const struct frame *frame,
			  struct suppression_names *names)
{
	switch (p->kind) {
	case PATTERN_NAME:
		return matches_function(p, frame->function, names) ||
		       matches_name(p, frame_module_name(frame)) ||
		       (frame->file &&
			(matches_name(p, base_name(frame->file)) || matches_name(p, frame->file)));
	case PATTERN_PART:
		return matches_function(p, frame->function, names) ||
		       matches_name(p, frame->module) || matches_name(p, frame->file);
	case PATTERN_FUNCTION:
		return matches_function(p, frame->function, names);
	case PATTERN_OBJECT:
		return matches_name(p, frame->module);
	case PATTERN_SOURCE:
		return frame->file &&
		       (matches_name(p, base_name(frame->file)) || matches_name(p, frame->file));
	case PATTERN_ANY_FRAMES:
		return true;
	}
	return false;
}

/* ---- anywhere in the finding ---- */

static bool matches_frames(const struct pattern *p, const struct frames *frames, bool first_only,
			   struct suppression_names *names)
{
	for (size_t i = 0; i < frames->count && !(first_only && i); i++)
		if (matches_frame(p, &frames->frame[i], names))
			return true;
	return false;
}

static bool matches_lock(const struct pattern *p, const char *name)
{
	char class[NAME_BYTES] = "";

	if (!name)
		return false;
	symbol_class(name, class, sizeof(class));
	return matches_name(p, name) || matches_name(p, class);
}

static bool matches_anywhere(const struct pattern *p, const struct finding *f, bool first_only,
			     struct suppression_names *names)
{
	if (!strcmp(p->text, "*"))
		return true;
	for (size_t i = 0; i < f->stack_count; i++)
		if (matches_frames(p, &f->stacks[i].frames, first_only, names))
			return true;
	if (first_only)
		return false;
	for (size_t i = 0; i < f->thread_count; i++)
		if (matches_function(p, f->threads[i].start_function, names) ||
		    matches_frames(p, &f->threads[i].created_at, false, names))
			return true;
	for (size_t i = 0; i < f->lock_count; i++)
		if (matches_lock(p, f->locks[i].name))
			return true;
	return false;
}

/* ---- frames in order ---- */

/* Functions that our recorder wraps: our stacks begin at their callers, Valgrind's inside. */
static bool is_hooked(const char *function)
{
	static const char *const names[] = {
#define PRIM(shape, kind, ret, name, ...) #name,
#include "../../spec/primitives/all.def"
#undef PRIM
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(names[i], function))
			return true;
	return false;
}

/* What Valgrind's own intercepts look like at the inner end of its stacks. */
static bool is_intercept(const struct pattern *p)
{
	static const char *const prefixes[] = { "pthread_", "sem_",	 "mutex_", "rwlock_",
						"QMutex",   "cnd_",	 "mtx_",   "thrd_",
						"__lll_",   "std::mutex" };
	size_t bytes = strlen(p->text);

	if (p->kind == PATTERN_OBJECT)
		return strstr(p->text, "vgpreload") || strstr(p->text, "libpthread") ||
		       strstr(p->text, "/libc.so") || strstr(p->text, "/libc-");
	if (p->kind != PATTERN_FUNCTION)
		return false;
	if (bytes > 4 && !strcmp(p->text + bytes - 4, "_WRK"))
		return true;
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (!strncmp(p->text, prefixes[i], strlen(prefixes[i])))
			return true;
	if (is_hooked(p->text))
		return true;
	return strstr(p->text, "@*") != NULL;
}

/*
 * Patterns from `first` on against the frames from the innermost on, or with `anywhere` from any one on; the tail may be
 * longer.
 */
static bool matches_in_order(const struct suppression_entry *entry, size_t first, bool anywhere,
			     const struct frames *frames, struct suppression_names *names)
{
	size_t p = first, f = 0, star = anywhere ? first : SIZE_MAX, again = 0;

	while (p < entry->pattern_count) {
		const struct pattern *pattern = &entry->pattern[p];

		if (pattern->kind == PATTERN_ANY_FRAMES) {
			star = ++p;
			again = f;
		} else if (f < frames->count && matches_frame(pattern, &frames->frame[f], names)) {
			p++;
			f++;
		} else if (star != SIZE_MAX && again < frames->count) {
			p = star;
			f = ++again;
		} else {
			return false;
		}
	}
	return true;
}

static bool matches_stack(const struct suppression_entry *entry, const struct frames *frames,
			  struct suppression_names *names)
{
	size_t first = 0, own = 0;
	bool anywhere = false;

	if (!frames->count)
		return false;
	if (matches_in_order(entry, 0, false, frames, names))
		return true;
	/* Without the frames that our stacks lack: "..." among them stays. */
	for (; first < entry->pattern_count; first++) {
		if (entry->pattern[first].kind == PATTERN_ANY_FRAMES)
			anywhere = true;
		else if (is_intercept(&entry->pattern[first]))
			own++;
		else
			break;
	}
	/* Nothing but intercepts would match everything. */
	return own && first < entry->pattern_count &&
	       matches_in_order(entry, first, anywhere, frames, names);
}

bool suppression_matches(const struct suppression_entry *entry, const struct finding *f,
			 struct suppression_names *names)
{
	if (!(entry->rules >> f->rule & 1))
		return false;
	if (entry->frames) {
		for (size_t i = 0; i < f->stack_count; i++)
			if (matches_stack(entry, &f->stacks[i].frames, names))
				return true;
		return false;
	}
	for (size_t i = 0; i < entry->pattern_count; i++)
		if (!matches_anywhere(&entry->pattern[i], f, entry->first_frame_only, names))
			return false;
	return entry->pattern_count > 0;
}
