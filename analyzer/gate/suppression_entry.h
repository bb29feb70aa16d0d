/* SPDX-License-Identifier: MIT */
/*
 * suppression_entry.h - an entry as the dialects' parsers make it and the matcher reads it. For
 * analyzer/gate/ only.
 */
#ifndef THRUM_ANALYZER_GATE_SUPPRESSION_ENTRY_H
#define THRUM_ANALYZER_GATE_SUPPRESSION_ENTRY_H

#include "suppressions.h"

enum pattern_kind {
	PATTERN_NAME,	    /* own: a whole function, module base name, file base name or symbol */
	PATTERN_PART,	    /* TSan: a part of a function, file or module, unless anchored */
	PATTERN_FUNCTION,   /* Valgrind fun: */
	PATTERN_OBJECT,	    /* Valgrind obj: */
	PATTERN_SOURCE,	    /* Valgrind src: */
	PATTERN_ANY_FRAMES, /* Valgrind ... */
};

struct pattern {
	enum pattern_kind kind;
	char *text; /* owned; glob with * and ? */
};

struct suppression_entry {
	struct suppression shown;
	uint64_t rules;	       /* bit per enum rule */
	bool frames;	       /* the patterns are frames in order; else all must match somewhere */
	bool first_frame_only; /* TSan race_top: the innermost frame */
	struct pattern *pattern; /* owned */
	size_t pattern_count;
};

/* A file under way. */
struct suppression_file {
	const char *path;
	const char *today;
	struct suppression_entry *entry; /* owned */
	size_t count, capacity;
};

struct suppression_entry *suppression_file_add(struct suppression_file *file, unsigned line,
					       const char *text, size_t bytes);
void suppression_entry_add(struct suppression_entry *entry, enum pattern_kind kind,
			   const char *text, size_t bytes);
void suppression_entry_release(struct suppression_entry *entry);

/* Own lines and TSan's, and Valgrind's blocks: each a whole file. */
int suppression_parse_lines(struct suppression_file *file, const char *text, size_t bytes,
			    struct diag *diag);
int suppression_parse_blocks(struct suppression_file *file, const char *text, size_t bytes,
			     struct diag *diag);

/*
 * Bare names of functions, by the address of the text: many entries ask for the same few. Zeroed = empty. Findings that it has seen must
 * live until it is released.
 */
#define SUPPRESSION_NAMES 1024u
struct suppression_names {
	const char *function[SUPPRESSION_NAMES];
	char *bare[SUPPRESSION_NAMES]; /* owned */
};
void suppression_names_release(struct suppression_names *names);

bool suppression_matches(const struct suppression_entry *entry, const struct finding *f,
			 struct suppression_names *names);

/* Glob with * and ? over the whole of `text`. */
bool suppression_glob(const char *pattern, const char *text);

#endif
