/* SPDX-License-Identifier: MIT */
/*
 * suppression_lines.c - the two dialects of one entry a line: ours and ThreadSanitizer's.
 */
#include "suppression_entry.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define BIT(rule) (UINT64_C(1) << RULE_##rule)
#define ALL_RULES ((UINT64_C(1) << RULE_COUNT) - 1)

_Static_assert(RULE_COUNT < 64, "a bit per rule");

/*
 * ThreadSanitizer's types. `deadlock` is a rule of ours too: there it is TSan's word for a lock-order
 * inversion, so in a file that has types only TSan knows it covers both.
 */
struct tsan_type {
	const char *name;
	const char *rules[8]; /* ids; those that do not exist yet are passed over */
	bool top_only;
};

static const struct tsan_type tsan_types[] = {
	{ "race", { "data-race" }, false },
	{ "race_top", { "data-race" }, true },
	{ "mutex",
	  { "unlock-not-owned", "unlock-not-locked", "double-lock", "destroy-locked",
	    "use-after-destroy", "lock-held-at-thread-exit" },
	  false },
	{ "thread", { "leaked-thread" }, false },
	{ "signal", { "signal-handler-lock" }, false },
	{ "called_from_lib", { NULL }, false },
	{ "deadlock", { "deadlock", "lock-order-inversion", "self-deadlock" }, false },
};

struct line {
	const char *start, *end; /* without blanks at both ends */
	unsigned number;
};

/* Next line that is not empty and no comment. */
static bool next_line(const char **text, const char *end, struct line *line)
{
	while (*text < end) {
		const char *newline = memchr(*text, '\n', (size_t)(end - *text));

		line->start = *text;
		line->end = newline ? newline : end;
		line->number++;
		*text = newline ? newline + 1 : end;
		while (line->start < line->end && isspace((unsigned char)*line->start))
			line->start++;
		while (line->end > line->start && isspace((unsigned char)line->end[-1]))
			line->end--;
		if (line->start < line->end && *line->start != '#')
			return true;
	}
	return false;
}

static const struct tsan_type *find_tsan_type(const char *name, size_t bytes)
{
	for (size_t i = 0; i < sizeof(tsan_types) / sizeof(tsan_types[0]); i++)
		if (strlen(tsan_types[i].name) == bytes && !memcmp(tsan_types[i].name, name, bytes))
			return &tsan_types[i];
	return NULL;
}

static int find_rule(const char *name, size_t bytes)
{
	char id[64];

	if (bytes >= sizeof(id))
		return -1;
	memcpy(id, name, bytes);
	id[bytes] = '\0';
	return rule_find(id);
}

static size_t type_bytes(const struct line *line)
{
	const char *colon = memchr(line->start, ':', (size_t)(line->end - line->start));

	return colon ? (size_t)(colon - line->start) : 0;
}

/* A type that only TSan has makes the file TSan's; a rule that only we have makes it ours. */
static bool is_tsan_file(const char *text, const char *end)
{
	struct line line = { 0 };
	bool tsan = false;

	while (next_line(&text, end, &line)) {
		size_t bytes = type_bytes(&line);
		bool ours = find_rule(line.start, bytes) >= 0;

		if (find_tsan_type(line.start, bytes) && !ours)
			tsan = true;
		else if (ours && !find_tsan_type(line.start, bytes))
			return false;
	}
	return tsan;
}

/* ---- TSan ---- */

static uint64_t tsan_rules(const struct tsan_type *type)
{
	uint64_t rules = 0;

	for (size_t i = 0; i < sizeof(type->rules) / sizeof(type->rules[0]) && type->rules[i];
	     i++) {
		int rule = rule_find(type->rules[i]);

		if (rule >= 0)
			rules |= UINT64_C(1) << rule;
	}
	return rules;
}

static int parse_tsan(struct suppression_file *file, const struct line *line, struct diag *diag)
{
	size_t bytes = type_bytes(line);
	const struct tsan_type *type = find_tsan_type(line->start, bytes);
	struct suppression_entry *entry;

	if (!type)
		return diag_set(diag, THRUM_EINVAL,
				"%s:%u: \"%.*s\" is no type of a ThreadSanitizer suppression",
				file->path, line->number, (int)bytes, line->start);
	entry = suppression_file_add(file, line->number, line->start,
				     (size_t)(line->end - line->start));
	entry->shown.kind = strdup(type->name);
	entry->rules = tsan_rules(type);
	entry->first_frame_only = type->top_only;
	if (!entry->rules)
		entry->shown.state = SUPPRESSION_FOREIGN;
	suppression_entry_add(entry, PATTERN_PART, line->start + bytes + 1,
			      (size_t)(line->end - line->start) - bytes - 1);
	return THRUM_OK;
}

/* ---- ours ---- */

