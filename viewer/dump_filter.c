/* SPDX-License-Identifier: MIT */
/*
 * dump_filter.c - which events of a trace a dump shows.
 */
#include "dump.h"

#include "../trace/trace_ops.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum key { KEY_THREAD, KEY_OP, KEY_OBJECT, KEY_KIND, KEY_PROCESS, KEY_STACK, KEYS };

static const char *const key_names[KEYS] = {
	[KEY_THREAD] = "thread", [KEY_OP] = "op",	    [KEY_OBJECT] = "object",
	[KEY_KIND] = "kind",	 [KEY_PROCESS] = "process", [KEY_STACK] = "stack",
};

struct term {
	enum key key;
	bool is_number;
	uint64_t number;
	char *text; /* owned */
};

struct dump_filter {
	struct term *terms; /* owned */
	size_t count;
	bool has[KEYS];
	bool ops[TF_OPS];
};

/* ---- parsing ---- */

static bool parse_number(const char *text, uint64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoull(text, &end, 10);
	return *text >= '0' && *text <= '9' && !*end && !errno;
}

static bool set_ops(struct dump_filter *f, const char *pattern)
{
	bool any = false;

	for (unsigned op = 0; op < TF_OPS; op++) {
		if (trace_op_get(op) && !fnmatch(pattern, trace_op_name(op), 0)) {
			f->ops[op] = any = true;
		}
	}
	return any;
}

static bool is_kind(const char *text)
{
	for (unsigned kind = 1; kind < 64; kind++) {
		if (!strcmp(trace_object_kind_name(kind), text)) {
			return true;
		}
	}
	return false;
}

/* `item` is "key=value" and may be written to. */
static int add_term(struct dump_filter *f, char *item, struct diag *diag)
{
	char *value = strchr(item, '=');
	struct term t = { .key = 0 };
	struct term *grown;

	if (!value || !value[1]) {
		return diag_set(diag, THRUM_EINVAL, "filter \"%.80s\" is not key=value", item);
	}
	*value++ = '\0';
	while (t.key < KEYS && strcmp(key_names[t.key], item)) {
		t.key++;
	}
	t.is_number = parse_number(value, &t.number);
	if (t.key == KEYS) {
		return diag_set(
			diag, THRUM_EINVAL,
			"no filter \"%.80s\": use thread, op, object, kind, process or stack",
			item);
	}
	if ((t.key == KEY_OBJECT || t.key == KEY_STACK) && !t.is_number) {
		return diag_set(diag, THRUM_EINVAL, "%s=%.80s: give the number that dump shows",
				item, value);
	}
	if (t.key == KEY_OP && !set_ops(f, value)) {
		return diag_set(
			diag, THRUM_EINVAL,
			"no event is called %.80s: use a word that dump shows, * and ? match",
			value);
	}
	if (t.key == KEY_KIND && !is_kind(value)) {
		return diag_set(diag, THRUM_EINVAL, "no kind of object is called %.80s", value);
	}
	grown = reallocarray(f->terms, f->count + 1, sizeof(*f->terms));
	t.text = strdup(value);
	if (grown) {
		f->terms = grown;
	}
	if (!grown || !t.text) {
		free(t.text);
		return diag_set(diag, THRUM_ENOMEM, "out of memory");
	}
	f->terms[f->count++] = t;
	f->has[t.key] = true;
	return 0;
}

void dump_filter_free(struct dump_filter *f)
{
	if (f) {
		for (size_t i = 0; i < f->count; i++) {
			free(f->terms[i].text);
		}
		free(f->terms);
		free(f);
	}
}

/* A copy, so that an error in a later item leaves the caller's filter alone. */
static struct dump_filter *copy(const struct dump_filter *f)
{
	struct dump_filter *c = calloc(1, sizeof(*c));

