/* SPDX-License-Identifier: MIT */
/*
 * baseline.c - see baseline.h.
 */
#include "baseline.h"

#include "../report/json_put.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FILE_BYTES (256u << 20)

static void *must(void *memory)
{
	if (!memory)
		abort(); /* hosted code */
	return memory;
}

static void baseline_entry_release(struct baseline_entry *entry)
{
	free(entry->rule);
	free(entry->fingerprint);
	free(entry->place);
	free(entry->title);
}

void baseline_release(struct baseline *b)
{
	for (size_t i = 0; i < b->count; i++)
		baseline_entry_release(&b->entry[i]);
	free(b->entry);
	*b = (struct baseline){ 0 };
}

/* ---- reading ---- */

static int compare_entries(const void *left, const void *right)
{
	const struct baseline_entry *a = left, *b = right;
	int order = strcmp(a->rule, b->rule);

	return order ? order : strcmp(a->fingerprint, b->fingerprint);
}

static char *copy_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? must(strdup(text)) : NULL;
}

static void append(struct baseline *b, const struct baseline_entry *entry)
{
	if (b->count == b->capacity) {
		b->capacity = b->capacity ? 2 * b->capacity : 16;
		b->entry = must(reallocarray(b->entry, b->capacity, sizeof(*b->entry)));
	}
	b->entry[b->count++] = *entry;
}

static bool take_entry(struct baseline *b, const json_t *value)
{
	struct baseline_entry entry;

	if (json_is_string(json_object_get(value, "suppressed_by")))
		return true;
	entry = (struct baseline_entry){ .rule = copy_text(value, "rule"),
					 .fingerprint = copy_text(value, "fingerprint"),
					 .place = copy_text(value, "place"),
					 .title = copy_text(value, "title") };

	append(b, &entry); /* released with the rest, also when it is no good */
	return entry.rule && entry.fingerprint;
}

/* Each once: files are joined by hand and by git, and a second copy would never be matched. */
static void sort_entries(struct baseline *b)
{
	size_t kept = 0;

	if (b->count)
		qsort(b->entry, b->count, sizeof(*b->entry), compare_entries);
	for (size_t i = 0; i < b->count; i++) {
		if (kept && !compare_entries(&b->entry[kept - 1], &b->entry[i]))
			baseline_entry_release(&b->entry[i]);
		else
			b->entry[kept++] = b->entry[i];
	}
	b->count = kept;
}

void baseline_keep_rules(struct baseline *b, const bool on[RULE_COUNT])
{
	size_t kept = 0;

	for (size_t i = 0; i < b->count; i++) {
		int rule = rule_find(b->entry[i].rule);

		if (rule >= 0 && !on[rule])
			baseline_entry_release(&b->entry[i]);
		else
			b->entry[kept++] = b->entry[i];
	}
	b->count = kept;
}

void baseline_take(const struct finding_list *list, struct baseline *ret_baseline)
{
	struct baseline *b = ret_baseline;

	*b = (struct baseline){ 0 };
	for (size_t i = 0; i < finding_list_count(list); i++) {
		const struct finding *f = finding_list_get(list, i);
		struct baseline_entry entry = { .rule = must(strdup(rule_id(f->rule))),
						.fingerprint = must(strdup(f->fingerprint)),
						.place = must(strdup(f->place)),
						.title = must(strdup(f->title)) };

		if (f->suppressed_by)
			baseline_entry_release(&entry);
		else
			append(b, &entry);
	}
	sort_entries(b);
}

int baseline_parse(const char *path, const char *text, size_t bytes, struct baseline *ret_baseline,
		   struct diag *diag)
{
	json_error_t where;
	json_t *root = json_loadb(text, bytes, 0, &where);
	const json_t *findings = json_object_get(root, "findings");
	const char *schema = json_string_value(json_object_get(root, "schema"));
	bool good = schema &&
		    (!strcmp(schema, "thrum-baseline/1") || !strcmp(schema, "thrum-findings/1"));
	struct baseline b = { 0 };
	int error = THRUM_OK;

	good = good && json_is_array(findings);
	b.is_report = good && !strcmp(schema, "thrum-findings/1");
	for (size_t i = 0; good && i < json_array_size(findings); i++)
		good = take_entry(&b, json_array_get(findings, i));
	if (!root)
		error = diag_set(diag, THRUM_EINVAL, "%s:%d: %s", path, where.line, where.text);
	else if (!good)
		error = diag_set(diag, THRUM_EINVAL,
				 "%s is neither a baseline (`thrum baseline`) nor a report "
				 "(--report json=FILE)",
				 path);
	json_decref(root);
	if (error) {
		baseline_release(&b);
		return error;
	}
	sort_entries(&b);
	*ret_baseline = b;
	return THRUM_OK;
}