static bool is_date(const char *text, size_t bytes)
{
	static const char shape[] = "dddd-dd-dd";
	static const int days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int year, month, day;

	if (bytes != sizeof(shape) - 1)
		return false;
	for (size_t i = 0; i < bytes; i++)
		if (shape[i] == 'd' ? !isdigit((unsigned char)text[i]) : text[i] != '-')
			return false;
	year = atoi(text); /* each ends at a hyphen, or with the date */
	month = atoi(text + 5);
	day = 10 * (text[8] - '0') + text[9] - '0';
	if (month < 1 || month > 12 || day < 1 || day > days[month - 1])
		return false;
	return month != 2 || day < 29 || (!(year % 4) && (year % 100 || !(year % 400)));
}

/*
 * "expires=", or a date behind the word with a colon or blanks between, in any case: an entry that never expires
 * because of a blank would be the rot that the date is for. `ret_date` is what follows. NULL = none.
 */
static const char *find_expires(const char *text, const char *end, const char **ret_date)
{
	static const char key[] = "expires";
	const size_t bytes = sizeof(key) - 1;

	for (const char *p = text; (size_t)(end - p) > bytes; p++) {
		const char *next = p + bytes;
		bool equals = false;

		if (strncasecmp(p, key, bytes) || (p > text && isalnum((unsigned char)p[-1])))
			continue;
		for (; next < end && (isblank((unsigned char)*next) || strchr("=:", *next)); next++)
			equals |= *next == '=';
		*ret_date = next;
		if (equals || (next > p + bytes && end - next > 4 && next[4] == '-' &&
			       isdigit((unsigned char)*next)))
			return p;
	}
	return NULL;
}

/* "# REASON, expires=DATE": either may be missing. */
static int parse_remark(struct suppression_file *file, struct suppression_entry *entry,
			const struct line *line, const char *remark, struct diag *diag)
{
	const char *date, *expires = find_expires(remark, line->end, &date);
	const char *stop = expires ? expires : line->end;

	if (expires) {
		size_t bytes = 0;

		while (date + bytes < line->end && !isspace((unsigned char)date[bytes]) &&
		       date[bytes] != ',')
			bytes++;
		/* The line as a report prints it, pasted without a date. */
		if (bytes == 10 && !memcmp(date, "YYYY-MM-DD", 10))
			bytes = 0;
		else if (!is_date(date, bytes))
			return diag_set(diag, THRUM_EINVAL,
					"%s:%u: expires= needs a date like 2027-01-31", file->path,
					line->number);
		if (bytes) {
			entry->shown.expires = strndup(date, bytes);
			if (entry->shown.expires && strcmp(entry->shown.expires, file->today) <= 0)
				entry->shown.state = SUPPRESSION_EXPIRED;
		}
	}
	while (remark < stop && isspace((unsigned char)*remark))
		remark++;
	while (stop > remark && (isspace((unsigned char)stop[-1]) || stop[-1] == ','))
		stop--;
	if (stop > remark)
		entry->shown.reason = strndup(remark, (size_t)(stop - remark));
	return THRUM_OK;
}

static void add_patterns(struct suppression_entry *entry, const char *from, const char *end)
{
	while (from <= end) {
		const char *semicolon = memchr(from, ';', (size_t)(end - from));
		const char *stop = semicolon ? semicolon : end;
		const char *first = from, *last = stop;

		while (first < last && isspace((unsigned char)*first))
			first++;
		while (last > first && isspace((unsigned char)last[-1]))
			last--;
		if (last > first)
			suppression_entry_add(entry, PATTERN_NAME, first, (size_t)(last - first));
		from = stop + 1;
	}
}

static int parse_own(struct suppression_file *file, const struct line *line, struct diag *diag)
{
	size_t bytes = type_bytes(line);
	int rule = find_rule(line->start, bytes);
	const char *hash = memchr(line->start, '#', (size_t)(line->end - line->start));
	struct suppression_entry *entry;

	if (!bytes)
		return diag_set(diag, THRUM_EINVAL,
				"%s:%u: an entry is RULE:PATTERN  # reason, expires=YYYY-MM-DD",
				file->path, line->number);
	if (rule < 0 && !(bytes == 1 && *line->start == '*'))
		return diag_set(diag, THRUM_EINVAL,
				"%s:%u: there is no rule \"%.*s\"; `thrum help rules` lists them",
				file->path, line->number, (int)bytes, line->start);
	entry = suppression_file_add(file, line->number, line->start,
				     (size_t)(line->end - line->start));
	entry->rules = rule < 0 ? ALL_RULES : UINT64_C(1) << rule;
	add_patterns(entry, line->start + bytes + 1, hash ? hash : line->end);
	if (!entry->pattern_count)
		return diag_set(diag, THRUM_EINVAL,
				"%s:%u: a pattern must follow the colon; * stands for any",
				file->path, line->number);
	return hash ? parse_remark(file, entry, line, hash + 1, diag) : THRUM_OK;
}

int suppression_parse_lines(struct suppression_file *file, const char *text, size_t bytes,
			    struct diag *diag)
{
	const char *end = text + bytes;
	bool tsan = is_tsan_file(text, end);
	struct line line = { 0 };
	int error = THRUM_OK;

	while (!error && next_line(&text, end, &line))
		error = tsan ? parse_tsan(file, &line, diag) : parse_own(file, &line, diag);
	return error;
}
