/* SPDX-License-Identifier: MIT */
/*
 * bounded_edges.c - bounded_edges TRACE [FRAMES]: every lock-order edge of a trace, a line each, in words that
 * two runs of one program have in common. For bench/bounded.py and tests/bounded: does a trace of bounded mode
 * hold what one of full mode holds?
 *
 *     edge KIND PLACE -> KIND PLACE
 *     context KIND PLACE | STACK -> KIND PLACE | STACK | HOW
 *
 * PLACE is where an object lies when that is a module, else the place that made it. A stack is its FRAMES (default
 * 4) innermost frames outside libthrum, as module+offset. Only the model is asked: the graph of the checker lock_order
 * drops what can be in no cycle, and keeps few of many contexts.
 */
#include "../analyzer/model/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 4096, MOST_FRAMES = 64 };

/* ---- lines, each once ---- */

struct lines {
	char **slot; /* owned; NULL = free */
	size_t count, mask;
};

static uint64_t hash_of(const char *text)
{
	uint64_t h = 14695981039346656037u;

	for (; *text; text++) {
		h = (h ^ (uint8_t)*text) * 1099511628211u;
	}
	return h;
}

static void *must(void *p)
{
	if (!p) {
		fputs("bounded_edges: out of memory\n", stderr);
		exit(70);
	}
	return p;
}

static char **lines_find(const struct lines *l, const char *text)
{
	size_t i = hash_of(text) & l->mask;

	while (l->slot[i] && strcmp(l->slot[i], text) != 0) {
		i = (i + 1) & l->mask;
	}
	return &l->slot[i];
}

static void lines_grow(struct lines *l)
{
	struct lines old = *l;

	l->mask = old.slot ? old.mask * 2 + 1 : 4095;
	l->slot = must(calloc(l->mask + 1, sizeof(*l->slot)));
	for (size_t i = 0; old.slot && i <= old.mask; i++) {
		if (old.slot[i]) {
			*lines_find(l, old.slot[i]) = old.slot[i];
		}
	}
	free(old.slot);
}

static void lines_add(struct lines *l, const char *text)
{
	char **slot;

	if (!l->slot || l->count * 2 > l->mask) {
		lines_grow(l);
	}
	slot = lines_find(l, text);
	if (!*slot) {
		*slot = must(strdup(text));
		l->count++;
	}
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void lines_print(struct lines *l)
{
	size_t n = 0;

	for (size_t i = 0; l->slot && i <= l->mask; i++) {
		if (l->slot[i]) {
			l->slot[n++] = l->slot[i];
		}
	}
	if (n) {
		qsort(l->slot, n, sizeof(*l->slot), compare);
	}
	for (size_t i = 0; i < n; i++) {
		puts(l->slot[i]);
		free(l->slot[i]);
	}
	free(l->slot);
}

/* ---- words ---- */

struct namer {
	const struct trace_process *process;
	unsigned frames;
	char **stack, **object; /* owned; by id, NULL = not asked yet */
};

static const struct trace_module *module_of(const struct trace_process *p, uint64_t address)
{
	for (size_t i = 0; i < p->module_count; i++) {
		if (address >= p->modules[i].start && address < p->modules[i].end) {
			return &p->modules[i];
		}
	}
	return NULL;
}

static size_t put_place(char *text, size_t bytes, const struct trace_process *p, uint64_t address)
{
	const struct trace_module *m = module_of(p, address);
	const char *slash = m && m->path ? strrchr(m->path, '/') : NULL;
	const char *name = m && m->path ? (slash ? slash + 1 : m->path) : "?";
	int n = snprintf(text, bytes, " %s+%llx", name,
			 m ? (unsigned long long)(address - m->bias) : 0);

	return n > 0 && (size_t)n < bytes ? (size_t)n : 0;
}

static const char *name_stack(struct namer *n, uint32_t id)
{
	const struct trace_process *p = n->process;
	const struct trace_stack *s = id < p->stack_count ? &p->stacks[id] : NULL;
	char text[LINE] = "";
	size_t used = 0;
	unsigned shown = 0;

	if (!s) {
		return "";
	}
	if (n->stack[id]) {
		return n->stack[id];
	}
	for (uint32_t i = 0; i < s->frames && i < MOST_FRAMES && shown < n->frames; i++) {
		const struct trace_module *m = module_of(p, s->ip[i] - 1);

		if (!m || !m->is_thrum) {
			used += put_place(text + used, sizeof(text) - used, p, s->ip[i]);
			shown++;
		}
	}
	return n->stack[id] = must(strdup(text));
}

static const char *name_object(struct namer *n, uint32_t id)
{
	const struct trace_process *p = n->process;
	const struct trace_object *o = id < p->object_count ? &p->objects[id] : NULL;
	char text[LINE];
	int used;

	if (!o) {
		return "?";
	}
	if (n->object[id]) {
		return n->object[id];
	}
	used = snprintf(text, sizeof(text), "%s", trace_object_kind_name(o->kind));
	if (module_of(p, o->address)) {
		put_place(text + used, sizeof(text) - (size_t)used, p, o->address);
	} else {
		snprintf(text + used, sizeof(text) - (size_t)used, " made at%s",
			 name_stack(n, o->stack));
	}
	return n->object[id] = must(strdup(text));
}

static void namer_init(struct namer *n, const struct trace_process *p, unsigned frames)
{
	*n = (struct namer){ .process = p, .frames = frames };
	n->stack = must(calloc(p->stack_count + 1, sizeof(*n->stack)));
	n->object = must(calloc(p->object_count + 1, sizeof(*n->object)));
}

static void namer_release(struct namer *n)
{
	for (size_t i = 0; i < n->process->stack_count; i++) {
		free(n->stack[i]);
	}
	for (size_t i = 0; i < n->process->object_count; i++) {
		free(n->object[i]);
	}
	free(n->stack);
	free(n->object);
}

/* ---- edges ---- */

/* All of `t`'s first `count` holds come before `object`. */
static void add_edges(struct lines *l, struct namer *n, const struct model_thread *t,
		      uint32_t count, uint32_t object, const struct trace_event *e, const char *how)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct model_held *h = &t->held[i];
		char text[4 * LINE];

		if (h->object == object) {
			continue;
		}
		snprintf(text, sizeof(text), "edge %s -> %s", name_object(n, h->object),
			 name_object(n, object));
		lines_add(l, text);
		snprintf(text, sizeof(text), "context %s |%s -> %s |%s | %s%s",
			 name_object(n, h->object), name_stack(n, h->stack), name_object(n, object),
			 name_stack(n, e->stack), h->flags & MODEL_HOLD_SHARED ? "shared, " : "",
			 how);
		lines_add(l, text);
	}
}

