/* SPDX-License-Identifier: MIT */
/*
 * suppression_blocks.c - Valgrind's dialect: blocks of a name, TOOL[,TOOL...]:KIND, an optional
 * line of extra information, and frames.
 */
#include "suppression_entry.h"

#include <ctype.h>
#include <string.h>

/* Kinds of Helgrind and DRD (their manuals) and the rules that say the same. */
struct valgrind_kind {
	const char *tool, *kind;
	const char *rules[8];
};

#define MUTEX_RULES                                                                             \
	{                                                                                       \
		"unlock-not-owned", "unlock-not-locked", "double-lock", "destroy-locked",       \
			"use-after-destroy", "lock-held-at-thread-exit", "lock-not-recoverable" \
	}

static const struct valgrind_kind kinds[] = {
	{ "Helgrind", "Race", { "data-race" } },
	{ "Helgrind", "FreeMemLock", { "destroy-locked" } },
	{ "Helgrind", "UnlockUnlocked", { "unlock-not-locked" } },
	{ "Helgrind", "UnlockForeign", { "unlock-not-owned" } },
	{ "Helgrind", "UnlockBogus", { "unlock-not-locked", "use-after-destroy" } },
	{ "Helgrind",
	  "PthAPIerror",
	  { "double-lock", "destroy-locked", "use-after-destroy", "double-join",
	    "lock-not-recoverable" } },
	{ "Helgrind", "LockOrder", { "lock-order-inversion", "deadlock" } },
	{ "Helgrind",
	  "Misc",
	  { "lock-held-at-thread-exit", "cond-wait-unlocked", "cond-wait-wrong-mutex",
	    "barrier-misuse", "destroy-locked", "leaked-thread" } },
	{ "Helgrind", "Dubious", { NULL } },
	{ "drd", "ConflictingAccess", { "data-race" } },
	{ "drd", "MutexErr", MUTEX_RULES },
	{ "drd", "CondErr", { "cond-wait-unlocked", "cond-wait-wrong-mutex" } },
	{ "drd", "CondRaceErr", { NULL } },
	{ "drd", "CondDestrErr", { "destroy-locked", "use-after-destroy" } },
	{ "drd", "SemaphoreErr", { "destroy-locked", "use-after-destroy" } },
	{ "drd", "BarrierErr", { "barrier-misuse", "destroy-locked" } },
	{ "drd", "RwlockErr", MUTEX_RULES },
	{ "drd", "HoldtimeErr", { "hold-time" } },
	{ "drd", "GenericErr", { NULL } },
};

struct reader {
	struct suppression_file *file;
	const char *next, *end;
	const char *start, *stop; /* the present line, trimmed */
	unsigned number;
};

/* Next line that is not empty and no comment; false at the end. */
static bool read_line(struct reader *r)
{
	while (r->next < r->end) {
		const char *newline = memchr(r->next, '\n', (size_t)(r->end - r->next));

		r->start = r->next;
		r->stop = newline ? newline : r->end;
		r->next = newline ? newline + 1 : r->end;
		r->number++;
		while (r->start < r->stop && isspace((unsigned char)*r->start))
			r->start++;
		while (r->stop > r->start && isspace((unsigned char)r->stop[-1]))
			r->stop--;
		if (r->start < r->stop && *r->start != '#')
			return true;
	}
	return false;
}

static bool line_is(const struct reader *r, const char *text)
{
	return strlen(text) == (size_t)(r->stop - r->start) &&
	       !memcmp(r->start, text, strlen(text));
}

static bool same_word(const char *word, const char *from, const char *end)
{
	return strlen(word) == (size_t)(end - from) && !strncasecmp(word, from, strlen(word));
}

static void add_rules(struct suppression_entry *entry, const struct valgrind_kind *kind)
{
	for (size_t i = 0; i < sizeof(kind->rules) / sizeof(kind->rules[0]) && kind->rules[i];
	     i++) {
		int rule = rule_find(kind->rules[i]);

		if (rule >= 0)
			entry->rules |= UINT64_C(1) << rule;
	}
}

/* TOOL[,TOOL...]:KIND; tools and kinds that are not about threads add nothing. */
static void parse_kind(struct suppression_entry *entry, const char *from, const char *colon,
		       const char *end)
{
	while (from < colon) {
		const char *comma = memchr(from, ',', (size_t)(colon - from));
		const char *stop = comma ? comma : colon;

		for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
			if (same_word(kinds[i].tool, from, stop) &&
			    same_word(kinds[i].kind, colon + 1, end))
				add_rules(entry, &kinds[i]);
		from = stop + 1;
	}
	if (!entry->rules)
		entry->shown.state = SUPPRESSION_FOREIGN;
}

/* True: the line was a frame. */
static bool parse_frame(const struct reader *r, struct suppression_entry *entry)
{
	static const struct {
		const char *prefix;
		enum pattern_kind kind;
	} forms[] = {
		{ "fun:", PATTERN_FUNCTION },
		{ "obj:", PATTERN_OBJECT },
		{ "src:", PATTERN_SOURCE },
	};

	if (line_is(r, "...")) {
		suppression_entry_add(entry, PATTERN_ANY_FRAMES, "", 0);
		return true;
	}
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		size_t bytes = strlen(forms[i].prefix);

		if ((size_t)(r->stop - r->start) <= bytes ||
		    memcmp(r->start, forms[i].prefix, bytes))
			continue;
		suppression_entry_add(entry, forms[i].kind, r->start + bytes,
				      (size_t)(r->stop - r->start) - bytes);
		return true;
	}
	return false;
}

static int cut_short(const struct reader *r, unsigned line, struct diag *diag)
{
	return diag_set(diag, THRUM_EINVAL, "%s:%u: this block has no closing brace", r->file->path,
			line);
}

static int parse_block(struct reader *r, struct diag *diag)
{
	unsigned line = r->number;
	struct suppression_entry *entry;
	const char *colon;
	bool extra_allowed = true;

	if (!read_line(r) || line_is(r, "}"))
		return cut_short(r, line, diag);
	entry = suppression_file_add(r->file, line, r->start, (size_t)(r->stop - r->start));
	entry->frames = true;
	if (!read_line(r))
		return cut_short(r, line, diag);
	colon = memchr(r->start, ':', (size_t)(r->stop - r->start));
	if (!colon)
		return diag_set(diag, THRUM_EINVAL, "%s:%u: TOOL:KIND is expected here",
				r->file->path, r->number);
	entry->shown.kind = strndup(r->start, (size_t)(r->stop - r->start));
	parse_kind(entry, r->start, colon, r->stop);
	while (read_line(r)) {
		if (line_is(r, "}"))
			return THRUM_OK;
		if (parse_frame(r, entry)) {
			extra_allowed = false;
			continue;
		}
		/* Memcheck's Param and Leak blocks have a line of their own before the frames. */
		if (!extra_allowed || entry->shown.state != SUPPRESSION_FOREIGN)
			return diag_set(diag, THRUM_EINVAL,
					"%s:%u: a frame is fun:NAME, obj:NAME, src:NAME or ...",
					r->file->path, r->number);
	}
	return cut_short(r, line, diag);
}

int suppression_parse_blocks(struct suppression_file *file, const char *text, size_t bytes,
			     struct diag *diag)
{
	struct reader r = { .file = file, .next = text, .end = text + bytes };
	int error = THRUM_OK;

	while (!error && read_line(&r)) {
		if (!line_is(&r, "{"))
			error = diag_set(diag, THRUM_EINVAL, "%s:%u: a block begins with {",
					 file->path, r.number);
		else
			error = parse_block(&r, diag);
	}
	return error;
}
