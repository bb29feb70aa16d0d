/* SPDX-License-Identifier: MIT */
/*
 * inputs_names.c - what the inputs of an analysis are called, and why some of them are empty.
 */
#include "inputs.h"

#include <stdlib.h>
#include <string.h>

/* ---- what they are called ---- */

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

struct text_set {
	const char **text; /* in the list's memory */
	size_t count;
};

static struct text_set text_set_new(const struct inputs *inputs, size_t most)
{
	return (struct text_set){ .text = finding_list_alloc(inputs->findings,
							     (most + 1) * sizeof(const char *)) };
}

static void text_set_sort(struct text_set *set)
{
	size_t kept = 0;

	if (set->count)
		qsort(set->text, set->count, sizeof(*set->text), compare_texts);
	for (size_t i = 0; i < set->count; i++)
		if (!kept || strcmp(set->text[kept - 1], set->text[i]) != 0)
			set->text[kept++] = set->text[i];
	set->count = kept;
}

void inputs_get_paths(const struct inputs *inputs, const char *const **ret_path, size_t *ret_count)
{
	struct text_set set;
	size_t most = 0;

	for (size_t i = 0; i < inputs->count; i++)
		most += inputs->input[i].reader ? 1 : inputs->input[i].report.path_count;
	set = text_set_new(inputs, most);
	for (size_t i = 0; i < inputs->count; i++) {
		const struct input *input = &inputs->input[i];

		if (input->reader)
			set.text[set.count++] = input->path;
		for (size_t k = 0; k < input->report.path_count; k++)
			set.text[set.count++] = input->report.path[k];
	}
	text_set_sort(&set);
	*ret_path = set.text;
	*ret_count = set.count;
}

void inputs_get_untraced(const struct inputs *inputs, const char *why,
			 const char *const **ret_untraced, size_t *ret_count)
{
	struct text_set set;
	size_t most = 1;

	for (size_t i = 0; i < inputs->count; i++)
		most += inputs->input[i].report.untraced_count;
	set = text_set_new(inputs, most);
	if (why)
		set.text[set.count++] = why;
	for (size_t i = 0; i < inputs->count; i++)
		for (size_t k = 0; k < inputs->input[i].report.untraced_count; k++)
			set.text[set.count++] = inputs->input[i].report.untraced[k];
	text_set_sort(&set);
	*ret_untraced = set.text;
	*ret_count = set.count;
}

char **inputs_of_options(const struct options *options, size_t *ret_count)
{
	static char standard[] = "thrum.data";
	static char *only[] = { standard, NULL };

	*ret_count = options->operand_count ? (size_t)options->operand_count : 1;
	return options->operand_count ? options->operands : only;
}
