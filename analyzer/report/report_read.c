/* SPDX-License-Identifier: MIT */
/*
 * report_read.c - see report_read.h.
 */
#include "report_read.h"

#include "coverage.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_FILE_BYTES (1u << 30)

/* A file under way. The first thing wrong is kept. */
struct reading {
	const char *path;
	struct finding_list *list;
	size_t first_process;
	const char *wrong; /* NULL = fine so far */
	/* pid -> index of the process in this file */
	const json_t *processes;
};

static void wrong(struct reading *r, const char *what)
{
	if (!r->wrong)
		r->wrong = what;
}

/* ---- values ---- */

static const char *text_of(struct reading *r, const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? finding_list_printf(r->list, "%s", text) : NULL;
}

static const char *needed_text(struct reading *r, const json_t *object, const char *key)
{
	const char *text = text_of(r, object, key);

	if (!text)
		wrong(r, key);
	return text ? text : "";
}

static uint64_t count_of(const json_t *object, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(object, key));

	return value > 0 ? (uint64_t)value : 0;
}

static uint32_t id_of(const json_t *object, const char *key)
{
	uint64_t value = count_of(object, key);

	return value <= UINT32_MAX ? (uint32_t)value : 0;
}

static uint64_t address_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? strtoull(text, NULL, 16) : 0;
}

/* Index of the name among `count` names; `count` and wrong where there is none. */
static unsigned word_of(struct reading *r, const json_t *object, const char *key, unsigned count,
			const char *(*name)(unsigned))
{
	const char *text = json_string_value(json_object_get(object, key));

	for (unsigned i = 0; text && i < count; i++)
		if (!strcmp(text, name(i)))
			return i;
	wrong(r, key);
	return 0;
}

static const char *level_word(unsigned i)
{
	return level_name((enum level)i);
}
static const char *confidence_word(unsigned i)
{
	return confidence_name((enum confidence)i);
}
static const char *role_word(unsigned i)
{
	return stack_role_name((enum stack_role)i);
}

/* ---- parts of a finding ---- */

static struct frames frames_of(struct reading *r, const json_t *array)
{
	struct frames frames = { .count = json_array_size(array) };

	if (!frames.count)
		return frames;
	frames.frame = finding_list_alloc(r->list, frames.count * sizeof(*frames.frame));
	for (size_t i = 0; i < frames.count; i++) {
		const json_t *value = json_array_get(array, i);
		uint64_t line = count_of(value, "line");

		frames.frame[i] = (struct frame){
			.function = text_of(r, value, "function"),
			.file = text_of(r, value, "file"),
			.line = line <= INT32_MAX ? (int)line : 0,
			.module = text_of(r, value, "module"),
			.offset = address_of(value, "offset"),
			.build_id = text_of(r, value, "build_id"),
			.inlined = json_is_true(json_object_get(value, "inlined")),
			.language = text_of(r, value, "language"),
		};
	}
	return frames;
}

static struct frames stack_of(struct reading *r, const json_t *object, const char *key)
{
	return frames_of(r, json_object_get(json_object_get(object, key), "frames"));
}

static void take_thread(struct reading *r, struct finding *f, const json_t *value)
{
	uint32_t id = id_of(value, "id");
	struct finding_thread *thread;

	if (!id) {
		wrong(r, "threads[].id");
		return;
	}
	thread = finding_add_thread(r->list, f, id);
	thread->pid = id_of(value, "pid");
	thread->tid = id_of(value, "tid");
	thread->name = text_of(r, value, "name");
	thread->label = text_of(r, value, "label");
	thread->start_function = text_of(r, value, "start");
	thread->created_at = stack_of(r, value, "created_at");
}

static unsigned kind_of(const char *word)
{
	for (unsigned kind = 1; word && kind < 256; kind++)
		if (!strcmp(word, trace_object_kind_name(kind)))
			return kind;
	return TRACE_OBJECT_NONE;
}

static void take_lock(struct reading *r, struct finding *f, const json_t *value)
{
	uint32_t id = id_of(value, "id");
	struct finding_lock *lock;
	const json_t *place;

	if (!id) {
		wrong(r, "locks[].id");
		return;
	}
	lock = finding_add_lock(r->list, f, id);
	lock->kind = kind_of(json_string_value(json_object_get(value, "kind")));
	lock->word = lock->kind ? NULL : text_of(r, value, "kind");
	lock->name = text_of(r, value, "name");
	lock->address = address_of(value, "address");
	lock->first_seen = stack_of(r, value, "first_seen");
	place = json_object_get(value, "value");
	if (place)
		lock->value = (struct finding_value){ .bytes = id_of(place, "bytes"),
						      .before = address_of(place, "before"),
						      .after = address_of(place, "after") };
	place = json_object_get(value, "declared_at");
	if (place) {
		lock->declared_file = text_of(r, place, "file");
		lock->declared_line = (int)count_of(place, "line");
	}
}

