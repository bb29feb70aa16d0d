/* SPDX-License-Identifier: MIT */
/*
 * one_class.c - see one_class.h. A lock without a name may be of any class: then the finding goes.
 */
#include "one_class.h"

#include "fingerprint.h"

#include <string.h>

static bool is_of_one_class(const struct finding *f)
{
	char first[256] = "", other[256];

	for (size_t i = 0; i < f->lock_count; i++) {
		if (!f->locks[i].name)
			return false;
		symbol_class(f->locks[i].name, i ? other : first, sizeof(first));
		if (i && strcmp(first, other) != 0)
			return false;
	}
	return true;
}

void one_class_filter(struct finding_list *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < finding_list_count(list); i++) {
		struct finding *f = finding_list_get(list, i);

		if (!f->of_one_class || is_of_one_class(f))
			finding_list_set(list, kept++, f);
	}
	finding_list_truncate(list, kept);
}
