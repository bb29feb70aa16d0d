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

static void put_flags(json_t *object, const char *key, uint32_t flags)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < LOCKGRAPH_FLAGS; i++)
		if ((flags >> i & 1) && lockgraph_flag_word[i])
			json_array_append_new(array, json_string(lockgraph_flag_word[i]));
	json_put_array(object, key, array);
}

static void put_field(json_t *object, const struct lockgraph_field *f, const void *record)
{
	const void *at = (const char *)record + f->offset;

	switch (f->value) {
	case LOCKGRAPH_TEXT:
		json_put_text(object, f->key, *(const char *const *)at);
		break;
	case LOCKGRAPH_ID:
	case LOCKGRAPH_NEEDED_ID:
		put_id(object, f->key, *(const uint64_t *)at);
		break;
	case LOCKGRAPH_TRUE:
		if (*(const bool *)at)
			json_put(object, f->key, json_true());
		break;
	case LOCKGRAPH_COUNT:
		json_put_count(object, f->key, *(const uint64_t *)at);
		break;
	case LOCKGRAPH_KNOWN:
		json_put_known(object, f->key, *(const uint64_t *)at);
		break;
	case LOCKGRAPH_IDS:
	case LOCKGRAPH_RUN_IDS:
		put_set(object, f->key, at);
		break;
	case LOCKGRAPH_KIND:
		json_put_text(object, f->key, trace_object_kind_name(*(const uint32_t *)at));
		break;
	case LOCKGRAPH_IDENTITY:
		json_put_text(object, f->key,
			      lockgraph_identity_word[*(const enum lockgraph_identity *)at]);
		break;
	case LOCKGRAPH_FLAG_SET:
		put_flags(object, f->key, *(const uint32_t *)at);
		break;
	case LOCKGRAPH_FRAMES:
		json_put_array(object, f->key, json_frames(at));
		break;
	}
}

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
			for (const struct lockgraph_field *f = lockgraph_fields[table]; f->key; f++)
				put_field(object, f, r);
			written = write_line(object, out);
		}
	}
	if (!written || fflush(out))
		return diag_set(diag, THRUM_EIO, "cannot write the lock graph: %s",
				strerror(errno));
	return 0;
}
