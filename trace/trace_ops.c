/* SPDX-License-Identifier: MIT */
/*
 * trace_ops.c - spec/events.def and spec/objects.def expanded into tables and names.
 */
#include "trace_ops.h"

#include "trace_reader.h"

#include <string.h>

/*
 * One letter of a FIELDS column becomes one array element; the letters exist only around the table.
 */
#define O TRACE_FIELD_O,
#define P TRACE_FIELD_P,
#define S TRACE_FIELD_S,
#define A TRACE_FIELD_A,
#define R TRACE_FIELD_R,
#define EVENT(num, NAME, word_, fields, doc_)                   \
	[num] = { .name = #NAME,                                \
		  .word = word_,                                \
		  .letters = #fields,                           \
		  .doc = doc_,                                  \
		  .count = sizeof((const uint8_t[]){ fields }), \
		  .field = { fields TRACE_FIELD_END } },
const struct trace_op_info trace_ops[TF_OPS] = {
#include "../spec/events.def"
};
#undef EVENT
#undef O
#undef P
#undef S
#undef A
#undef R

static const struct {
	const char *word;
	bool is_lock;
} objects[] = {
#define OBJECT(num, NAME, word, is_lock, doc) [num] = { word, is_lock },
#include "../spec/objects.def"
#undef OBJECT
};

#define OBJECTS (sizeof(objects) / sizeof(objects[0]))

const struct trace_op_info *trace_op_get(unsigned op)
{
	return op < TF_OPS && trace_ops[op].name ? &trace_ops[op] : NULL;
}

bool trace_op_has_object(unsigned op)
{
	return trace_op_get(op) && trace_ops[op].field[0] == TRACE_FIELD_O;
}

unsigned trace_op_find(const char *word)
{
	for (unsigned op = 0; op < TF_OPS; op++) {
		if (trace_op_get(op) &&
		    (!strcmp(trace_ops[op].word, word) || !strcmp(trace_ops[op].name, word))) {
			return op;
		}
	}
	return 0;
}

const uint8_t trace_op_args[TF_OPS] = {
	[TRACE_THREAD_BEGIN] = TRACE_ARG_THREAD,  [TRACE_CREATE] = TRACE_ARG_THREAD,
	[TRACE_CREATE_FAILED] = TRACE_ARG_THREAD, [TRACE_JOIN] = TRACE_ARG_THREAD,
	[TRACE_DETACH] = TRACE_ARG_THREAD,	  [TRACE_CANCEL] = TRACE_ARG_THREAD,
	[TRACE_NAME] = TRACE_ARG_THREAD,	  [TRACE_RELEASE_ODD] = TRACE_ARG_OWNER,
	[TRACE_HAND_OVER] = TRACE_ARG_THREAD,	  [TRACE_OF] = TRACE_ARG_THREAD,
};

void trace_op_fields(uint8_t fields[TF_OPS])
{
	for (unsigned op = 0; op < TF_OPS; op++) {
		fields[op] = TRACE_OP_FIELDS_UNKNOWN;
		if (trace_op_get(op)) {
			fields[op] =
				(uint8_t)(trace_ops[op].count |
					  (trace_op_has_object(op) ? TRACE_OP_FIELDS_OBJECT : 0));
		}
	}
}

const char *trace_op_name(unsigned op)
{
	return trace_op_get(op) ? trace_ops[op].word : "unknown-event";
}

const char *trace_object_kind_name(unsigned kind)
{
	return kind < OBJECTS && objects[kind].word ? objects[kind].word : "object";
}

bool trace_object_kind_is_lock(unsigned kind)
{
	return kind < OBJECTS && objects[kind].is_lock;
}

const char *trace_call_name(unsigned call)
{
	static const char *const names[] = {
#define CALL(num, NAME, word, class) [num] = word,
#include "../spec/calls.def"
#undef CALL
	};

	return call < sizeof(names) / sizeof(names[0]) && names[call] ? names[call] : "a call";
}

static const struct {
	const char *word, *library;
} tasks[] = {
#define TASK(number, NAME, word, library, life) [number] = { word, library },
#include "../spec/tasks.def"
#undef TASK
};
#define TASKS (sizeof(tasks) / sizeof(tasks[0]))

const char *trace_task_word(unsigned kind)
{
	return kind < TASKS && tasks[kind].word ? tasks[kind].word : "task";
}

const char *trace_task_library(unsigned kind)
{
	return kind < TASKS && tasks[kind].library ? tasks[kind].library : "";
}

const char *trace_waker_word(unsigned kind)
{
	static const char *const words[] = {
		[TRACE_WAKER_EVENTFD] = "eventfd",   [TRACE_WAKER_TIMERFD] = "timerfd",
		[TRACE_WAKER_SIGNALFD] = "signalfd", [TRACE_WAKER_PIPE] = "pipe",
		[TRACE_WAKER_SOCKET] = "socket",
	};

	return kind < sizeof(words) / sizeof(words[0]) && words[kind] ? words[kind] : "descriptor";
}
