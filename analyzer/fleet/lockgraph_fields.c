/* SPDX-License-Identifier: MIT */
/*
 * lockgraph_fields.c - which keys the records of a lockgraph file have, in their order: the reader and the writer go by these tables.
 */
#include "lockgraph_json.h"

#include <stddef.h>

const char *const lockgraph_flag_word[LOCKGRAPH_FLAGS] = {
	"held_shared", "want_shared", "bounded", "uncertain", NULL, "reacquire", "once",
};
const char *const lockgraph_identity_word[LOCKGRAPH_IDENTITIES] = { "static", "named", "site" };
const char *const lockgraph_table_word[LOCKGRAPH_TABLES] = { "program", "role", "lock", "edge",
							     "stack" };

#define FIELD(record, key, value, member)                                           \
	{                                                                           \
		key, LOCKGRAPH_##value, offsetof(struct lockgraph_##record, member) \
	}
#define NO_MORE                         \
	{                               \
		NULL, LOCKGRAPH_TEXT, 0 \
	}

static const struct lockgraph_field of_program[] = {
	FIELD(program, "command", TEXT, command),
	FIELD(program, "build_id", TEXT, build_id),
	NO_MORE,
};

static const struct lockgraph_field of_role[] = {
	FIELD(role, "of", NEEDED_ID, program),
	FIELD(role, "main", TRUE, is_main),
	FIELD(role, "start", TEXT, start),
	FIELD(role, "created", ID, created),
	FIELD(role, "most", COUNT, most),
	FIELD(role, "barriers", IDS, barriers),
	NO_MORE,
};

static const struct lockgraph_field of_lock[] = {
	FIELD(lock, "of", NEEDED_ID, program),	   FIELD(lock, "identity", IDENTITY, identity),
	FIELD(lock, "kind", KIND, kind),	   FIELD(lock, "name", TEXT, name),
	FIELD(lock, "word", TEXT, word),	   FIELD(lock, "many", TRUE, many),
	FIELD(lock, "signal", TRUE, is_signal),	   FIELD(lock, "room", KNOWN, room),
	FIELD(lock, "first_seen", ID, first_seen), NO_MORE,
};

static const struct lockgraph_field of_edge[] = {
	FIELD(edge, "of", NEEDED_ID, program),
	FIELD(edge, "from", NEEDED_ID, from),
	FIELD(edge, "to", NEEDED_ID, to),
	FIELD(edge, "by", NEEDED_ID, role),
	FIELD(edge, "flags", FLAG_SET, flags),
	FIELD(edge, "gates", IDS, gates),
	FIELD(edge, "shared", IDS, shared),
	FIELD(edge, "with", IDS, with),
	FIELD(edge, "after_always", IDS, after_always),
	FIELD(edge, "after_ever", IDS, after_ever),
	FIELD(edge, "rounds_least", KNOWN, rounds_least),
	FIELD(edge, "rounds_most", KNOWN, rounds_most),
	FIELD(edge, "runs", RUN_IDS, runs),
	FIELD(edge, "witness", NEEDED_ID, witness),
	FIELD(edge, "hold", ID, hold),
	FIELD(edge, "request", ID, request),
	NO_MORE,
};

static const struct lockgraph_field of_stack[] = {
	FIELD(stack, "frames", FRAMES, frames),
	NO_MORE,
};

const struct lockgraph_field *const lockgraph_fields[LOCKGRAPH_TABLES] = {
	[LOCKGRAPH_PROGRAMS] = of_program, [LOCKGRAPH_ROLES] = of_role,
	[LOCKGRAPH_LOCKS] = of_lock,	   [LOCKGRAPH_EDGES] = of_edge,
	[LOCKGRAPH_STACKS] = of_stack,
};
