/* SPDX-License-Identifier: MIT */
/*
 * lockgraph_read.c - lines of JSON to a lockgraph. A file is hostile input: what does not fit is an error that names the line.
 */
#include "lockgraph_json.h"

#include "../../trace/trace_reader.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define KINDS 64u	     /* enum trace_object_kind is far below */
#define MAX_FRAMES 4096u     /* of a stack with all inlined calls */
#define MAX_ROUNDS INT64_MAX /* as JSON numbers are */

/* A line under way. The first thing wrong is kept. */
struct reading {
	struct lockgraph *g;
	const json_t *line;
	const char *wrong; /* NULL = fine so far */
};

static void wrong(struct reading *r, const char *what)
{
	if (!r->wrong)
		r->wrong = what;
}

/* ---- values ---- */

/* 16 hex digits, as the writer makes them; 0 = none such. */
static uint64_t parse_id(const json_t *value)
{
	const char *text = json_string_value(value);

	if (!text || strlen(text) != 16 || strspn(text, "0123456789abcdef") != 16)
		return 0;
	return strtoull(text, NULL, 16);
}

/* 0 where the key is missing. */
static uint64_t id_of(struct reading *r, const char *key)
{
	const json_t *value = json_object_get(r->line, key);
	uint64_t id = parse_id(value);

	if (value && !id)
		wrong(r, key);
	return id;
}

static uint64_t needed_id(struct reading *r, const char *key)
{
	uint64_t id = id_of(r, key);

	if (!id)
		wrong(r, key);
	return id;
}

static uint64_t count_of(struct reading *r, const char *key)
{
	const json_t *value = json_object_get(r->line, key);

	if (value && (!json_is_integer(value) || json_integer_value(value) < 0))
		wrong(r, key);
	return (uint64_t)json_integer_value(value);
}

static bool flag_of(struct reading *r, const char *key)
{
	const json_t *value = json_object_get(r->line, key);

	if (value && !json_is_boolean(value))
		wrong(r, key);
	return json_is_true(value);
}

static const char *text_in(struct reading *r, const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (value && !json_is_string(value))
		wrong(r, key);
	return lockgraph_text(r->g, json_string_value(value));
}

static const char *text_of(struct reading *r, const char *key)
{
	return text_in(r, r->line, key);
}

