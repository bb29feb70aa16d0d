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

/* ---- records ---- */

static void read_program(struct reading *r, uint64_t id)
{
	struct lockgraph_program p = { .record.id = id,
				       .command = text_of(r, "command"),
				       .build_id = text_of(r, "build_id") };

	if (!r->wrong)
		lockgraph_add(r->g, LOCKGRAPH_PROGRAMS, &p);
}

static void read_role(struct reading *r, uint64_t id)
{
	struct lockgraph_role role = { .record.id = id,
				       .program = needed_id(r, "of"),
				       .is_main = flag_of(r, "main"),
				       .start = text_of(r, "start"),
				       .created = id_of(r, "created"),
				       .most = count_of(r, "most"),
				       .barriers = set_of(r, "barriers", 0) };

	if (!r->wrong)
		lockgraph_add(r->g, LOCKGRAPH_ROLES, &role);
}

static uint32_t kind_of(struct reading *r)
{
	const char *text = text_of(r, "kind");

	for (uint32_t kind = 1; text && kind < KINDS; kind++)
		if (!strcmp(text, trace_object_kind_name(kind)))
			return kind;
	wrong(r, "kind");
	return 0;
}

static enum lockgraph_identity identity_of(struct reading *r)
{
	const char *text = text_of(r, "identity");

	for (int i = 0; text && i < LOCKGRAPH_IDENTITIES; i++)
		if (!strcmp(text, lockgraph_identity_word[i]))
			return (enum lockgraph_identity)i;
	wrong(r, "identity");
	return LOCKGRAPH_SITE;
}

static void read_lock(struct reading *r, uint64_t id)
{
	struct lockgraph_lock l = { .record.id = id,
				    .program = needed_id(r, "of"),
				    .identity = identity_of(r),
				    .kind = kind_of(r),
				    .name = text_of(r, "name"),
				    .word = text_of(r, "word"),
				    .many = flag_of(r, "many"),
				    .is_signal = flag_of(r, "signal"),
				    .room = count_of(r, "room"),
				    .first_seen = id_of(r, "first_seen") };

	if (!r->wrong)
		lockgraph_add(r->g, LOCKGRAPH_LOCKS, &l);
}

static uint32_t flags_of(struct reading *r)
{
	const json_t *array = json_object_get(r->line, "flags");
	uint32_t flags = 0;

	if (array && !json_is_array(array))
		wrong(r, "flags");
	for (size_t i = 0; i < json_array_size(array); i++) {
		const char *text = json_string_value(json_array_get(array, i));
		unsigned bit = 0;

		while (bit < LOCKGRAPH_FLAGS && !(text && lockgraph_flag_word[bit] &&
						  !strcmp(text, lockgraph_flag_word[bit])))
			bit++;
		if (bit == LOCKGRAPH_FLAGS)
			wrong(r, "flags");
		else
			flags |= 1u << bit;
	}
	return flags;
}

static void read_edge(struct reading *r, uint64_t id)
{
	struct lockgraph_edge e = { .record.id = id,
				    .program = needed_id(r, "of"),
				    .from = needed_id(r, "from"),
				    .to = needed_id(r, "to"),
				    .role = needed_id(r, "by"),
				    .flags = flags_of(r),
				    .gates = set_of(r, "gates", 0),
				    .shared = set_of(r, "shared", 0),
				    .with = set_of(r, "with", 0),
				    .after_always = set_of(r, "after_always", 0),
				    .after_ever = set_of(r, "after_ever", 0),
				    .rounds_least = count_of(r, "rounds_least"),
				    .rounds_most = count_of(r, "rounds_most"),
				    .runs = set_of(r, "runs", LOCKGRAPH_RUNS_KEPT),
				    .witness = needed_id(r, "witness"),
				    .hold = id_of(r, "hold"),
				    .request = id_of(r, "request") };

	if (e.rounds_most < e.rounds_least)
		wrong(r, "rounds_most");
	if (!r->wrong)
		lockgraph_add(r->g, LOCKGRAPH_EDGES, &e);
}

static void read_stack(struct reading *r, uint64_t id)
{
	const json_t *array = json_object_get(r->line, "frames");
	struct lockgraph_stack s = { .record.id = id, .frames.count = json_array_size(array) };

	if (!s.frames.count || s.frames.count > MAX_FRAMES) {
		wrong(r, "frames");
		return;
	}
	if (lockgraph_find(r->g, LOCKGRAPH_STACKS, id)) {
		const struct lockgraph_stack *known = lockgraph_find(r->g, LOCKGRAPH_STACKS, id);

		if (known->frames.count > s.frames.count)
			return; /* it tells more: see lockgraph.c */
	}
	s.frames.frame = finding_list_alloc(lockgraph_memory(r->g),
					    s.frames.count * sizeof(*s.frames.frame));
	for (size_t i = 0; i < s.frames.count; i++) {
		const json_t *value = json_array_get(array, i);
		json_int_t line = json_integer_value(json_object_get(value, "line"));
		const char *offset = json_string_value(json_object_get(value, "offset"));

		if (!json_is_object(value))
			wrong(r, "frames");
		s.frames.frame[i] = (struct frame){
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
	if (!r->wrong)
		lockgraph_add(r->g, LOCKGRAPH_STACKS, &s);
}

/* ---- lines ---- */

static void (*const reads[LOCKGRAPH_TABLES])(struct reading *r, uint64_t id) = {
	[LOCKGRAPH_PROGRAMS] = read_program, [LOCKGRAPH_ROLES] = read_role,
	[LOCKGRAPH_LOCKS] = read_lock,	     [LOCKGRAPH_EDGES] = read_edge,
	[LOCKGRAPH_STACKS] = read_stack,
};

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
			reads[table](&r, needed_id(&r, lockgraph_table_word[table]));
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
