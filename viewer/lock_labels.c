/* SPDX-License-Identifier: MIT */
/*
 * lock_labels.c - see lock_labels.h.
 */
#include "lock_labels.h"

#include <stdlib.h>
#include <string.h>

static int compare_places(const void *left, const void *right)
{
	const struct lock_label *a = left, *b = right;

	if (a->process != b->process)
		return a->process < b->process ? -1 : 1;
	return (a->object > b->object) - (a->object < b->object);
}

static int compare_texts(const void *left, const void *right)
{
	const struct lock_label *a = left, *b = right;
	int order = strcmp(a->text, b->text);

	return order ? order : compare_places(left, right);
}

static bool is_numbered(const struct finding_lock *lock)
{
	return lock->object && (!lock->name || !*lock->name || *lock->name == '.');
}

static size_t count_locks(const struct report *report)
{
	size_t count = 0;

	for (size_t i = 0; i < report->listed_count; i++)
		count += report->findings[i]->lock_count;
	return count;
}

/* Where `same` is false of two neighbours that `alike` finds equal, both go. */
static void drop_doubtful(struct lock_labels *l,
			  int (*alike)(const struct lock_label *, const struct lock_label *),
			  int (*same)(const struct lock_label *, const struct lock_label *))
{
	size_t kept = 0;

	for (size_t i = 0, end; i < l->count; i = end) {
		bool certain = true;

		for (end = i + 1; end < l->count && !alike(&l->label[i], &l->label[end]); end++)
			certain &= !same(&l->label[i], &l->label[end]);
		for (size_t k = certain ? i + 1 : i; k < end; k++)
			free((char *)(uintptr_t)l->label[k].text);
		if (certain)
			l->label[kept++] = l->label[i];
	}
	l->count = kept;
}

static int place_differs(const struct lock_label *a, const struct lock_label *b)
{
	return compare_places(a, b);
}

static int text_differs(const struct lock_label *a, const struct lock_label *b)
{
	return strcmp(a->text, b->text);
}

static bool add_locks(struct lock_labels *l, const struct finding *f, const uint32_t *process_of,
		      size_t process_count)
{
	char text[256];

	for (size_t i = 0; i < f->lock_count; i++) {
		const struct finding_lock *lock = &f->locks[i];
		char *copy;

		if (!is_numbered(lock) || (process_of && lock->process >= process_count))
			continue;
		finding_lock_text(f, lock, text, sizeof(text));
		copy = strdup(text);
		if (!copy)
			return false;
		l->label[l->count++] = (struct lock_label){
			.process = process_of ? process_of[lock->process] : lock->process,
			.object = lock->object,
			.text = copy,
		};
	}
	return true;
}

int lock_labels_make(struct lock_labels *labels, const struct report *report,
		     const uint32_t *process_of, size_t process_count)
{
	*labels = (struct lock_labels){ .label = calloc(count_locks(report) + 1,
							sizeof(*labels->label)) };
	if (!labels->label)
		return THRUM_ENOMEM;
	for (size_t i = 0; i < report->listed_count; i++)
		if (!add_locks(labels, report->findings[i], process_of, process_count)) {
			lock_labels_release(labels);
			return THRUM_ENOMEM;
		}
	qsort(labels->label, labels->count, sizeof(*labels->label), compare_places);
	drop_doubtful(labels, place_differs, text_differs);
	qsort(labels->label, labels->count, sizeof(*labels->label), compare_texts);
	drop_doubtful(labels, text_differs, place_differs);
	qsort(labels->label, labels->count, sizeof(*labels->label), compare_places);
	return 0;
}

void lock_labels_release(struct lock_labels *labels)
{
	for (size_t i = 0; i < labels->count; i++)
		free((char *)(uintptr_t)labels->label[i].text);
	free(labels->label);
	*labels = (struct lock_labels){ 0 };
}

const char *lock_labels_find(const struct lock_labels *labels, size_t process, uint32_t object)
{
	const struct lock_label key = { .process = process, .object = object };
	const struct lock_label *found = labels && labels->count
						 ? bsearch(&key, labels->label, labels->count,
							   sizeof(*labels->label), compare_places)
						 : NULL;

	return found ? found->text : NULL;
}