static int compare_ids(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

static struct lockgraph_set set_of(struct reading *r, const char *key, size_t most)
{
	const json_t *array = json_object_get(r->line, key);
	size_t count = json_array_size(array), kept = 0;
	struct lockgraph_set set = { 0 };

	if (array && !json_is_array(array))
		wrong(r, key);
	if (!count)
		return set;
	set.id = finding_list_alloc(lockgraph_memory(r->g), count * sizeof(*set.id));
	for (size_t i = 0; i < count; i++) {
		set.id[i] = parse_id(json_array_get(array, i));
		if (!set.id[i])
			wrong(r, key);
	}
	qsort(set.id, count, sizeof(*set.id), compare_ids);
	for (size_t i = 0; i < count; i++)
		if (!kept || set.id[kept - 1] != set.id[i])
			set.id[kept++] = set.id[i];
	set.count = most && kept > most ? most : kept;
	return set;
}

static uint32_t kind_of(struct reading *r, const char *key)
{
	const char *text = text_of(r, key);

	for (uint32_t kind = 1; text && kind < KINDS; kind++)
		if (!strcmp(text, trace_object_kind_name(kind)))
			return kind;
	wrong(r, key);
	return 0;
}

static enum lockgraph_identity identity_of(struct reading *r, const char *key)
{
	const char *text = text_of(r, key);

	for (int i = 0; text && i < LOCKGRAPH_IDENTITIES; i++)
		if (!strcmp(text, lockgraph_identity_word[i]))
			return (enum lockgraph_identity)i;
	wrong(r, key);
	return LOCKGRAPH_SITE;
}

static uint32_t flags_of(struct reading *r, const char *key)
{
	const json_t *array = json_object_get(r->line, key);
	uint32_t flags = 0;

	if (array && !json_is_array(array))
		wrong(r, key);
	for (size_t i = 0; i < json_array_size(array); i++) {
		const char *text = json_string_value(json_array_get(array, i));
		unsigned bit = 0;

		while (bit < LOCKGRAPH_FLAGS && !(text && lockgraph_flag_word[bit] &&
						  !strcmp(text, lockgraph_flag_word[bit])))
			bit++;
		if (bit == LOCKGRAPH_FLAGS)
			wrong(r, key);
		else
			flags |= 1u << bit;
	}
	return flags;
}

static struct frame frame_of(struct reading *r, const json_t *value)
{
	json_int_t line = json_integer_value(json_object_get(value, "line"));
	const char *offset = json_string_value(json_object_get(value, "offset"));

	return (struct frame){
		.function = text_in(r, value, "function"),
		.file = text_in(r, value, "file"),
		.line = line > 0 && line <= INT32_MAX ? (int)line : 0,
		.module = text_in(r, value, "module"),
		.offset = offset ? strtoull(offset, NULL, 16) : 0,
		.build_id = text_in(r, value, "build_id"),
		.inlined = json_is_true(json_object_get(value, "inlined")),
		.language = text_in(r, value, "language"),
	};
}

static struct frames frames_of(struct reading *r, const char *key)
{
	const json_t *array = json_object_get(r->line, key);
	struct frames frames = { .count = json_array_size(array) };

	if (!frames.count || frames.count > MAX_FRAMES) {
		wrong(r, key);
		return (struct frames){ 0 };
	}
	frames.frame =
		finding_list_alloc(lockgraph_memory(r->g), frames.count * sizeof(*frames.frame));
	for (size_t i = 0; i < frames.count; i++) {
		if (!json_is_object(json_array_get(array, i)))
			wrong(r, key);
		frames.frame[i] = frame_of(r, json_array_get(array, i));
	}
	return frames;
}

/* ---- records ---- */

union any_record {
	struct lockgraph_record head;
	struct lockgraph_program program;
	struct lockgraph_role role;
	struct lockgraph_lock lock;
	struct lockgraph_edge edge;
	struct lockgraph_stack stack;
};

static void read_field(struct reading *r, const struct lockgraph_field *f, union any_record *record)
{
	void *at = (char *)record + f->offset;

	switch (f->value) {
	case LOCKGRAPH_TEXT:
		*(const char **)at = text_of(r, f->key);
		break;
	case LOCKGRAPH_ID:
		*(uint64_t *)at = id_of(r, f->key);
		break;
	case LOCKGRAPH_NEEDED_ID:
		*(uint64_t *)at = needed_id(r, f->key);
		break;
	case LOCKGRAPH_TRUE:
		*(bool *)at = flag_of(r, f->key);
		break;
	case LOCKGRAPH_COUNT:
	case LOCKGRAPH_KNOWN:
		*(uint64_t *)at = count_of(r, f->key);
		break;
	case LOCKGRAPH_IDS:
	case LOCKGRAPH_RUN_IDS:
		*(struct lockgraph_set *)at =
			set_of(r, f->key, f->value == LOCKGRAPH_RUN_IDS ? LOCKGRAPH_RUNS_KEPT : 0);
		break;
	case LOCKGRAPH_KIND:
		*(uint32_t *)at = kind_of(r, f->key);
		break;
	case LOCKGRAPH_IDENTITY:
		*(enum lockgraph_identity *)at = identity_of(r, f->key);
		break;
	case LOCKGRAPH_FLAG_SET:
		*(uint32_t *)at = flags_of(r, f->key);
		break;
	case LOCKGRAPH_FRAMES:
		*(struct frames *)at = frames_of(r, f->key);
		break;
	}
}

/* Of thousands of runs most have the same stacks: one that is known and tells more is not copied, see lockgraph.c. */
static bool tells_less(const struct reading *r, enum lockgraph_table table, uint64_t id)
{
	const struct lockgraph_stack *known =
		table == LOCKGRAPH_STACKS ? lockgraph_find(r->g, table, id) : NULL;

	return known && known->frames.count > json_array_size(json_object_get(r->line, "frames"));
}

static void read_record(struct reading *r, enum lockgraph_table table)
{
	union any_record record = { 0 };

	record.head.id = needed_id(r, lockgraph_table_word[table]);
	if (tells_less(r, table, record.head.id))
		return;
	for (const struct lockgraph_field *f = lockgraph_fields[table]; f->key; f++)
		read_field(r, f, &record);
	if (table == LOCKGRAPH_EDGES && record.edge.rounds_most < record.edge.rounds_least)
		wrong(r, "rounds_most");
	if (!r->wrong)
		lockgraph_add(r->g, table, &record);
}

/* ---- lines ---- */

static int read_head(struct reading *r, const char *schema, struct diag *diag)
{
	struct lockgraph_set runs = set_of(r, "runs", 0);

	if (strcmp(schema, LOCKGRAPH_SCHEMA) != 0 &&
	    !strncmp(schema, LOCKGRAPH_SCHEMA, strlen(LOCKGRAPH_SCHEMA) - 1))
		return diag_set(diag, THRUM_EVERSION,
				"the lock graph has schema %.40s; this version reads %s", schema,
				LOCKGRAPH_SCHEMA);
	if (strcmp(schema, LOCKGRAPH_SCHEMA) != 0)
		wrong(r, "schema");
	for (size_t i = 0; i < runs.count && !r->wrong; i++)
		lockgraph_add_run(r->g, runs.id[i]);
	return 0;
}

static int read_line(struct lockgraph *g, const char *text, size_t bytes, size_t number,
		     struct diag *diag)
{
	json_error_t why;
	json_t *line = json_loadb(text, bytes, 0, &why);
	struct reading r = { .g = g, .line = line };
	const char *schema = json_string_value(json_object_get(line, "schema"));
	bool known = schema != NULL;
	int error = 0;

	if (!json_is_object(line)) {
		json_decref(line);
		return diag_set(diag, THRUM_EFORMAT, "line %zu is no record of a lock graph: %s",
				number, line ? "no object" : why.text);
	}
	if (schema)
		error = read_head(&r, schema, diag);
	for (int table = 0; table < LOCKGRAPH_TABLES && !known; table++) {
		known = json_object_get(line, lockgraph_table_word[table]) != NULL;
		if (known)
			read_record(&r, (enum lockgraph_table)table);
	}
	json_decref(line);
	if (!error && (!known || r.wrong))
		error = diag_set(diag, THRUM_EFORMAT, "line %zu is no record of a lock graph: %s",
				 number, known ? r.wrong : "no key says what it is");
	return error;
}

int lockgraph_read_text(struct lockgraph *g, const char *text, size_t bytes, struct diag *diag)
{
	size_t number = 0;
	int error = 0;

	while (bytes && !error) {
		const char *end = memchr(text, '\n', bytes);
		size_t length = end ? (size_t)(end - text) : bytes;

		number++;
		if (length)
			error = read_line(g, text, length, number, diag);
		text += length + (end != NULL);
		bytes -= length + (end != NULL);
	}
	return error;
}

static int read_stream(struct lockgraph *g, FILE *in, struct diag *diag)
{
	char *line = NULL;
	size_t room = 0, number = 0;
	ssize_t length;
	int error = 0;

	while (!error && (length = getline(&line, &room, in)) > 0) {
		number++;
		if (length > 1 || *line != '\n')
			error = read_line(g, line, (size_t)length, number, diag);
	}
	if (!error && ferror(in))
		error = diag_set(diag, THRUM_EIO, "cannot read: %s", strerror(errno));
	if (!error && !number)
		error = diag_set(diag, THRUM_EFORMAT, "it is empty");
	free(line);
	return error;
}

int lockgraph_read(struct lockgraph *g, const char *path, struct diag *diag)
{
	bool standard = !strcmp(path, "-");
	FILE *in = fopen(standard ? "/dev/stdin" : path, "re");
	struct diag why = { "" };
	int error;

	if (!in)
		return diag_set(diag, THRUM_EIO, "cannot open %s: %s", path, strerror(errno));
	error = read_stream(g, in, &why);
	fclose(in);
	return error ? diag_set(diag, error, "%s: %s", path, why.message) : 0;
}

bool lockgraph_is_file(const char *path)
{
	static const char start[] = "{\"schema\":\"thrum-lockgraph/";
	char head[sizeof(start)] = "";
	struct stat file;
	FILE *in;
	bool is;

	if (stat(path, &file) || !S_ISREG(file.st_mode))
		return false; /* of a pipe, looking takes the bytes */
	in = fopen(path, "re");
	is = in && fread(head, 1, sizeof(start) - 1, in) == sizeof(start) - 1 &&
	     !strcmp(head, start);
	if (in)
		fclose(in);
	return is;
}