static struct finding_access access_of(const json_t *value)
{
	const char *op = json_string_value(json_object_get(value, "op"));
	bool writes = op && !strcmp(op, "write");

	return (struct finding_access){
		.address = address_of(value, "address"),
		.bytes = id_of(value, "size"),
		.writes = writes,
		.reads = op && (!writes || json_is_true(json_object_get(value, "reads_too"))),
		.is_atomic = json_is_true(json_object_get(value, "atomic")),
	};
}

static void take_witness(struct reading *r, struct finding *f, const json_t *witness)
{
	const json_t *steps = json_object_get(witness, "steps");

	f->events_before = count_of(witness, "events_before");
	for (size_t i = 0; i < json_array_size(steps); i++) {
		const json_t *value = json_array_get(steps, i);
		struct finding_step *step = finding_add_step(r->list, f);

		step->thread = id_of(value, "thread");
		step->label = text_of(r, value, "label");
		step->events = count_of(value, "events");
		step->from = stack_of(r, value, "from");
		step->to = stack_of(r, value, "to");
	}
}

static void take_stack(struct reading *r, struct finding *f, const json_t *value)
{
	enum stack_role role = (enum stack_role)word_of(r, value, "role", ROLE_COUNT, role_word);
	const json_t *held = json_object_get(value, "locks_held");
	struct finding_stack *stack = finding_add_stack(r->list, f, role, id_of(value, "thread"),
							id_of(value, "lock"), 0);

	stack->for_thread = id_of(value, "for_thread");
	stack->access = access_of(json_object_get(value, "access"));
	stack->time_ns = count_of(value, "time_ns");
	stack->note = text_of(r, value, "note");
	stack->frames = frames_of(r, json_object_get(value, "frames"));
	stack->held_count = json_array_size(held);
	if (!stack->held_count)
		return;
	stack->held = finding_list_alloc(r->list, stack->held_count * sizeof(*stack->held));
	for (size_t i = 0; i < stack->held_count; i++) {
		json_int_t id = json_integer_value(json_array_get(held, i));

		stack->held[i] = id > 0 && id <= UINT32_MAX ? (uint32_t)id : 0;
	}
}

static size_t process_of(const struct reading *r, const struct finding *f)
{
	for (size_t i = 0; f->thread_count && i < json_array_size(r->processes); i++)
		if (id_of(json_array_get(r->processes, i), "pid") == f->threads[0].pid)
			return r->first_process + i;
	return r->first_process;
}

static bool is_key(const char *text)
{
	return strlen(text) == 32 && strspn(text, "0123456789abcdef") == 32;
}

static enum baseline_state baseline_of(struct reading *r, const json_t *value)
{
	const char *text = json_string_value(json_object_get(value, "baseline_state"));

	for (int state = BASELINE_NEW; text && state <= BASELINE_UPDATED; state++)
		if (!strcmp(text, baseline_state_name((enum baseline_state)state)))
			return (enum baseline_state)state;
	if (text)
		wrong(r, "baseline_state");
	return BASELINE_NONE;
}

