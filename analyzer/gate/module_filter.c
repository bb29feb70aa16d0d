/* SPDX-License-Identifier: MIT */
/*
 * module_filter.c - keeps the findings whose calls come from wanted modules.
 */
#include "module_filter.h"

#include "../frame_class.h"
#include "suppression_entry.h"

static bool is_named(const char *const *patterns, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (suppression_glob(patterns[i], name))
			return true;
	return false;
}

/* The base name of the module that made the call; NULL = unknown. */
static const char *calling_module(const struct frames *frames)
{
	for (size_t i = 0; i < frames->count; i++)
		if (!frame_is_machinery(&frames->frame[i]))
			return frame_module_name(&frames->frame[i]);
	return frames->count ? frame_module_name(&frames->frame[0]) : NULL;
}

static bool is_wanted(const struct module_filter *filter, const struct frames *frames)
{
	const char *name = calling_module(frames);

	if (!name)
		return true;
	if (filter->include_count && !is_named(filter->include, filter->include_count, name))
		return false;
	return !is_named(filter->exclude, filter->exclude_count, name);
}

static bool stays(const struct module_filter *filter, const struct finding *f)
{
	for (size_t i = 0; i < f->stack_count; i++)
		if (is_wanted(filter, &f->stacks[i].frames))
			return true;
	for (size_t i = 0; !f->stack_count && i < f->thread_count; i++)
		if (is_wanted(filter, &f->threads[i].created_at))
			return true;
	return !f->stack_count && !f->thread_count;
}

size_t module_filter_apply(const struct module_filter *filter, struct finding_list *list)
{
	size_t count = finding_list_count(list), kept = 0;

	if (!filter->include_count && !filter->exclude_count)
		return 0;
	for (size_t i = 0; i < count; i++) {
		struct finding *f = finding_list_get(list, i);

		if (stays(filter, f))
			finding_list_set(list, kept++, f);
	}
	finding_list_truncate(list, kept);
	return count - kept;
}