	if (!c || !f) {
		return c;
	}
	*c = *f;
	c->count = 0;
	c->terms = calloc(f->count + 1, sizeof(*c->terms));
	for (size_t i = 0; c->terms && i < f->count; i++) {
		c->terms[i] = f->terms[i];
		c->terms[i].text = strdup(f->terms[i].text);
		if (!c->terms[i].text) {
			break;
		}
		c->count++;
	}
	if (c->count < f->count) {
		dump_filter_free(c);
		return NULL;
	}
	return c;
}

int dump_filter_add(struct dump_filter **filter, const char *text, struct diag *diag)
{
	struct dump_filter *f = copy(*filter);
	char *items = strdup(text), *save = NULL;
	int error = f && items ? 0 : diag_set(diag, THRUM_ENOMEM, "out of memory");

	if (!error && !*text) {
		error = diag_set(diag, THRUM_EINVAL, "the filter is empty: give key=value");
	}
	if (!error) {
		for (char *item = strtok_r(items, ",", &save); item && !error;
		     item = strtok_r(NULL, ",", &save)) {
			error = add_term(f, item, diag);
		}
	}
	free(items);
	if (error) {
		dump_filter_free(f);
		return error;
	}
	dump_filter_free(*filter);
	*filter = f;
	return 0;
}

/* ---- asking ---- */

/* Does one of the alternatives of `key` say yes? True where there is none. */
static bool any_term(const struct dump_filter *f, enum key key,
		     bool (*matches)(const struct term *, const void *), const void *what)
{
	if (!f || !f->has[key]) {
		return true;
	}
	for (size_t i = 0; i < f->count; i++) {
		if (f->terms[i].key == key && matches(&f->terms[i], what)) {
			return true;
		}
	}
	return false;
}

static bool matches_process(const struct term *t, const void *what)
{
	const struct trace_process *p = what;

	return (t->is_number && t->number == p->pid) || !strcmp(t->text, p->name);
}

struct thread_key {
	uint32_t id;
	const char *name;
};

static bool matches_thread(const struct term *t, const void *what)
{
	const struct thread_key *key = what;

	return (t->is_number && t->number == key->id) ||
	       (key->name && !fnmatch(t->text, key->name, 0));
}

static bool matches_object(const struct term *t, const void *what)
{
	const struct trace_event *e = what;

	/* P of a REQUEST is a thread */
	return t->number == e->object || (t->number == e->other && e->op != TRACE_REQUEST);
}

static bool matches_kind(const struct term *t, const void *what)
{
	return !strcmp(t->text, what);
}

static bool matches_stack(const struct term *t, const void *what)
{
	const struct trace_event *e = what;

	return t->number == e->stack;
}

bool dump_filter_has_process(const struct dump_filter *f, const struct trace_process *process)
{
	return any_term(f, KEY_PROCESS, matches_process, process);
}

bool dump_filter_has_thread(const struct dump_filter *f, const struct trace_process *process,
			    uint32_t thread)
{
	struct thread_key key = { thread, process->threads[thread].name };

	return any_term(f, KEY_THREAD, matches_thread, &key);
}

bool dump_filter_has_object(const struct dump_filter *f, const struct trace_process *process,
			    uint32_t object)
{
	struct trace_event e = { .object = object };

	return !f || (any_term(f, KEY_OBJECT, matches_object, &e) &&
		      any_term(f, KEY_KIND, matches_kind,
			       trace_object_kind_name(process->objects[object].kind)));
}

bool dump_filter_passes(const struct dump_filter *f, const struct trace_process *process,
			const struct trace_event *e)
{
	if (!f) {
		return true;
	}
	if (f->has[KEY_OP] && !f->ops[e->op % TF_OPS]) {
		return false;
	}
	return dump_filter_has_process(f, process) &&
	       dump_filter_has_thread(f, process, e->thread) &&
	       any_term(f, KEY_OBJECT, matches_object, e) &&
	       any_term(f, KEY_STACK, matches_stack, e) &&
	       any_term(f, KEY_KIND, matches_kind,
			e->object ? trace_object_kind_name(process->objects[e->object].kind) : "");
}