static void take_finding(struct reading *r, const json_t *value)
{
	const char *id = json_string_value(json_object_get(value, "rule"));
	const json_t *threads = json_object_get(value, "threads");
	const json_t *locks = json_object_get(value, "locks");
	const json_t *stacks = json_object_get(value, "stacks");
	int rule = id ? rule_find(id) : -1;
	struct finding *f;

	if (rule < 0) {
		wrong(r, id ? finding_list_printf(
				      r->list, "rule \"%s\", which this version does not know,", id)
			    : "rule");
		return;
	}
	f = finding_begin(r->list, (enum rule)rule,
			  (enum confidence)word_of(r, value, "confidence", CONFIDENCE_OBSERVED + 1,
						   confidence_word),
			  r->first_process);
	f->level = (enum level)word_of(r, value, "level", LEVEL_ERROR + 1, level_word);
	f->confirmed = json_is_true(json_object_get(value, "confirmed"));
	f->count = count_of(value, "count");
	f->title = needed_text(r, value, "title");
	f->message = text_of(r, value, "message");
	f->fingerprint = needed_text(r, value, "fingerprint");
	f->place = text_of(r, value, "place");
	f->suppression = text_of(r, value, "suppression");
	f->suppressed_by = text_of(r, value, "suppressed_by");
	f->suppressed_reason = text_of(r, value, "suppressed_reason");
	f->baseline = baseline_of(r, value);
	if (!is_key(f->fingerprint))
		wrong(r, "fingerprint");
	if (!f->place)
		f->place = f->fingerprint; /* a report of an older version */
	for (size_t i = 0; i < json_array_size(threads); i++)
		take_thread(r, f, json_array_get(threads, i));
	for (size_t i = 0; i < json_array_size(locks); i++)
		take_lock(r, f, json_array_get(locks, i));
	for (size_t i = 0; i < json_array_size(stacks); i++)
		take_stack(r, f, json_array_get(stacks, i));
	take_witness(r, f, json_object_get(value, "witness"));
	f->process = process_of(r, f);
	finding_commit(r->list, f);
}

/* ---- the run ---- */

static const char **texts_of(struct reading *r, const json_t *array, size_t *ret_count)
{
	const char **argv;

	*ret_count = json_array_size(array);
	if (!json_is_array(array))
		return NULL;
	argv = finding_list_alloc(r->list, (*ret_count + 1) * sizeof(*argv));
	for (size_t i = 0; i < *ret_count; i++) {
		const char *text = json_string_value(json_array_get(array, i));

		argv[i] = finding_list_printf(r->list, "%s", text ? text : "");
	}
	argv[*ret_count] = NULL;
	return argv;
}

static void take_process(struct reading *r, struct read_process *p, const json_t *value)
{
	const char *command = text_of(r, value, "command");
	const char *why = text_of(r, value, "incomplete_why");
	const json_t *status = json_object_get(value, "exit");

	memset(p, 0, sizeof(*p));
	p->process.name = finding_list_printf(r->list, "%u", (unsigned)id_of(value, "pid"));
	p->process.pid = id_of(value, "pid");
	p->process.ppid = id_of(value, "ppid");
	p->process.command = finding_list_printf(r->list, "%s", command ? command : "");
	p->process.events = count_of(value, "events");
	p->process.lost_events = count_of(value, "lost");
	p->threads = count_of(value, "threads");
	p->locks = count_of(value, "locks");
	coverage_read(json_object_get(value, "coverage"), r->list, &p->process);
	p->process.complete = !why;
	if (why)
		snprintf(p->process.why, sizeof(p->process.why), "%s", why);
	p->has_exit = json_is_integer(status);
	p->exit_status = (int)json_integer_value(status);
	p->argv = texts_of(r, json_object_get(value, "argv"), &p->argc);
}

static void take_unrecorded(struct reading *r, const json_t *array, struct read_report *ret_report)
{
	size_t count = json_array_size(array);

	ret_report->unrecorded =
		finding_list_alloc(r->list, (count + 1) * sizeof(*ret_report->unrecorded));
	for (size_t i = 0; i < count; i++) {
		const json_t *value = json_array_get(array, i);
		struct report_unrecorded u = { .path = text_of(r, value, "path"),
					       .why = text_of(r, value, "why") };

		u.pid = (uint32_t)json_integer_value(json_object_get(value, "pid"));
		if (u.path)
			ret_report->unrecorded[ret_report->unrecorded_count++] = u;
	}
}

