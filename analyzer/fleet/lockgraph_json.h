/* SPDX-License-Identifier: MIT */
/*
 * lockgraph_json.h - the words of a lockgraph file, which reader and writer share. docs/fleet.md has the form.
 */
#ifndef THRUM_ANALYZER_FLEET_LOCKGRAPH_JSON_H
#define THRUM_ANALYZER_FLEET_LOCKGRAPH_JSON_H

#include "lockgraph.h"

/* enum lock_context_flag, by bit; NULL = never in a file. */
#define LOCKGRAPH_FLAGS 7u
extern const char *const lockgraph_flag_word[LOCKGRAPH_FLAGS];
extern const char *const lockgraph_identity_word[LOCKGRAPH_IDENTITIES];
/* The key that says what a record is; no record has another table's. */
extern const char *const lockgraph_table_word[LOCKGRAPH_TABLES];

#endif
