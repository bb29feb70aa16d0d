/* SPDX-License-Identifier: MIT */
/*
 * lockgraph_write.c - a lockgraph as lines of JSON: the schema with the runs, then the records, each table ascending by id.
 *
 * Nothing depends on the order of merging: equal lockgraphs are equal files.
 */
#include "lockgraph_json.h"

#include "../../trace/trace_reader.h"
#include "../report/json_put.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const char *const lockgraph_flag_word[LOCKGRAPH_FLAGS] = {
	"held_shared", "want_shared", "bounded", "uncertain", NULL, "reacquire", "once",
};
const char *const lockgraph_identity_word[LOCKGRAPH_IDENTITIES] = { "static", "named", "site" };
const char *const lockgraph_table_word[LOCKGRAPH_TABLES] = { "program", "role", "lock", "edge",
							     "stack" };

static json_t *id_text(uint64_t id)
{
	char text[24];

	snprintf(text, sizeof(text), "%016" PRIx64, id);
	return json_string(text);
}

static void put_id(json_t *object, const char *key, uint64_t id)
{
	if (id)
		json_put(object, key, id_text(id));
}

static void put_set(json_t *object, const char *key, const struct lockgraph_set *set)
{
	json_t *array = json_array();

	for (size_t i = 0; i < set->count; i++)
		json_array_append_new(array, id_text(set->id[i]));
	json_put_array(object, key, array);
}

static void put_true(json_t *object, const char *key, bool value)
{
	if (value)
		json_put(object, key, json_true());
}

static void put_program(json_t *object, const void *record)
{
	const struct lockgraph_program *p = record;

	json_put_text(object, "command", p->command);
	json_put_text(object, "build_id", p->build_id);
}

static void put_role(json_t *object, const void *record)
{
	const struct lockgraph_role *r = record;

	put_id(object, "of", r->program);
	put_true(object, "main", r->is_main);
	json_put_text(object, "start", r->start);
	put_id(object, "created", r->created);
	json_put_count(object, "most", r->most);
	put_set(object, "barriers", &r->barriers);
}

static void put_lock(json_t *object, const void *record)
{
	const struct lockgraph_lock *l = record;

	put_id(object, "of", l->program);
	json_put_text(object, "identity", lockgraph_identity_word[l->identity]);
	json_put_text(object, "kind", trace_object_kind_name(l->kind));
	json_put_text(object, "name", l->name);
	json_put_text(object, "word", l->word);
	put_true(object, "many", l->many);
	put_true(object, "signal", l->is_signal);
	json_put_known(object, "room", l->room);
	put_id(object, "first_seen", l->first_seen);
}

static void put_edge(json_t *object, const void *record)
{
	const struct lockgraph_edge *e = record;
	json_t *flags = json_array();

	put_id(object, "of", e->program);
	put_id(object, "from", e->from);
	put_id(object, "to", e->to);
	put_id(object, "by", e->role);
	for (unsigned i = 0; i < LOCKGRAPH_FLAGS; i++)
		if ((e->flags >> i & 1) && lockgraph_flag_word[i])
			json_array_append_new(flags, json_string(lockgraph_flag_word[i]));
	json_put_array(object, "flags", flags);
	put_set(object, "gates", &e->gates);
	put_set(object, "shared", &e->shared);
	put_set(object, "with", &e->with);
	put_set(object, "after_always", &e->after_always);
	put_set(object, "after_ever", &e->after_ever);
	json_put_known(object, "rounds_least", e->rounds_least);
	json_put_known(object, "rounds_most", e->rounds_most);
	put_set(object, "runs", &e->runs);
	put_id(object, "witness", e->witness);
	put_id(object, "hold", e->hold);
	put_id(object, "request", e->request);
}

static void put_stack(json_t *object, const void *record)
{
	const struct lockgraph_stack *s = record;
	json_t *array = json_array();

	for (size_t i = 0; i < s->frames.count; i++) {
		const struct frame *frame = &s->frames.frame[i];
		json_t *value = json_object();

		json_put_text(value, "function", frame->function);
		json_put_text(value, "file", frame->file);
		json_put_known(value, "line", frame->line > 0 ? (uint64_t)frame->line : 0);
		json_put_text(value, "module", frame->module);
		json_put_address(value, "offset", frame->offset);
		json_put_text(value, "build_id", frame->build_id);
		put_true(value, "inlined", frame->inlined);
		json_put_text(value, "language", frame->language);
		json_array_append_new(array, value);
	}
	json_put_array(object, "frames", array);
}

static void (*const puts_of[LOCKGRAPH_TABLES])(json_t *object, const void *record) = {
	[LOCKGRAPH_PROGRAMS] = put_program, [LOCKGRAPH_ROLES] = put_role,
	[LOCKGRAPH_LOCKS] = put_lock,	    [LOCKGRAPH_EDGES] = put_edge,
	[LOCKGRAPH_STACKS] = put_stack,
};

/* Takes the object. */
static bool write_line(json_t *object, FILE *out)
{
	bool written = object && !json_dumpf(object, out, JSON_COMPACT | JSON_ENSURE_ASCII) &&
		       fputc('\n', out) != EOF;

	json_decref(object);
	return written;
}

int lockgraph_write(struct lockgraph *g, FILE *out, struct diag *diag)
{
	json_t *head = json_object();
	bool written;

	json_put_text(head, "schema", LOCKGRAPH_SCHEMA);
	put_set(head, "runs", lockgraph_get_runs(g));
	written = write_line(head, out);
	for (int table = 0; table < LOCKGRAPH_TABLES && written; table++) {
		size_t count;
		const void *const *record = lockgraph_list(g, (enum lockgraph_table)table, &count);

		for (size_t i = 0; i < count && written; i++) {
			const struct lockgraph_record *r = record[i];
			json_t *object = json_object();

			put_id(object, lockgraph_table_word[table], r->id);
			puts_of[table](object, r);
			written = write_line(object, out);
		}
	}
	if (!written || fflush(out))
		return diag_set(diag, THRUM_EIO, "cannot write the lock graph: %s",
				strerror(errno));
	return 0;
}
