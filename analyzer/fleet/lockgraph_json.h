/* SPDX-License-Identifier: MIT */
/*
 * lockgraph_json.h - the words of a lockgraph file, which reader and writer share. docs/fleet.md has the form.
 */
#ifndef THRUM_ANALYZER_FLEET_LOCKGRAPH_JSON_H
#define THRUM_ANALYZER_FLEET_LOCKGRAPH_JSON_H

#include "lockgraph.h"

/* What a value is, in the file and in the record. */
enum lockgraph_value {
	LOCKGRAPH_TEXT, /* const char *; NULL = left out, as is what is 0, false or empty below */
	LOCKGRAPH_ID,	/* uint64_t */
	LOCKGRAPH_NEEDED_ID, /* the same, never 0 */
	LOCKGRAPH_TRUE,	     /* bool */
	LOCKGRAPH_COUNT,     /* uint64_t, written even where it is 0 */
	LOCKGRAPH_KNOWN,     /* uint64_t */
	LOCKGRAPH_IDS,	     /* struct lockgraph_set */
	LOCKGRAPH_RUN_IDS,   /* the same, cut at LOCKGRAPH_RUNS_KEPT */
	LOCKGRAPH_KIND,	     /* enum trace_object_kind, a word */
	LOCKGRAPH_IDENTITY,  /* enum lockgraph_identity, a word */
	LOCKGRAPH_FLAG_SET,  /* enum lock_context_flag, words */
	LOCKGRAPH_FRAMES,    /* struct frames, never empty */
};

/* A key of a record; the record's own id is none of them. */
struct lockgraph_field {
	const char *key; /* NULL = behind the last one */
	enum lockgraph_value value;
	size_t offset; /* in the record */
};
extern const struct lockgraph_field *const lockgraph_fields[LOCKGRAPH_TABLES];

/* enum lock_context_flag, by bit; NULL = never in a file. */
#define LOCKGRAPH_FLAGS 7u
extern const char *const lockgraph_flag_word[LOCKGRAPH_FLAGS];
extern const char *const lockgraph_identity_word[LOCKGRAPH_IDENTITIES];
/* The key that says what a record is; no record has another table's. */
extern const char *const lockgraph_table_word[LOCKGRAPH_TABLES];

#endif