int baseline_load(const char *path, struct baseline *ret_baseline, struct diag *diag)
{
	FILE *in = fopen(path, "re");
	char *text = NULL;
	size_t bytes = 0, room = 0, got;
	int error;

	if (!in)
		return diag_set(diag, THRUM_EIO, "cannot read the baseline %s: %s", path,
				strerror(errno));
	do {
		if (room - bytes < 65536)
			text = must(realloc(text, room = 2 * room + 131072));
		got = fread(text + bytes, 1, room - bytes, in);
		bytes += got;
	} while (got && bytes <= MAX_FILE_BYTES);
	if (ferror(in))
		error = diag_set(diag, THRUM_EIO, "cannot read the baseline %s: %s", path,
				 strerror(errno));
	else if (bytes > MAX_FILE_BYTES)
		error = diag_set(diag, THRUM_EINVAL, "%s is too large for a baseline", path);
	else
		error = baseline_parse(path, text, bytes, ret_baseline, diag);
	fclose(in);
	free(text);
	return error;
}

/* ---- use ---- */

static struct baseline_entry *find_entry(const struct baseline *b, const struct finding *f)
{
	struct baseline_entry key = { .rule = (char *)rule_id(f->rule),
				      .fingerprint = (char *)f->fingerprint };

	return b->count ? bsearch(&key, b->entry, b->count, sizeof(key), compare_entries) : NULL;
}

/* An entry at the same place that no finding of today is; linear, and rare. */
static struct baseline_entry *find_moved(const struct baseline *b, const struct finding *f)
{
	for (size_t i = 0; i < b->count; i++)
		if (!b->entry[i].matched && b->entry[i].place &&
		    !strcmp(b->entry[i].place, f->place) &&
		    !strcmp(b->entry[i].rule, rule_id(f->rule)))
			return &b->entry[i];
	return NULL;
}

static int compare_findings(const void *left, const void *right)
{
	const struct finding *a = *(struct finding *const *)left;
	const struct finding *b = *(struct finding *const *)right;
	int order = strcmp(rule_id(a->rule), rule_id(b->rule));

	return order ? order : strcmp(a->fingerprint, b->fingerprint);
}

void baseline_apply(struct baseline *b, struct finding_list *list)
{
	size_t count = finding_list_count(list);
	struct finding **sorted = must(calloc(count + 1, sizeof(struct finding *)));

	for (size_t i = 0; i < count; i++) {
		struct finding *f = finding_list_get(list, i);
		struct baseline_entry *entry = find_entry(b, f);

		f->baseline = entry ? BASELINE_UNCHANGED : BASELINE_NEW;
		if (entry)
			entry->matched = true;
		sorted[i] = f;
	}
	/* Where two of today could be the one that moved: the same one, however the inputs were ordered. */
	qsort(sorted, count, sizeof(*sorted), compare_findings);
	for (size_t i = 0; i < count; i++) {
		struct finding *f = sorted[i];
		struct baseline_entry *entry =
			f->baseline == BASELINE_NEW && !f->suppressed_by ? find_moved(b, f) : NULL;

		if (!entry)
			continue;
		entry->matched = true;
		f->baseline = BASELINE_UPDATED;
	}
	free(sorted);
}

/* ---- writing ---- */

static void write_entry(const struct finding *f, bool last, FILE *out)
{
	json_t *value = json_object();

	json_put_text(value, "rule", rule_id(f->rule));
	json_put_text(value, "fingerprint", f->fingerprint);
	json_put_text(value, "place", f->place);
	json_put_text(value, "title", f->title);
	fputs("  ", out);
	json_dumpf(value, out, JSON_COMPACT);
	fputs(last ? "\n" : ",\n", out);
	json_decref(value);
}

int baseline_write(const struct finding_list *list, FILE *out, struct diag *diag)
{
	size_t count = finding_list_count(list), kept = 0;
	struct finding **sorted = must(calloc(count + 1, sizeof(struct finding *)));

	for (size_t i = 0; i < count; i++) {
		struct finding *f = finding_list_get(list, i);

		if (!f->suppressed_by)
			sorted[kept++] = f;
	}
	qsort(sorted, kept, sizeof(struct finding *), compare_findings);
	fputs("{\"schema\": \"thrum-baseline/1\", \"findings\": [\n", out);
	for (size_t i = 0; i < kept; i++)
		write_entry(sorted[i], i + 1 == kept, out);
	fputs("]}\n", out);
	free(sorted);
	if (!fflush(out) && !ferror(out))
		return THRUM_OK;
	return diag_set(diag, THRUM_EIO, "cannot write the baseline: %s", strerror(errno));
}