static void add_event(struct lines *l, struct namer *n, const struct trace_event *e,
		      const struct model_step *step)
{
	const struct model_thread *t = step->thread;

	if (!t || !step->object) {
		return;
	}
	switch (e->op) {
	case TRACE_ACQUIRE:
	case TRACE_ACQUIRE_SHARED:
	case TRACE_ACQUIRE_TIMED:
	case TRACE_ACQUIRE_TIMED_SHARED:
	case TRACE_ACQUIRE_OWNERDEAD:
	case TRACE_ONCE_BEGIN:
		if (step->flags & MODEL_STEP_HOLD) {
			add_edges(l, n, t, t->held_count - 1, e->object, e, trace_op_name(e->op));
		}
		break;
	case TRACE_ONCE_PASS:
		add_edges(l, n, t, t->held_count, e->object, e, "passes");
		break;
	case TRACE_COND_WAIT:
		add_edges(l, n, t, t->held_count, e->other, e, "wait");
		break;
	default: /* makes no edge; a request that was never answered is in the wait slots */
		break;
	}
}

static int add_image(struct lines *l, struct trace_reader *r, size_t index, unsigned frames,
		     struct diag *diag)
{
	const struct trace_process *p = trace_reader_get_process(r, index);
	struct trace_event event;
	struct model_step step;
	struct namer namer;
	struct model *m;
	int rc = trace_reader_rewind(r, index, diag);

	if (rc < 0) {
		return rc;
	}
	m = model_new(p);
	namer_init(&namer, p, frames);
	while ((rc = trace_reader_next(r, &event)) > 0) {
		model_apply(m, &event, &step);
		add_event(l, &namer, &event, &step);
	}
	namer_release(&namer);
	model_free(m);
	return rc;
}

int main(int argc, char **argv)
{
	unsigned frames = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 4;
	struct lines lines = { 0 };
	struct trace_reader *reader;
	struct diag diag = { 0 };
	int rc;

	if (argc < 2 || argc > 3) {
		fputs("usage: bounded_edges TRACE [FRAMES]\n", stderr);
		return 64;
	}
	rc = trace_reader_open(argv[1], &reader, &diag);
	if (rc < 0) {
		fprintf(stderr, "bounded_edges: %s\n", diag.message);
		return 1;
	}
	for (size_t i = 0; rc >= 0 && i < trace_reader_process_count(reader); i++) {
		rc = add_image(&lines, reader, i, frames, &diag);
	}
	trace_reader_free(reader);
	if (rc < 0) {
		fprintf(stderr, "bounded_edges: %s\n", diag.message);
		return 1;
	}
	lines_print(&lines);
	return 0;
}
