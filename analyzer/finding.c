/* SPDX-License-Identifier: MIT */
/*
 * finding.c - the list of findings, the arena they live in, and the words of the rule table.
 *
 * Decides nothing about a finding but its level, which is the lower of the confidence's default and
 * the rule's cap.
 */
#include "finding.h"

#include "../trace/trace_reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Findings are few and small; a chunk holds some hundred of them with their stacks. */
#define ARENA_CHUNK_BYTES (64u * 1024u)
#define ARENA_ALIGN 16u

struct arena_chunk {
	struct arena_chunk *next;
	size_t used, bytes;
	_Alignas(ARENA_ALIGN) unsigned char data[];
};

struct finding_list {
	struct arena_chunk *chunks; /* owns; the newest first */
	struct finding **items;	    /* owns the array; findings lie in the arena */
	size_t count, capacity;
};

struct rule_row {
	const char *id, *title, *help;
	enum level cap;
};

static const struct rule_row rules[RULE_COUNT] = {
#define RULE(NAME, id_, cap_, bounded_, title_, help_) \
	[RULE_##NAME] = { .id = id_, .title = title_, .help = help_, .cap = LEVEL_##cap_ },
#include "../spec/rules.def"
#undef RULE
};

static const char *const level_names[] = {
	[LEVEL_NOTE] = "note",
	[LEVEL_WARNING] = "warning",
	[LEVEL_ERROR] = "error",
};

static const char *const confidence_names[] = {
	[CONFIDENCE_HINT] = "hint",
	[CONFIDENCE_POTENTIAL] = "potential",
	[CONFIDENCE_PROVEN] = "proven",
	[CONFIDENCE_OBSERVED] = "observed",
};

static const char *const role_names[ROLE_COUNT] = {
	[ROLE_HOLDS] = "holds",	      [ROLE_WAITS] = "waits",	    [ROLE_ACQUIRES] = "acquires",
	[ROLE_RELEASES] = "releases", [ROLE_CREATES] = "creates",   [ROLE_ACCESSES] = "accesses",
	[ROLE_BLOCKS] = "blocks",     [ROLE_DESTROYS] = "destroys", [ROLE_SIGNALS] = "signals",
	[ROLE_AWAITS] = "awaits",
};

const char *rule_id(enum rule rule)
{
	return rules[rule].id;
}

const char *rule_title(enum rule rule)
{
	return rules[rule].title;
}

const char *rule_help(enum rule rule)
{
	return rules[rule].help;
}

enum level rule_cap(enum rule rule)
{
	return rules[rule].cap;
}

int rule_find(const char *id)
{
	for (int i = 0; i < RULE_COUNT; i++)
		if (!strcmp(rules[i].id, id))
			return i;
	return -1;
}

const char *level_name(enum level level)
{
	return level_names[level];
}

const char *confidence_name(enum confidence confidence)
{
	return confidence_names[confidence];
}

const char *stack_role_name(enum stack_role role)
{
	return role_names[role];
}

const char *baseline_state_name(enum baseline_state state)
{
	static const char *const names[] = {
		[BASELINE_NONE] = NULL,
		[BASELINE_NEW] = "new",
		[BASELINE_UNCHANGED] = "unchanged",
		[BASELINE_UPDATED] = "updated",
	};

	return names[state];
}

/* Section 3 of the contract: what a confidence is worth before the rule's cap. */
static enum level default_level(enum rule rule, enum confidence confidence)
{
	switch (confidence) {
	case CONFIDENCE_OBSERVED:
	case CONFIDENCE_PROVEN:
		return LEVEL_ERROR;
	case CONFIDENCE_POTENTIAL:
		return rule == RULE_LOCK_ORDER_INVERSION ? LEVEL_ERROR : LEVEL_WARNING;
	case CONFIDENCE_HINT:
		return LEVEL_NOTE;
	}
	return LEVEL_NOTE;
}

/* ---- arena ---- */

static _Noreturn void out_of_memory(void)
{
	/*
	 * The header's promise: hosted code, nothing sensible is left to do. abort() keeps the
	 * state for a debugger.
	 */
	abort();
}

static struct arena_chunk *arena_grow(struct finding_list *list, size_t bytes)
{
	size_t room = bytes > ARENA_CHUNK_BYTES ? bytes : ARENA_CHUNK_BYTES;
	struct arena_chunk *chunk = NULL;

	if (room <= SIZE_MAX - sizeof(*chunk))
		chunk = malloc(sizeof(*chunk) + room);
	if (!chunk)
		out_of_memory();
	chunk->used = 0;
	chunk->bytes = room;
	chunk->next = list->chunks;
	list->chunks = chunk;
	return chunk;
}

void *finding_list_alloc(struct finding_list *list, size_t bytes)
{
	struct arena_chunk *chunk = list->chunks;
	void *memory;

	if (bytes > SIZE_MAX - ARENA_ALIGN)
		out_of_memory();
	bytes = (bytes + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
	if (!chunk || chunk->bytes - chunk->used < bytes)
		chunk = arena_grow(list, bytes);
	memory = chunk->data + chunk->used;
	chunk->used += bytes;
	return memset(memory, 0, bytes);
}

char *finding_list_printf(struct finding_list *list, const char *format, ...)
{
	va_list args;
	int length;
	char *text;

	va_start(args, format);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (length < 0)
		out_of_memory();
	text = finding_list_alloc(list, (size_t)length + 1);
	va_start(args, format);
	vsnprintf(text, (size_t)length + 1, format, args);
	va_end(args);
	return text;
}

/* ---- list ---- */

struct finding_list *finding_list_new(void)
{
	struct finding_list *list = calloc(1, sizeof(*list));

	if (!list)
		out_of_memory();
	return list;
}

void finding_list_free(struct finding_list *list)
{
	if (!list)
		return;
	for (struct arena_chunk *chunk = list->chunks, *next; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	free(list->items);
	free(list);
}

size_t finding_list_count(const struct finding_list *list)
{
	return list->count;
}

struct finding *finding_list_get(const struct finding_list *list, size_t index)
{
	return list->items[index];
}

void finding_list_set(struct finding_list *list, size_t index, struct finding *f)
{
	list->items[index] = f;
}

void finding_list_truncate(struct finding_list *list, size_t count)
{
	if (count < list->count)
		list->count = count;
}

/* ---- builder ---- */

void finding_set_confidence(struct finding *f, enum confidence confidence)
{
	enum level level = default_level(f->rule, confidence), cap = rule_cap(f->rule);

	f->confidence = confidence;
	f->level = level < cap ? level : cap;
}

struct finding *finding_begin(struct finding_list *list, enum rule rule, enum confidence confidence,
			      size_t process)
{
	struct finding *f = finding_list_alloc(list, sizeof(*f));

	f->rule = rule;
	finding_set_confidence(f, confidence);
	f->process = process;
	f->count = 1;
	return f;
}

/*
 * Room for one more element. Capacity is not stored: arrays grow when the count is a power of two,
 * so the arena wastes at most as much again as a finding uses.
 */
static void *array_append(struct finding_list *list, void *array, size_t count,
			  size_t element_bytes)
{
	void *bigger;

	if (count & (count - 1))
		return array;
	bigger = finding_list_alloc(list, (count ? 2 * count : 1) * element_bytes);
	if (count)
		memcpy(bigger, array, count * element_bytes);
	return bigger;
}

struct finding_thread *finding_add_thread(struct finding_list *list, struct finding *f, uint32_t id)
{
	struct finding_thread *thread;

	for (size_t i = 0; i < f->thread_count; i++)
		if (f->threads[i].id == id)
			return &f->threads[i];
	f->threads = array_append(list, f->threads, f->thread_count, sizeof(*f->threads));
	thread = &f->threads[f->thread_count++];
	thread->id = id;
	thread->process = thread->created_process = f->process;
	return thread;
}

struct finding_lock *finding_add_lock(struct finding_list *list, struct finding *f, uint32_t id)
{
	struct finding_lock *lock;

	for (size_t i = 0; i < f->lock_count; i++)
		if (f->locks[i].id == id)
			return &f->locks[i];
	f->locks = array_append(list, f->locks, f->lock_count, sizeof(*f->locks));
	lock = &f->locks[f->lock_count++];
	lock->id = id;
	lock->process = f->process;
	lock->object = id;
	return lock;
}

struct finding_task *finding_add_task(struct finding_list *list, struct finding *f, uint32_t id)
{
	struct finding_task *task;

	for (size_t i = 0; i < f->task_count; i++)
		if (f->tasks[i].id == id)
			return &f->tasks[i];
	f->tasks = array_append(list, f->tasks, f->task_count, sizeof(*f->tasks));
	task = &f->tasks[f->task_count++];
	task->id = id;
	task->process = f->process;
	return task;
}

struct finding_step *finding_add_step(struct finding_list *list, struct finding *f)
{
	f->steps = array_append(list, f->steps, f->step_count, sizeof(*f->steps));
	return &f->steps[f->step_count++];
}

struct finding_stack *finding_add_stack(struct finding_list *list, struct finding *f,
					enum stack_role role, uint32_t thread, uint32_t lock,
					uint32_t stack)
{
	struct finding_stack *part;

	f->stacks = array_append(list, f->stacks, f->stack_count, sizeof(*f->stacks));
	part = &f->stacks[f->stack_count++];
	part->role = role;
	part->process = f->process;
	part->thread = thread;
	part->lock = lock;
	part->stack = stack;
	return part;
}

void finding_commit(struct finding_list *list, struct finding *f)
{
	if (list->count == list->capacity) {
		size_t capacity = list->capacity ? 2 * list->capacity : 16;
		struct finding **items = reallocarray(list->items, capacity, sizeof(*items));

		if (!items)
			out_of_memory();
		list->items = items;
		list->capacity = capacity;
	}
	list->items[list->count++] = f;
}

bool finding_spans_processes(const struct finding *f)
{
	for (size_t i = 1; i < f->thread_count; i++)
		if (f->threads[i].pid != f->threads[0].pid)
			return true;
	return false;
}

const struct finding_thread *finding_find_thread(const struct finding *f, uint32_t id)
{
	for (size_t i = 0; i < f->thread_count; i++)
		if (id && f->threads[i].id == id)
			return &f->threads[i];
	return NULL;
}

struct frames finding_stack_key(const struct finding_stack *stack)
{
	size_t count = stack->frames.count;

	return stack->is_chain && count
		       ? (struct frames){ .frame = &stack->frames.frame[count - 1], .count = 1 }
		       : stack->frames;
}

const struct finding_lock *finding_find_lock(const struct finding *f, uint32_t id)
{
	for (size_t i = 0; i < f->lock_count; i++)
		if (id && f->locks[i].id == id)
			return &f->locks[i];
	return NULL;
}

const char *finding_lock_word(const struct finding_lock *lock)
{
	return lock && lock->word   ? lock->word
	       : lock && lock->kind ? trace_object_kind_name(lock->kind)
				    : "lock";
}

static bool is_namesake(const struct finding_lock *a, const struct finding_lock *b)
{
	return a != b && a->name && b->name && !strcmp(a->name, b->name) &&
	       !strcmp(finding_lock_word(a), finding_lock_word(b));
}

void finding_lock_text(const struct finding *f, const struct finding_lock *lock, char *buffer,
		       size_t bytes)
{
	const char *word = finding_lock_word(lock);
	size_t number = (size_t)(lock - f->locks) + 1;
	bool is_one_of_several = false;

	for (size_t i = 0; i < f->lock_count; i++)
		is_one_of_several |= is_namesake(&f->locks[i], lock);
	if (!lock->name)
		snprintf(buffer, bytes, "%s #%zu", word, number);
	else if (lock->name[0] == '.') /* a part of something without a name */
		snprintf(buffer, bytes, "%s #%zu%s", word, number, lock->name);
	else if (is_one_of_several)
		snprintf(buffer, bytes, "%s %s #%zu", word, lock->name, number);
	else
		snprintf(buffer, bytes, "%s %s", word, lock->name);
}