static void take_run(struct reading *r, const json_t *root, struct read_report *ret_report)
{
	const json_t *trace = json_object_get(root, "trace");
	const json_t *status = json_object_get(root, "program_status");
	const char *verdict = json_string_value(json_object_get(root, "verdict"));

	ret_report->process_count = json_array_size(r->processes);
	ret_report->process = finding_list_alloc(r->list, (ret_report->process_count + 1) *
								  sizeof(*ret_report->process));
	for (size_t i = 0; i < ret_report->process_count; i++)
		take_process(r, &ret_report->process[i], json_array_get(r->processes, i));
	ret_report->has_program_status = json_is_integer(status);
	ret_report->program_status = (int)json_integer_value(status);
	ret_report->complete = json_is_true(json_object_get(trace, "complete"));
	ret_report->incomplete_why = text_of(r, trace, "incomplete_why");
	ret_report->path = texts_of(r, json_object_get(trace, "paths"), &ret_report->path_count);
	if (json_is_string(json_object_get(trace, "path"))) {
		ret_report->path = finding_list_alloc(r->list, sizeof(*ret_report->path));
		ret_report->path[0] = text_of(r, trace, "path");
		ret_report->path_count = 1;
	}
	ret_report->untraced =
		texts_of(r, json_object_get(trace, "untraced"), &ret_report->untraced_count);
	take_unrecorded(r, json_object_get(trace, "unrecorded"), ret_report);
	ret_report->verdict = VERDICT_CLEAN;
	if (verdict && !strcmp(verdict, "timeout"))
		ret_report->verdict = VERDICT_TIMEOUT;
	else if (verdict && !strcmp(verdict, "untraced"))
		ret_report->verdict = VERDICT_UNTRACED;
	else if (verdict && !strcmp(verdict, "findings"))
		ret_report->verdict = VERDICT_FINDINGS;
}

int report_read_text(const char *path, const char *text, size_t bytes, struct finding_list *list,
		     size_t first_process, struct read_report *ret_report, struct diag *diag)
{
	json_error_t where;
	json_t *root = json_loadb(text, bytes, 0, &where);
	const char *schema = json_string_value(json_object_get(root, "schema"));
	struct reading r = { .path = path, .list = list, .first_process = first_process };
	const json_t *findings = json_object_get(root, "findings");
	size_t before = finding_list_count(list);
	int error = THRUM_OK;

	memset(ret_report, 0, sizeof(*ret_report));
	if (!root)
		return diag_set(diag, THRUM_EFORMAT, "%s:%d: %s", path, where.line, where.text);
	if (schema && !strncmp(schema, "thrum-baseline/", 15))
		error = diag_set(
			diag, THRUM_EFORMAT,
			"%s is a baseline, not a report: give it with --baseline, or first to diff",
			path);
	else if (!schema || strncmp(schema, "thrum-findings/", 15))
		error = diag_set(diag, THRUM_EFORMAT, "%s is not a report (--report json=FILE)",
				 path);
	else if (strcmp(schema, "thrum-findings/1"))
		error = diag_set(diag, THRUM_EVERSION, "%s is of a newer version: %s", path,
				 schema);
	else if (!json_is_array(findings)) /* damaged: it must not pass as one without findings */
		error = diag_set(diag, THRUM_EFORMAT, "%s: the report has no list of findings",
				 path);
	if (!error) {
		r.processes = json_object_get(json_object_get(root, "trace"), "processes");
		take_run(&r, root, ret_report);
		for (size_t i = 0; i < json_array_size(findings); i++)
			take_finding(&r, json_array_get(findings, i));
		if (r.wrong)
			error = diag_set(diag, THRUM_EFORMAT,
					 "%s: a finding's %s is missing or wrong", path, r.wrong);
	}
	json_decref(root);
	if (error)
		finding_list_truncate(list, before);
	return error;
}

bool report_read_is_json(const char *path)
{
	FILE *in = fopen(path, "re");
	struct stat st;
	int c = EOF;

	if (in && !fstat(fileno(in), &st) && S_ISREG(st.st_mode))
		while ((c = getc(in)) == ' ' || c == '\n' || c == '\r' || c == '\t')
			;
	if (in)
		fclose(in);
	return c == '{';
}

int report_read(const char *path, struct finding_list *list, size_t first_process,
		struct read_report *ret_report, struct diag *diag)
{
	FILE *in = fopen(path, "re");
	char *text = NULL;
	size_t bytes = 0, room = 0, got;
	int error;

	if (!in)
		return diag_set(diag, THRUM_EIO, "cannot read %s: %s", path, strerror(errno));
	do {
		if (room - bytes < 65536)
			text = realloc(text, room = 2 * room + 131072);
		if (!text)
			abort(); /* hosted code */
		got = fread(text + bytes, 1, room - bytes, in);
		bytes += got;
	} while (got && bytes <= MAX_FILE_BYTES);
	if (ferror(in))
		error = diag_set(diag, THRUM_EIO, "cannot read %s: %s", path, strerror(errno));
	else if (bytes > MAX_FILE_BYTES)
		error = diag_set(diag, THRUM_EFORMAT, "%s is too large for a report", path);
	else
		error = report_read_text(path, text, bytes, list, first_process, ret_report, diag);
	fclose(in);
	free(text);
	return error;
}
