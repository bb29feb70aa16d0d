/* SPDX-License-Identifier: MIT */
/*
 * suppressions.c - loads files, tells their dialect, and applies the entries.
 */
#include "suppression_entry.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FILE_BYTES (16u << 20)

struct suppressions {
	struct suppression_entry *entry; /* owned */
	size_t count, capacity;
	char **paths; /* owned; entries point to them */
	size_t path_count;
};

static void *must(void *memory)
{
	if (!memory)
		abort(); /* hosted code */
	return memory;
}

struct suppressions *suppressions_new(void)
{
	return must(calloc(1, sizeof(struct suppressions)));
}

void suppression_entry_release(struct suppression_entry *entry)
{
	for (size_t i = 0; i < entry->pattern_count; i++)
		free(entry->pattern[i].text);
	free(entry->pattern);
	free((char *)entry->shown.text);
	free((char *)entry->shown.kind);
	free((char *)entry->shown.reason);
	free((char *)entry->shown.expires);
}

void suppressions_free(struct suppressions *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->count; i++)
		suppression_entry_release(&s->entry[i]);
	for (size_t i = 0; i < s->path_count; i++)
		free(s->paths[i]);
	free(s->paths);
	free(s->entry);
	free(s);
}

/* ---- building ---- */

struct suppression_entry *suppression_file_add(struct suppression_file *file, unsigned line,
					       const char *text, size_t bytes)
{
	struct suppression_entry *entry;

	if (file->count == file->capacity) {
		file->capacity = file->capacity ? 2 * file->capacity : 16;
		file->entry = must(reallocarray(file->entry, file->capacity, sizeof(*file->entry)));
	}
	entry = &file->entry[file->count++];
	*entry = (struct suppression_entry){ .shown.file = file->path, .shown.line = line };
	entry->shown.text = must(strndup(text, bytes));
	return entry;
}

void suppression_entry_add(struct suppression_entry *entry, enum pattern_kind kind,
			   const char *text, size_t bytes)
{
	entry->pattern = must(
		reallocarray(entry->pattern, entry->pattern_count + 1, sizeof(*entry->pattern)));
	entry->pattern[entry->pattern_count++] =
		(struct pattern){ .kind = kind, .text = must(strndup(text, bytes)) };
}

/* ---- loading ---- */

/* Valgrind's files have blocks: a line that is nothing but an opening brace. */
static bool has_blocks(const char *text, size_t bytes)
{
	const char *end = text + bytes;

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *stop = newline ? newline : end, *p = text, *q = stop;

		while (p < stop && (*p == ' ' || *p == '\t'))
			p++;
		while (q > p && (q[-1] == ' ' || q[-1] == '\t' || q[-1] == '\r'))
			q--;
		if (q - p == 1 && *p == '{')
			return true;
		text = newline ? newline + 1 : end;
	}
	return false;
}

int suppressions_parse(struct suppressions *s, const char *path, const char *text, size_t bytes,
		       const char *today, struct diag *diag)
{
	struct suppression_file file = { .path = must(strdup(path)), .today = today };
	int error;

	if (bytes >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) { /* some editors begin UTF-8 so */
		text += 3;
		bytes -= 3;
	}
	error = memchr(text, '\0', bytes) ? diag_set(diag, THRUM_EINVAL, "%s is no text file", path)
		: has_blocks(text, bytes) ? suppression_parse_blocks(&file, text, bytes, diag)
					  : suppression_parse_lines(&file, text, bytes, diag);
	if (error) {
		for (size_t i = 0; i < file.count; i++)
			suppression_entry_release(&file.entry[i]);
		free(file.entry);
		free((char *)file.path);
		return error;
	}
	s->paths = must(reallocarray(s->paths, s->path_count + 1, sizeof(*s->paths)));
	s->paths[s->path_count++] = (char *)file.path;
	s->entry = must(reallocarray(s->entry, s->count + file.count + 1, sizeof(*s->entry)));
	if (file.count)
		memcpy(s->entry + s->count, file.entry, file.count * sizeof(*s->entry));
	s->count += file.count;
	free(file.entry);
	return THRUM_OK;
}

int suppressions_load(struct suppressions *s, const char *path, const char *today,
		      struct diag *diag)
{
	FILE *in = fopen(path, "re");
	size_t bytes;
	char *text;
	int error;

	if (!in)
		return diag_set(diag, THRUM_EIO, "cannot read the suppressions file %s: %s", path,
				strerror(errno));
	text = must(malloc(MAX_FILE_BYTES + 1));
	bytes = fread(text, 1, MAX_FILE_BYTES + 1, in);
	if (ferror(in))
		error = diag_set(diag, THRUM_EIO, "cannot read the suppressions file %s: %s", path,
				 strerror(errno));
	else if (bytes > MAX_FILE_BYTES)
		error = diag_set(diag, THRUM_EINVAL, "%s is too large for a suppressions file",
				 path);
	else
		error = suppressions_parse(s, path, text, bytes, today, diag);
	fclose(in);
	free(text);
	return error;
}

/* ---- use ---- */

void suppressions_apply(struct suppressions *s, struct finding_list *list)
{
	struct suppression_names *names = must(calloc(1, sizeof(*names)));

	for (size_t i = 0; i < finding_list_count(list); i++) {
		struct finding *f = finding_list_get(list, i);

		for (size_t k = 0; k < s->count; k++) {
			struct suppression_entry *entry = &s->entry[k];

			if (!suppression_matches(entry, f, names) ||
			    entry->shown.state == SUPPRESSION_EXPIRED)
				continue;
			entry->shown.state = SUPPRESSION_USED;
			entry->shown.hits++;
			if (f->suppressed_by)
				continue; /* the first one speaks; the others are used too */
			f->suppressed_by = finding_list_printf(list, "%s:%u", entry->shown.file,
							       entry->shown.line);
			if (entry->shown.reason)
				f->suppressed_reason =
					finding_list_printf(list, "%s", entry->shown.reason);
		}
	}
	suppression_names_release(names);
	free(names);
}

void suppressions_keep_rules(struct suppressions *s, const bool on[RULE_COUNT])
{
	uint64_t rules = 0;

	for (int rule = 0; rule < RULE_COUNT; rule++)
		rules |= (uint64_t)on[rule] << rule;
	for (size_t i = 0; i < s->count; i++)
		if (s->entry[i].shown.state == SUPPRESSION_UNUSED && !(s->entry[i].rules & rules))
			s->entry[i].shown.state = SUPPRESSION_OFF;
}

size_t suppressions_count(const struct suppressions *s)
{
	return s->count;
}

const struct suppression *suppressions_get(const struct suppressions *s, size_t index)
{
	return &s->entry[index].shown;
}
